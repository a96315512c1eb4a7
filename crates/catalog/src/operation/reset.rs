//! Reset: uncommitted changes are dropped, all of them or those of a path or prefix.

use std::collections::BTreeSet;

use braid_types::{BranchName, Code, Error, ObjectPath, PathPrefix, RepositoryName, Result, limits};
use bytes::Bytes;

use super::repositories::lock_branch;
use super::stage::{Ahead, BranchAddress, Entered, Staging, Step, staged_state};
use crate::catalog::{Catalog, finish, load_writable};
use crate::mutation::{Attempts, Mutation, Request};
use crate::protection::Touch;
use crate::record::dropped::{self, Dropped};
use crate::record::path_change::PathState;
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::{self, BranchRecord, staged};
use crate::view::{Reads, View};

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
                _ => self.try_reset_paths(repository, branch, scope, &request).await?,
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
        for token in current.tokens() {
            txn.put(Dropped::Token(token).key(), dropped::encode(self.now()));
        }
        let head = self.load_commit(&txn, &repository, &current.head).await?;
        let record =
            BranchRecord { base: head.metarange, sealed: Vec::new(), open: self.fresh_layer(), ..current };
        txn.put(record::branch::key(&repository.id, branch), record.encode());
        let head = Some(record.head);
        let what = RefMove::new(RefEvent::BranchReset, branch.as_str(), head, head);
        request.log(self, &mut *txn, &repository.id, what);
        request.record(self, &mut *txn, Answer::Done);
        finish(txn, branch.as_str()).await
    }

    async fn try_reset_paths(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        scope: &ResetScope,
        request: &Request<'_>,
    ) -> Result<Option<Error>> {
        let at = BranchAddress { repository: repository.clone(), branch: branch.clone() };
        let ahead = Ahead { requests: vec![request.key()], ..Ahead::default() };
        let mut staging = match self.begin_staging(&[at], &ahead).await? {
            Ok(staging) => staging,
            Err(lost) => return Ok(Some(lost)),
        };
        if request.replay(self, &*staging.txn).await?.is_some() {
            return Ok(None);
        }
        let Entered { repository, branch: name, .. } = &staging.branches[0];
        repository.protection.check(&repository.name, name, Touch::Write)?;
        for path in staged_paths(&staging.txn, &staging.branches[0].record, scope).await? {
            self.reset_path(&mut staging, path, request).await?;
        }
        request.record(self, &mut *staging.txn, Answer::Done);
        staging.finish(branch.as_str()).await
    }

    /// Makes the branch show at `path` what its head has there. A path that only the open layer mentions is simply
    /// forgotten; above sealed layers, which do not change, the head's entry (or a tombstone) is staged again.
    async fn reset_path(&self, staging: &mut Staging, path: Bytes, request: &Request<'_>) -> Result<()> {
        let Entered { repository, record, .. } = &staging.branches[0];
        let head = self.load_commit(&staging.txn, repository, &record.head).await?;
        let old = staged_state(&staging.txn, record, &path).await?;
        let new = if record.sealed.is_empty() && record.base == head.metarange {
            PathState::Committed(record.base)
        } else {
            let ranges = self.ranges(repository).await?;
            let committed = View::committed(head.metarange, ranges).get(&staging.txn, &path).await?;
            PathState::staged(committed.map(|record| record.value))
        };
        staging.step(self, Step { on: 0, path, old, new }, request.by());
        Ok(())
    }
}

/// The paths within `scope` that any layer of the branch mentions.
async fn staged_paths(
    reads: &dyn Reads,
    record: &BranchRecord,
    scope: &ResetScope,
) -> Result<BTreeSet<Bytes>> {
    let mut paths = BTreeSet::new();
    for token in record.tokens() {
        match scope {
            ResetScope::All => {}
            ResetScope::Path(path) => {
                let found = reads.get(&staged::key(&token, path.as_bytes())).await?;
                paths.extend(found.map(|_| Bytes::copy_from_slice(path.as_bytes())));
            }
            ResetScope::Prefix(prefix) => {
                let range = staged::prefix_range(&token, prefix.as_bytes());
                let options = braid_kv::ScanOptions::first(limits::TRANSACTION_OPERATIONS + 1).keys_only();
                for (key, _) in reads.scan(&range, options).await? {
                    paths.insert(staged::parse_key(&token, &key)?);
                }
            }
        }
    }
    if paths.len() > limits::TRANSACTION_OPERATIONS {
        let message = format!(
            "more than {} paths would be reset; reset a longer prefix, or the whole branch",
            limits::TRANSACTION_OPERATIONS
        );
        return Err(Error::new(Code::LimitExceeded, "reset", message));
    }
    Ok(paths)
}
