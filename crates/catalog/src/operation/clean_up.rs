//! Cleaning up: dropped staging tokens, deleted repositories, restores that broke off, expired request records.
//!
//! Each step may be repeated and may stop anywhere: what is left is found again by the next run. Of all nodes one does it, under
//! a [lease](crate::lease) that every one of its transactions checks.
//!
//! A staging token goes in steps. Its [change log](change_log) is moved out. What was staged under it is destroyed once no snapshot can see it; the store first
//! resolves every lock that a dead transaction left anywhere, since one of them may have its decisive key there. The fence
//! stays longer: a writer that wakes up late must find the token sealed.

mod change_log;

use braid_kv::{KeyRange, ScanOptions, Transaction};
use braid_types::{RepositoryId, Result, StagingToken, Time};
use bytes::Bytes;

use crate::catalog::{Catalog, finish};
use crate::lease::{Lease, Task};
use crate::record::dropped::{self, Dropped, DroppedToken};
use crate::record::request::{self, RequestRecord};
use crate::record::{self, BranchRecord, staged};

/// Rows looked at in one transaction or scan.
const BATCH: usize = 1000;

/// What errors of the clean-up's own transactions name.
const SUBJECT: &str = "clean-up";

/// What a run of the clean-up did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanUpReport {
    /// Rows of change logs moved out of staging tokens.
    pub changes: usize,
    /// Staging tokens whose content was destroyed.
    pub tokens: usize,
    /// Fences destroyed, each some time after what it guarded.
    pub fences: usize,
    /// Deleted repositories whose records were removed.
    pub repositories: usize,
    /// Request records removed.
    pub requests: usize,
}

/// Gives staging tokens of the branch under this key to the clean-up.
pub(super) fn drop_tokens(
    txn: &mut dyn Transaction,
    branch: &Bytes,
    tokens: impl IntoIterator<Item = StagingToken>,
    now: Time,
) {
    for token in tokens {
        txn.put(Dropped::Token(token).key(), DroppedToken::of(branch, now).encode());
    }
}

impl Catalog {
    /// Cleans up what is due, unless it is another node's to do: then there is no report.
    ///
    /// # Errors
    /// [`Code::Conflict`](braid_types::Code::Conflict) when another node took over meanwhile: from then on nothing was done.
    pub async fn clean_up(&self) -> Result<Option<CleanUpReport>> {
        match self.take_lease(Task::CleanUp).await? {
            Some(lease) => self.clean_up_under(lease).await.map(Some),
            None => Ok(None),
        }
    }

    /// Cleans up what is due while `lease` holds.
    pub(crate) async fn clean_up_under(&self, lease: Lease) -> Result<CleanUpReport> {
        let mut run = Run { catalog: self, lease };
        let mut report = CleanUpReport::default();
        let mut range = dropped::range();
        loop {
            let rows = self.snapshot().await?.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            range = range.after(last);
            for (key, value) in &rows {
                run.lease.keep(self).await?;
                run.clean_up(Dropped::parse_key(key)?, value, &mut report).await?;
            }
        }
        run.lease.keep(self).await?;
        report.requests = run.expire_requests().await?;
        Ok(report)
    }
}

/// A run of the clean-up, for as long as its lease holds.
struct Run<'a> {
    catalog: &'a Catalog,
    lease: Lease,
}

