//! History from a ref backwards.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Diff, Pool, RangeStore, TreeId, lookup};
use braid_types::{Commit, CommitId, ObjectPath, PathPrefix, RefExpression, RepositoryName, Result, Time};

use crate::catalog::{Catalog, load_repository};
use crate::commits::RepositoryCommits;
use crate::graph::Walk;
use crate::record::RepositoryRecord;
use crate::resolve::resolve;

/// Which part of history to show.
#[derive(Debug, Clone)]
pub struct LogRequest {
    /// Where it begins.
    pub start: RefExpression,
    /// Follow first parents only.
    pub first_parent: bool,
    /// Only commits at or after this time.
    pub since: Option<Time>,
    /// End with this commit, which is still shown.
    pub stop_at: Option<RefExpression>,
    /// Begin with what comes after this commit.
    pub after: Option<CommitId>,
    /// With paths or prefixes: only commits that changed any of them, compared with every parent.
    pub paths: Vec<ObjectPath>,
    /// See `paths`.
    pub prefixes: Vec<PathPrefix>,
}

/// A walk through history; no commit comes before its descendants.
pub struct History {
    catalog: Catalog,
    snapshot: Arc<dyn Snapshot>,
    repository: RepositoryRecord,
    ranges: Arc<dyn RangeStore>,
    request: LogRequest,
    stop_at: Option<CommitId>,
    /// The commit that is still to be passed by.
    after: Option<CommitId>,
    walk: Option<Walk>,
}

impl Catalog {
    /// The history that `request` asks for.
    pub async fn log(&self, repository: &RepositoryName, request: LogRequest) -> Result<History> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let start =
            resolve(self, &snapshot, &repository, &request.start).await?.committed(&request.start)?.commit;
        let stop_at = match &request.stop_at {
            Some(stop_at) => {
                Some(resolve(self, &snapshot, &repository, stop_at).await?.committed(stop_at)?.commit)
            }
            None => None,
        };
        let commits = RepositoryCommits::new(self, &snapshot, repository.id);
        let walk = Walk::new(&commits, start, request.first_parent).await?;
        let ranges = self.ranges(&repository).await?;
        Ok(History {
            catalog: self.clone(),
            snapshot,
            repository,
            ranges,
            after: request.after,
            request,
            stop_at,
            walk: Some(walk),
        })
    }
}

impl History {
    /// The next commit and its id.
    pub async fn next(&mut self) -> Result<Option<(CommitId, Arc<Commit>)>> {
        let History { catalog, snapshot, repository, ranges, request, stop_at, after, walk: slot } = self;
        let commits = RepositoryCommits::new(catalog, snapshot, repository.id);
        loop {
            let Some(walk) = slot.as_mut() else {
                return Ok(None);
            };
            let Some((id, commit)) = walk.next(&commits).await? else {
                *slot = None;
                return Ok(None);
            };
            if *stop_at == Some(id) {
                *slot = None;
            }
            if let Some(last) = *after {
                if last == id {
                    *after = None;
                }
                continue;
            }
            let recent = request.since.is_none_or(|since| commit.time >= since);
            if recent && (Touches { ranges, pool: catalog.pool(), request }).any(&commits, &commit).await? {
                return Ok(Some((id, commit)));
            }
        }
    }
}

struct Touches<'a> {
    ranges: &'a Arc<dyn RangeStore>,
    pool: &'a Pool,
    request: &'a LogRequest,
}

impl Touches<'_> {
    /// Whether the commit changed any of the paths or prefixes asked for, compared with every parent.
    async fn any(&self, commits: &RepositoryCommits<'_>, commit: &Commit) -> Result<bool> {
        use crate::graph::Commits;
        if self.request.paths.is_empty() && self.request.prefixes.is_empty() {
            return Ok(true);
        }
        if commit.parents.is_empty() {
            return self.between(None, commit.metarange).await;
        }
        for parent in &commit.parents {
            let parent = commits.commit(parent).await?;
            if !self.between(parent.metarange, commit.metarange).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn between(&self, before: TreeId, after: TreeId) -> Result<bool> {
        if before == after {
            return Ok(false);
        }
        for path in &self.request.paths {
            let old = lookup(&**self.ranges, before, path.as_bytes()).await?;
            let new = lookup(&**self.ranges, after, path.as_bytes()).await?;
            if old.as_ref().map(braid_tree::Record::identity)
                != new.as_ref().map(braid_tree::Record::identity)
            {
                return Ok(true);
            }
        }
        for prefix in &self.request.prefixes {
            let mut diff =
                Diff::new(Arc::clone(self.ranges), self.pool, before, after).under(prefix.as_bytes());
            if diff.next().await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
