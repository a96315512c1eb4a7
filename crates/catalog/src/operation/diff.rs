//! What differs between two refs, or between a branch and its head.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Diff, Difference, DifferenceKind, Pending, Pool, RangeStore, TreeId};
use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName, Result, StagingToken};

use super::fold::changes;
use super::merge::no_base;
use super::staged_diff::StagedDiff;
use crate::catalog::{Catalog, load_branch, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::merge_base;
use crate::record::RepositoryRecord;
use crate::resolve::{Resolved, resolve};
use crate::view::Object;
use braid_types::View as RefView;

/// What is compared with the right side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DiffMode {
    /// The left side itself.
    TwoDot,
    /// The merge base of both: what the right side changed since they parted.
    #[default]
    ThreeDot,
}

/// Which refs to compare.
#[derive(Debug, Clone)]
pub struct DiffRequest {
    /// The left side: a commit.
    pub left: RefExpression,
    /// The right side: a commit, or with `$` a branch with what is staged.
    pub right: RefExpression,
    /// What is compared with the right side.
    pub mode: DiffMode,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// The path.
    pub path: ObjectPath,
    /// How it differs, from left to right.
    pub kind: DifferenceKind,
    /// What the left side has.
    pub left: Option<Object>,
    /// What the right side has.
    pub right: Option<Object>,
}

/// All paths that differ, in order.
pub struct Differences {
    source: Source,
    prefix: PathPrefix,
    // Holds the state that is read.
    _snapshot: Arc<dyn Snapshot>,
}

enum Source {
    Trees(Box<Diff>),
    Staged(Box<StagedDiff>),
}

impl Differences {
    /// The next path that differs.
    pub async fn next(&mut self) -> Result<Option<Side>> {
        let next = match &mut self.source {
            Source::Trees(diff) => diff.next().await?,
            Source::Staged(pending) => pending.next().await?,
        };
        match next {
            Some(difference) if difference.key.starts_with(self.prefix.as_bytes()) => {
                side(&difference).map(Some)
            }
            // In order of paths, the first one without the prefix ends those with it.
            _ => Ok(None),
        }
    }
}

fn side(difference: &Difference) -> Result<Side> {
    Ok(Side {
        path: ObjectPath::from_key(&difference.key)?,
        kind: difference.kind,
        left: difference.left.as_ref().map(Object::from_record).transpose()?,
        right: difference.right.as_ref().map(Object::from_record).transpose()?,
    })
}

impl Catalog {
    /// What differs between two refs.
    pub async fn diff(&self, repository: &RepositoryName, request: &DiffRequest) -> Result<Differences> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let left = resolve(self, &snapshot, &repository, &request.left).await?.committed(&request.left)?;
        let right = resolve(self, &snapshot, &repository, &request.right).await?;
        let left = self.left_tree(&snapshot, &repository, &left, &right, request.mode).await?;
        let (tokens, tree) = self.right_side(&snapshot, &repository, &right).await?;
        let ranges = self.ranges(&repository).await?;
        let source = match tokens {
            Some(tokens) => staged(&snapshot, &tokens, &request.prefix, ranges, self.pool(), (left, tree)),
            None => trees(ranges, self.pool(), (left, tree), &request.prefix),
        };
        Ok(Differences { source, prefix: request.prefix.clone(), _snapshot: snapshot })
    }

    /// What is uncommitted on a branch.
    pub async fn diff_branch(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        prefix: &PathPrefix,
    ) -> Result<Differences> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let record = load_branch(&snapshot, &repository, branch).await?;
        let ranges = self.ranges(&repository).await?;
        let source =
            staged(&snapshot, &record.tokens(), prefix, ranges, self.pool(), (record.base, record.base));
        Ok(Differences { source, prefix: prefix.clone(), _snapshot: snapshot })
    }

    async fn left_tree(
        &self,
        snapshot: &Arc<dyn Snapshot>,
        repository: &RepositoryRecord,
        left: &Resolved,
        right: &Resolved,
        mode: DiffMode,
    ) -> Result<TreeId> {
        let commit = match mode {
            DiffMode::TwoDot => left.commit,
            DiffMode::ThreeDot => {
                let commits = RepositoryCommits::new(self, snapshot, repository.id);
                let base = merge_base(&commits, left.commit, right.commit).await?;
                base.ok_or_else(|| no_base(left.commit, right.commit))?
            }
        };
        Ok(self.load_commit(snapshot, repository, &commit).await?.metarange)
    }

    /// The staging tokens (if staged entries are asked for) and the tree of the right side.
    async fn right_side(
        &self,
        snapshot: &Arc<dyn Snapshot>,
        repository: &RepositoryRecord,
        right: &Resolved,
    ) -> Result<(Option<Vec<StagingToken>>, TreeId)> {
        if right.view == RefView::Staged
            && let Some(branch) = right.staged_branch()
        {
            return Ok((Some(branch.tokens()), branch.base));
        }
        Ok((None, self.load_commit(snapshot, repository, &right.commit).await?.metarange))
    }
}

fn trees(
    ranges: Arc<dyn RangeStore>,
    pool: &Pool,
    (left, right): (TreeId, TreeId),
    prefix: &PathPrefix,
) -> Source {
    Source::Trees(Box::new(Diff::new(ranges, pool, left, right).under(prefix.as_bytes())))
}

fn staged(
    snapshot: &Arc<dyn Snapshot>,
    tokens: &[StagingToken],
    prefix: &PathPrefix,
    ranges: Arc<dyn RangeStore>,
    pool: &Pool,
    (left, base): (TreeId, TreeId),
) -> Source {
    let changes = changes(snapshot, tokens, prefix.as_bytes());
    let below = Diff::new(Arc::clone(&ranges), pool, left, base).under(prefix.as_bytes());
    Source::Staged(Box::new(StagedDiff::new(below, Pending::new(ranges, base, changes))))
}