impl Run<'_> {
    async fn clean_up(&mut self, dropped: Dropped, value: &[u8], report: &mut CleanUpReport) -> Result<()> {
        let (settings, now, at) = (&self.catalog.settings, self.catalog.now(), dropped::decode(value)?);
        match dropped {
            Dropped::Token(token) if now >= at.plus(settings.destroy_delay) => {
                // No snapshot is as old as the token's last writer: all rows are there.
                report.changes += self.move_changes(token, DroppedToken::decode(value)?).await?;
                self.destroy_content(token).await?;
                report.tokens += 1;
            }
            Dropped::Fence(token) if now >= at.plus(settings.fence_delay) => {
                self.destroy_fence(token).await?;
                report.fences += 1;
            }
            Dropped::Token(_) | Dropped::Fence(_) => {}
            Dropped::Restore(id) => self.catalog.clean_up_restore(id, &self.lease).await?,
            Dropped::Repository(id) => {
                self.remove_repository(&id).await?;
                report.repositories += 1;
            }
        }
        Ok(())
    }

    /// Destroys what was staged under a token: no snapshot is old enough to see it any more. Its fence stays.
    async fn destroy_content(&self, token: StagingToken) -> Result<()> {
        self.destroy(staged::content_range(&token)).await?;
        let mut txn = self.begin().await?;
        txn.delete(Dropped::Token(token).key());
        txn.put(Dropped::Fence(token).key(), dropped::encode(self.catalog.now()));
        self.commit(txn).await
    }

    async fn destroy_fence(&self, token: StagingToken) -> Result<()> {
        self.destroy(staged::fence_range(&token)).await?;
        self.forget(Dropped::Fence(token)).await
    }

    /// Destroys a range if the lease still holds. A holder that is paused in between destroys it late: nothing refers to the
    /// range, and nothing ever will.
    async fn destroy(&self, range: KeyRange) -> Result<()> {
        self.commit(self.begin().await?).await?;
        Ok(self.catalog.parts.kv.destroy(range).await?)
    }

    /// Removes a deleted repository's refs and commits; the tokens of its branches are dropped in the transactions
    /// that remove the branches.
    async fn remove_repository(&self, id: &RepositoryId) -> Result<()> {
        let now = self.catalog.now();
        self.remove_rows(&record::branch::range(id, ""), |txn, value| {
            for token in BranchRecord::decode(value)?.tokens() {
                txn.put(Dropped::Token(token).key(), dropped::encode(now));
            }
            Ok(())
        })
        .await?;
        self.remove_rows(&record::tag::range(id, ""), |_, _| Ok(())).await?;
        self.remove_rows(&record::commit::range(id), |_, _| Ok(())).await?;
        self.remove_rows(&record::repository::fence_range(id), |_, _| Ok(())).await?;
        self.remove_rows(&record::setting::range(id), |_, _| Ok(())).await?;
        self.remove_rows(&record::import::range(Some(id)), |_, _| Ok(())).await?;
        self.remove_rows(&record::pull::range(id, ""), |_, _| Ok(())).await?;
        self.remove_rows(&record::ref_change::range(id), |_, _| Ok(())).await?;
        // The last: as long as there is a branch, rows may come.
        self.remove_rows(&record::moved_change::range(id), |_, _| Ok(())).await?;
        self.forget(Dropped::Repository(*id)).await
    }

    async fn remove_rows(
        &self,
        range: &KeyRange,
        also: impl Fn(&mut dyn Transaction, &Bytes) -> Result<()> + Send + Sync,
    ) -> Result<()> {
        loop {
            let mut txn = self.begin().await?;
            let rows = txn.scan(range, ScanOptions::first(BATCH)).await?;
            if rows.is_empty() {
                return Ok(());
            }
            for (key, value) in rows {
                also(&mut *txn, &value)?;
                txn.delete(key);
            }
            self.commit(txn).await?;
        }
    }

    async fn forget(&self, dropped: Dropped) -> Result<()> {
        let mut txn = self.begin().await?;
        txn.delete(dropped.key());
        self.commit(txn).await
    }

    async fn expire_requests(&self) -> Result<usize> {
        let mut removed = 0;
        let mut range = request::range();
        loop {
            let mut txn = self.begin().await?;
            let rows = txn.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else {
                return Ok(removed);
            };
            range = range.after(last);
            let mut expired = 0;
            for (key, value) in &rows {
                if RequestRecord::decode(value)?.expires <= self.catalog.now() {
                    txn.delete(key.clone());
                    expired += 1;
                }
            }
            // A record that is being written again at this moment is left for the next run.
            if expired > 0 && finish(txn, SUBJECT).await?.is_none() {
                removed += expired;
            }
        }
    }

    /// A transaction that commits only while the lease holds.
    async fn begin(&self) -> Result<Box<dyn Transaction>> {
        let mut txn = self.catalog.begin().await?;
        self.lease.check(&mut *txn).await?;
        Ok(txn)
    }

    async fn commit(&self, txn: Box<dyn Transaction>) -> Result<()> {
        finish(txn, SUBJECT).await?.map_or(Ok(()), Err)
    }
}
