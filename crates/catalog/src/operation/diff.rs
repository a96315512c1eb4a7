//! What differs between two refs, or between a branch and its head.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{DirectoryDiff, DirectoryQuery, TreeId};
use braid_types::{BranchName, RefExpression, RepositoryName, Result, View as RefView};
use bytes::Bytes;

use super::differences::{Changed, DiffQuery, Differences, Source};
use super::merge::no_base;
use super::staged_diff::{StagedDiff, Trees};
use crate::catalog::{Catalog, load_branch, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::merge_base;
use crate::page::{Page, PageRequest, PageStart};
use crate::record::RepositoryRecord;
use crate::resolve::{Resolved, resolve};
use crate::view::{Stack, View};

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
    /// Which differences.
    pub query: DiffQuery,
}

impl Catalog {
    /// What differs between two refs.
    pub async fn diff(&self, repository: &RepositoryName, request: &DiffRequest) -> Result<Differences> {
        let query = directory_query(&request.query);
        self.diff_in(self.snapshot().await?, repository, request, &query).await
    }

    /// One page of what differs between two refs. All pages show one state.
    pub async fn list_diff(
        &self,
        repository: &RepositoryName,
        request: &DiffRequest,
        page: &PageRequest,
    ) -> Result<Page<Changed>> {
        let DiffQuery { prefix, delimiter, after } = &request.query;
        let (left, right, mode) = (request.left.text(), request.right.text(), request.mode.name());
        let scope = ["diff", repository.as_str(), left, right, mode, prefix.as_str(), delimiter, after];
        let start = PageStart::open(self, page, &scope).await?;
        let mut query = directory_query(&request.query);
        if let Some(after) = &start.after {
            query.after = Some(Bytes::copy_from_slice(after));
        }
        let mut differences = self.diff_in(Arc::clone(&start.snapshot), repository, request, &query).await?;
        let mut items = Vec::new();
        while items.len() < page.limit() {
            let Some(item) = differences.next().await? else {
                return Ok(Page { items, next_token: String::new() });
            };
            items.push(item);
        }
        // The next item may take long to count, so nothing finds out here whether there is one.
        let next_token = items.last().map(|item| start.token_after(item.name().as_bytes()));
        Ok(Page { items, next_token: next_token.unwrap_or_default() })
    }

    /// What is uncommitted on a branch.
    pub async fn diff_branch(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        query: &DiffQuery,
    ) -> Result<Differences> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let record = load_branch(&snapshot, &repository, branch).await?;
        let sides = DiffSides { left: record.base, right: Stack::staged(&record) };
        self.differences(snapshot, repository, sides, &directory_query(query)).await
    }

    async fn diff_in(
        &self,
        snapshot: Arc<dyn Snapshot>,
        repository: &RepositoryName,
        request: &DiffRequest,
        query: &DirectoryQuery,
    ) -> Result<Differences> {
        let repository = load_repository(&snapshot, repository).await?;
        let left = resolve(self, &snapshot, &repository, &request.left).await?.committed(&request.left)?;
        let right = resolve(self, &snapshot, &repository, &request.right).await?;
        let left = self.left_tree(&snapshot, &repository, &left, &right, request.mode).await?;
        let right = self.right_side(&snapshot, &repository, &right).await?;
        self.differences(snapshot, repository, DiffSides { left, right }, query).await
    }

    async fn differences(
        &self,
        snapshot: Arc<dyn Snapshot>,
        repository: RepositoryRecord,
        sides: DiffSides,
        query: &DirectoryQuery,
    ) -> Result<Differences> {
        let ranges = self.ranges(&repository).await?;
        let DiffSides { left, right } = sides;
        let source = if right.is_plain_tree() {
            Source::Trees(Box::new(DirectoryDiff::new(ranges, self.pool(), left, right.base, query)))
        } else {
            let view = View { stack: right, ranges: Arc::clone(&ranges) };
            let trees = Trees { ranges, pool: self.pool().clone(), left, base: view.stack.base };
            let staged = |from: &[u8]| view.changes(&snapshot, from);
            Source::Staged(Box::new(StagedDiff::new(trees, query, staged)))
        };
        Ok(Differences { source, namespace: repository.storage_namespace, _snapshot: snapshot })
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

    /// The right side: a tree alone unless what is uncommitted is asked for.
    async fn right_side(
        &self,
        snapshot: &Arc<dyn Snapshot>,
        repository: &RepositoryRecord,
        right: &Resolved,
    ) -> Result<Stack> {
        if right.view == RefView::Staged
            && let Some(branch) = right.staged_branch()
        {
            return Ok(Stack::staged(branch));
        }
        Ok(Stack::committed(self.load_commit(snapshot, repository, &right.commit).await?.metarange))
    }
}

/// What is compared: a tree, with a tree that may have layers on top.
struct DiffSides {
    left: TreeId,
    right: Stack,
}

impl DiffMode {
    fn name(self) -> &'static str {
        match self {
            Self::TwoDot => "two-dot",
            Self::ThreeDot => "three-dot",
        }
    }
}

fn directory_query(query: &DiffQuery) -> DirectoryQuery {
    DirectoryQuery {
        prefix: Bytes::copy_from_slice(query.prefix.as_bytes()),
        delimiter: Bytes::copy_from_slice(query.delimiter.as_bytes()),
        after: (!query.after.is_empty()).then(|| Bytes::copy_from_slice(query.after.as_bytes())),
    }
}
