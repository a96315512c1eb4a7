//! Branches, tags, ref expressions, and the requests about them.

use braid_types::{
    BranchName, Code, CommitId, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName, TagName,
};

use crate::field::{Field, conversions, enumeration, in_field, message};
use crate::mutation::mutation;
use crate::page::page;
use crate::proto;

/// A branch as callers see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// Its name.
    pub name: BranchName,
    /// Its head commit.
    pub commit_id: CommitId,
}

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: TagName,
    /// The tagged commit.
    pub commit_id: CommitId,
}

/// What the base of a ref expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefKind {
    /// A branch's name.
    Branch,
    /// A tag's name.
    Tag,
    /// A commit's id, or a unique prefix of it.
    Commit,
}

/// What a ref expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedRef {
    /// The commit.
    pub commit_id: CommitId,
    /// What the expression's base is.
    pub kind: RefKind,
}

/// A best common ancestor of two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MergeBase {
    /// What the left expression named.
    pub left_commit_id: CommitId,
    /// What the right expression named.
    pub right_commit_id: CommitId,
    /// The ancestor.
    pub base_commit_id: CommitId,
}

/// Which uncommitted changes to drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetScope {
    /// All of them.
    All,
    /// Those of one path.
    Path(ObjectPath),
    /// Those of a directory, given with its trailing `/`.
    Prefix(PathPrefix),
}

/// Makes a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateBranch {
    /// Where.
    pub repository: RepositoryName,
    /// The new branch's name.
    pub name: BranchName,
    /// The commit to start at.
    pub source: RefExpression,
    /// Whether lists leave it out that do not ask for such branches.
    pub hidden: bool,
}

/// Asks for one branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetBranch {
    /// Where.
    pub repository: RepositoryName,
    /// Its name.
    pub branch: BranchName,
}

/// Asks for a page of branches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListBranches {
    /// Where.
    pub repository: RepositoryName,
    /// Only names that begin with it.
    pub prefix: String,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
    /// Only names after it, on a first page.
    pub after: Option<String>,
    /// Whether hidden branches are listed as well.
    pub include_hidden: bool,
}

/// Deletes a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteBranch {
    /// Where.
    pub repository: RepositoryName,
    /// Its name.
    pub branch: BranchName,
}

/// Drops uncommitted changes of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResetBranch {
    /// Where.
    pub repository: RepositoryName,
    /// Its name.
    pub branch: BranchName,
    /// Which changes.
    pub scope: ResetScope,
}

/// Makes a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateTag {
    /// Where.
    pub repository: RepositoryName,
    /// The new tag's name.
    pub name: TagName,
    /// The commit to tag.
    pub reference: RefExpression,
}

/// Asks for one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetTag {
    /// Where.
    pub repository: RepositoryName,
    /// Its name.
    pub tag: TagName,
}

/// Asks for a page of tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListTags {
    /// Where.
    pub repository: RepositoryName,
    /// Only names that begin with it.
    pub prefix: String,
    /// Most items on the page.
    pub page_size: Option<u32>,
    /// What the page before gave; none for the first page.
    pub page_token: Option<String>,
    /// Only names after it, on a first page.
    pub after: Option<String>,
}

/// Deletes a tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteTag {
    /// Where.
    pub repository: RepositoryName,
    /// Its name.
    pub tag: TagName,
}

/// Asks what a ref expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveRef {
    /// Where.
    pub repository: RepositoryName,
    /// The expression.
    pub reference: RefExpression,
}

/// Asks for a best common ancestor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindMergeBase {
    /// Where.
    pub repository: RepositoryName,
    /// One commit.
    pub left: RefExpression,
    /// The other.
    pub right: RefExpression,
}

message!(Branch = Branch { name, commit_id });
message!(Tag = Tag { name, commit_id });
message!(ResolvedRef = ResolvedRef { commit_id, kind });
message!(MergeBase = MergeBase { left_commit_id, right_commit_id, base_commit_id });
message!(CreateBranch = CreateBranchRequest { repository, name, source, hidden } mutation);
message!(GetBranch = GetBranchRequest { repository, branch });
message!(
    ListBranches = ListBranchesRequest { repository, prefix, page_size, page_token, after, include_hidden }
);
message!(DeleteBranch = DeleteBranchRequest { repository, branch } mutation);
message!(CreateTag = CreateTagRequest { repository, name, reference } mutation);
message!(GetTag = GetTagRequest { repository, tag });
message!(ListTags = ListTagsRequest { repository, prefix, page_size, page_token, after });
message!(DeleteTag = DeleteTagRequest { repository, tag } mutation);
message!(ResolveRef = ResolveRefRequest { repository, reference });
message!(FindMergeBase = FindMergeBaseRequest { repository, left, right });
page!(Branch = ListBranchesResponse.branches);
page!(Tag = ListTagsResponse.tags);
conversions!(ResetBranch = ResetBranchRequest);
mutation!(ResetBranchRequest);
enumeration!(RefKind = RefKind { Branch => Branch, Tag => Tag, Commit => Commit });

impl Field for ResetBranch {
    type Wire = proto::ResetBranchRequest;

    fn read(wire: Self::Wire) -> Result<Self, Error> {
        Ok(Self {
            repository: in_field("repository", Field::read(wire.repository))?,
            branch: in_field("branch", Field::read(wire.branch))?,
            scope: read_scope(wire.scope)?,
        })
    }

    fn write(self) -> Self::Wire {
        proto::ResetBranchRequest {
            repository: self.repository.write(),
            branch: self.branch.write(),
            scope: Some(write_scope(self.scope)),
            request_id: String::new(),
        }
    }
}

fn read_scope(wire: Option<proto::reset_branch_request::Scope>) -> Result<ResetScope, Error> {
    use proto::reset_branch_request::Scope;
    match wire {
        Some(Scope::All(proto::ResetAll {})) => Ok(ResetScope::All),
        Some(Scope::Path(path)) => in_field("path", Field::read(path)).map(ResetScope::Path),
        Some(Scope::Prefix(prefix)) => in_field("prefix", Field::read(prefix)).map(ResetScope::Prefix),
        None => Err(Error::new(
            Code::InvalidArgument,
            "scope",
            "scope: one of 'all', 'path' and 'prefix' must be given",
        )),
    }
}

fn write_scope(scope: ResetScope) -> proto::reset_branch_request::Scope {
    use proto::reset_branch_request::Scope;
    match scope {
        ResetScope::All => Scope::All(proto::ResetAll {}),
        ResetScope::Path(path) => Scope::Path(path.write()),
        ResetScope::Prefix(prefix) => Scope::Prefix(prefix.write()),
    }
}
