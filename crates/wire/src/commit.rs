//! Commits and history.

use std::collections::BTreeMap;

use braid_types::{
    BranchName, Commit, CommitId, Error, MetarangeId, ObjectPath, PathPrefix, RefExpression, RepositoryName,
    Time,
};

use crate::field::{Field, conversions, in_field, message, required};
use crate::page::batch;
use crate::proto;

/// A commit with its id.
///
/// The id is the server's word: commits that lakeFS wrote in an older format do not hash to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id.
    pub id: CommitId,
    /// The commit.
    pub commit: Commit,
}

/// Commits a branch's uncommitted changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitBranch {
    /// Where.
    pub repository: RepositoryName,
    /// Which branch.
    pub branch: BranchName,
    /// What to say of it.
    pub message: String,
    /// Keys and values to go with it.
    pub metadata: BTreeMap<String, String>,
    /// Whether to commit also when nothing changed.
    pub allow_empty: bool,
    /// Time to give the commit instead of now.
    pub date: Option<Time>,
}

/// Commits a tree as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitTree {
    /// Where.
    pub repository: RepositoryName,
    /// Which branch.
    pub branch: BranchName,
    /// The tree.
    pub metarange_id: MetarangeId,
    /// What to say of it.
    pub message: String,
    /// Keys and values to go with it.
    pub metadata: BTreeMap<String, String>,
    /// Time to give the commit instead of now.
    pub date: Option<Time>,
}

/// Asks for one commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetCommit {
    /// Where.
    pub repository: RepositoryName,
    /// Which.
    pub reference: RefExpression,
}

/// Asks for history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Where.
    pub repository: RepositoryName,
    /// The newest commit.
    pub reference: RefExpression,
    /// Most commits to answer with.
    pub limit: Option<u32>,
    /// Whether to follow first parents only.
    pub first_parent: bool,
    /// Only commits at or after it.
    pub since: Option<Time>,
    /// The last commit to show.
    pub stop_at: Option<RefExpression>,
    /// Begin with what comes after this commit, which is of this history.
    pub after: Option<CommitId>,
    /// With `prefixes`: only commits that changed one of these paths. Both empty: all commits.
    pub paths: Vec<ObjectPath>,
    /// With `paths`: only commits that changed something under one of these.
    pub prefixes: Vec<PathPrefix>,
}

message!(CommitBranch = CommitRequest {
    repository,
    branch,
    message,
    metadata,
    allow_empty,
    date: optional,
} mutation);
message!(CommitTree = CommitTreeRequest {
    repository,
    branch,
    metarange_id,
    message,
    metadata,
    date: optional,
} mutation);
message!(GetCommit = GetCommitRequest { repository, reference });
message!(
    Log = LogRequest {
        repository,
        reference,
        limit,
        first_parent,
        since: optional,
        stop_at,
        after,
        paths,
        prefixes
    }
);
conversions!(CommitInfo = Commit);
batch!(CommitInfo = LogResponse.commits);

impl Field for CommitInfo {
    type Wire = proto::Commit;

    fn read(wire: proto::Commit) -> Result<Self, Error> {
        let commit = Commit {
            parents: in_field("parents", Field::read(wire.parents))?,
            metarange: in_field("metarange_id", Field::read(wire.metarange_id))?,
            committer: wire.committer,
            message: wire.message,
            metadata: wire.metadata,
            time: in_field("created_at", required(wire.created_at))?,
            generation: wire.generation,
            version: wire.version,
        };
        Ok(Self { id: in_field("id", Field::read(wire.id))?, commit })
    }

    fn write(self) -> proto::Commit {
        proto::Commit {
            id: self.id.write(),
            parents: self.commit.parents.write(),
            metarange_id: self.commit.metarange.write(),
            committer: self.commit.committer,
            message: self.commit.message,
            metadata: self.commit.metadata,
            created_at: Some(self.commit.time.write()),
            generation: self.commit.generation,
            version: self.commit.version,
        }
    }
}
