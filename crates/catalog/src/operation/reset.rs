//! Reset: uncommitted changes are dropped, all of them or those of a path or prefix.

use braid_types::{BranchName, Error, ObjectPath, PathPrefix, RepositoryName, Result};
use bytes::Bytes;

use super::clean_up::drop_tokens;
use super::repositories::lock_branch;
use super::stage::{Ahead, BranchAddress, Entered, Step, staged_states};
use crate::catalog::{Catalog, finish, load_writable};
use crate::mutation::{Attempts, Mutation, Request};
use crate::protection::Touch;
use crate::record::path_change::PathState;
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::{self, BranchRecord};
use crate::view::View;

/// Which uncommitted changes to drop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetScope {
    /// All.
    All,
    /// Those of one path.
    Path(ObjectPath),
    /// Those of the paths that begin so.
    Prefix(PathPrefix),
}

impl Catalog {
    /// Drops uncommitted changes of a branch.
    pub async fn reset(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        scope: &ResetScope,
        mutation: &Mutation,
    ) -> Result<()> {
        let (kind, what) = match scope {
            ResetScope::All => ("all", ""),
            ResetScope::Path(path) => ("path", path.as_str()),
            ResetScope::Prefix(prefix) => ("prefix", prefix.as_str()),
        };
        let request = mutation.of("reset", &[repository.as_str(), branch.as_str(), kind, what]);
        let mut attempts = Attempts::new(self);
        loop {
            let tried = match scope {
                ResetScope::All => self.try_reset_all(repository, branch, &request).await?,
                ResetScope::Prefix(prefix) if prefix.is_empty() => {
                    self.try_reset_all(repository, branch, &request).await?
                }
                ResetScope::Path(path) => self.try_reset_path(repository, branch, path, &request).await?,
                ResetScope::Prefix(prefix) => {
                    return self.reset_prefix(repository, branch, prefix, &request).await;
                }
            };
            match tried {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    async fn try_reset_all(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        request: &Request<'_>,
    ) -> Result<Option<Error>> {
        let mut txn = self.begin_exclusive().await?;
        if request.replay(self, &*txn).await?.is_some() {
            return Ok(None);
        }
        let repository = load_writable(&txn, repository).await?;
        repository.protection.check(&repository.name, branch, Touch::Write)?;
        let current = lock_branch(self, &mut *txn, &repository, branch).await?;
        let held = current.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
        held.seal(&mut *txn);
        let key = record::branch::key(&repository.id, branch);
        drop_tokens(&mut *txn, &key, current.tokens(), self.now());
        let head = self.load_commit(&txn, &repository, &current.head).await?;
        let record =
            BranchRecord { base: head.metarange, sealed: Vec::new(), open: self.fresh_layer(), ..current };
        txn.put(key, record.encode());
        let head = Some(record.head);
        let what = RefMove::new(RefEvent::BranchReset, branch.as_str(), head, head);
        request.log(self, &mut *txn, &repository.id, what);
        request.record(self, &mut *txn, Answer::Done);
        finish(txn, branch.as_str()).await
    }

    /// Makes the branch show at `path` what its head has there. A path that only the open layer mentions is simply
    /// forgotten; above sealed layers, which do not change, the head's entry (or a tombstone) is staged again.
    async fn try_reset_path(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
        request: &Request<'_>,
    ) -> Result<Option<Error>> {
        let at = BranchAddress { repository: repository.clone(), branch: branch.clone() };
        let path = Bytes::copy_from_slice(path.as_bytes());
        let ahead = Ahead { requests: vec![request.key()], paths: vec![(0, path.clone())] };
        let mut staging = match self.begin_staging(&[at], &ahead).await? {
            Ok(staging) => staging,
            Err(lost) => return Ok(Some(lost)),
        };
        if request.replay(self, &*staging.txn).await?.is_some() {
            return Ok(None);
        }
        let Entered { repository, record, .. } = &staging.branches[0];
        repository.protection.check(&repository.name, branch, Touch::Write)?;
        let head = self.load_commit(&staging.txn, repository, &record.head).await?.metarange;
        let committed = PathState::Committed { tree: head, at: None };
        let old = staged_states(&staging.txn, record, std::slice::from_ref(&path)).await?.remove(0);
        if old != committed {
            let new = match record.sealed.is_empty() && record.base == head {
                true => committed,
                false => {
                    let view = View::committed(head, self.ranges(repository).await?);
                    PathState::staged(view.get(&staging.txn, &path).await?.map(|record| record.value))
                }
            };
            staging.step(self, Step { on: 0, path, old, new }, request.by());
        }
        request.record(self, &mut *staging.txn, Answer::Done);
        staging.finish(branch.as_str()).await
    }
}
