//! What a ref expression names.

use braid_kv::ScanOptions;
use braid_types::{
    BranchName, Code, CommitId, Error, Modifier, RefExpression, Result, TagName, View as RefView,
};

use crate::catalog::Catalog;
use crate::commits::RepositoryCommits;
use crate::graph::Commits;
use crate::record::{self, BranchRecord, RepositoryRecord};
use crate::view::Reads;

/// What the base of an expression is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefKind {
    /// A branch.
    Branch,
    /// A tag.
    Tag,
    /// A commit, by its id or a prefix of it.
    Commit,
}

/// What an expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The commit; for a branch its head.
    pub commit: CommitId,
    /// What the base of the expression is.
    pub kind: RefKind,
    /// Whether `@`, `$` or neither was given.
    pub view: RefView,
    /// The branch, if the expression is a branch without `~` and `^`.
    pub(crate) branch: Option<(BranchName, BranchRecord)>,
}

impl Resolved {
    /// Refuses an expression that names uncommitted state.
    pub(crate) fn committed(self, expression: &RefExpression) -> Result<Self> {
        if self.view == RefView::Staged {
            let message = format!("'{expression}' names uncommitted changes; a commit is needed here");
            return Err(Error::new(Code::InvalidArgument, expression.text(), message));
        }
        Ok(self)
    }

    /// The branch whose staged entries an object read sees.
    pub(crate) fn staged_branch(&self) -> Option<&BranchRecord> {
        match self.view {
            RefView::Committed => None,
            RefView::Unspecified | RefView::Staged => self.branch.as_ref().map(|(_, record)| record),
        }
    }
}

/// Resolves an expression in one state of the store: a commit id, then a branch, a tag, a unique prefix of a commit id.
/// A tag may hold characters that look like modifiers: it is tried as a whole last.
pub(crate) async fn resolve(
    catalog: &Catalog,
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    expression: &RefExpression,
) -> Result<Resolved> {
    let base = resolve_base(reads, repository, expression.base()).await?;
    let Some((kind, commit, branch)) = base else {
        return whole_tag(reads, repository, expression).await;
    };
    if expression.view() != RefView::Unspecified && branch.is_none() {
        let message = format!("'{expression}': '@' and '$' need a branch before them");
        return Err(Error::new(Code::InvalidArgument, expression.text(), message));
    }
    let commits = RepositoryCommits::new(catalog, reads, repository.id);
    let mut commit = commit;
    for modifier in expression.modifiers() {
        commit = step(&commits, commit, *modifier, expression).await?;
    }
    let branch = branch.filter(|_| expression.modifiers().is_empty());
    Ok(Resolved { commit, kind, view: expression.view(), branch })
}

type Base = (RefKind, CommitId, Option<(BranchName, BranchRecord)>);

async fn resolve_base(reads: &dyn Reads, repository: &RepositoryRecord, base: &str) -> Result<Option<Base>> {
    if let Ok(id) = base.parse::<CommitId>()
        && reads.get(&record::commit::key(&repository.id, &id)).await?.is_some()
    {
        return Ok(Some((RefKind::Commit, id, None)));
    }
    if let Ok(name) = BranchName::new(base)
        && let Some(bytes) = reads.get(&record::branch::key(&repository.id, &name)).await?
    {
        let branch = BranchRecord::decode(&bytes)?;
        return Ok(Some((RefKind::Branch, branch.head, Some((name, branch)))));
    }
    if let Some(id) = tag(reads, repository, base).await? {
        return Ok(Some((RefKind::Tag, id, None)));
    }
    Ok(by_prefix(reads, repository, base).await?.map(|id| (RefKind::Commit, id, None)))
}

async fn tag(reads: &dyn Reads, repository: &RepositoryRecord, name: &str) -> Result<Option<CommitId>> {
    let Ok(name) = TagName::new(name) else {
        return Ok(None);
    };
    let bytes = reads.get(&record::tag::key(&repository.id, &name)).await?;
    bytes.map(|bytes| record::tag::decode(&bytes)).transpose()
}

async fn by_prefix(
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    prefix: &str,
) -> Result<Option<CommitId>> {
    let Some(range) = record::commit::prefix_range(&repository.id, prefix) else {
        return Ok(None);
    };
    let found = reads.scan(&range, ScanOptions::first(2).keys_only()).await?;
    match &found[..] {
        [] => Ok(None),
        [(key, _)] => record::commit::parse_key(&repository.id, key).map(Some),
        _ => {
            let message = format!("'{prefix}' is the beginning of several commit ids");
            Err(Error::new(Code::AmbiguousRef, prefix, message))
        }
    }
}

async fn whole_tag(
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    expression: &RefExpression,
) -> Result<Resolved> {
    if !expression.is_plain()
        && let Some(commit) = tag(reads, repository, expression.text()).await?
    {
        return Ok(Resolved { commit, kind: RefKind::Tag, view: RefView::Unspecified, branch: None });
    }
    let message =
        format!("'{}' is no branch, tag or commit of repository '{}'", expression.base(), repository.name);
    Err(Error::new(Code::RefNotFound, expression.text(), message))
}

async fn step(
    commits: &dyn Commits,
    from: CommitId,
    modifier: Modifier,
    expression: &RefExpression,
) -> Result<CommitId> {
    match modifier {
        Modifier::Ancestor(count) => {
            let mut commit = from;
            for _ in 0..count {
                let parents = &commits.commit(&commit).await?.parents;
                commit = *parents.first().ok_or_else(|| before_the_first(expression))?;
            }
            Ok(commit)
        }
        Modifier::Parent(0) => Ok(from),
        Modifier::Parent(number) => {
            let parents = &commits.commit(&from).await?.parents;
            let found = usize::try_from(number - 1).ok().and_then(|index| parents.get(index));
            found.copied().ok_or_else(|| no_such_parent(expression, from, number, parents.len()))
        }
    }
}

fn before_the_first(expression: &RefExpression) -> Error {
    let message = format!("'{expression}' goes back beyond the first commit");
    Error::new(Code::RefNotFound, expression.text(), message)
}

fn no_such_parent(expression: &RefExpression, commit: CommitId, number: u32, parents: usize) -> Error {
    let message = format!("'{expression}': commit '{commit}' has {parents} parents, not {number}");
    Error::new(Code::InvalidArgument, expression.text(), message)
}
