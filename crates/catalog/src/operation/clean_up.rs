//! Cleaning up: dropped staging tokens, deleted repositories, restores that broke off, expired request records.
//!
//! Each step may be repeated and may stop anywhere: what is left is found again by the next run.

use braid_kv::{KeyRange, ScanOptions, Transaction};
use braid_types::{RepositoryId, Result, StagingToken, Time};
use bytes::Bytes;

use crate::catalog::{Catalog, finish};
use crate::record::dropped::{self, Dropped};
use crate::record::request::{self, RequestRecord};
use crate::record::{self, BranchRecord, staged};

/// Rows looked at in one transaction or scan.
const BATCH: usize = 1000;

/// What a run of the clean-up did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CleanUpReport {
    /// Staging tokens destroyed.
    pub tokens: usize,
    /// Deleted repositories whose records were removed.
    pub repositories: usize,
    /// Request records removed.
    pub requests: usize,
}

impl Catalog {
    /// Cleans up what is due.
    pub async fn clean_up(&self) -> Result<CleanUpReport> {
        let mut report = CleanUpReport::default();
        let mut range = dropped::range();
        loop {
            let rows = self.snapshot().await?.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else {
                break;
            };
            range = range.after(last);
            for (key, value) in &rows {
                self.clean_up_one(Dropped::parse_key(key)?, dropped::decode(value)?, &mut report).await?;
            }
        }
        report.requests = self.expire_requests().await?;
        Ok(report)
    }

    async fn clean_up_one(&self, dropped: Dropped, at: Time, report: &mut CleanUpReport) -> Result<()> {
        match dropped {
            Dropped::Token(token) if self.now() >= at.plus(self.settings.destroy_delay) => {
                self.destroy_token(&token).await?;
                report.tokens += 1;
            }
            Dropped::Token(_) => {}
            Dropped::Restore(id) => self.clean_up_restore(id).await?,
            Dropped::Repository(id) => {
                self.remove_repository(&id).await?;
                report.repositories += 1;
            }
        }
        Ok(())
    }

    /// Destroys all that is under a token, then forgets it. No snapshot is old enough to see the token any more.
    async fn destroy_token(&self, token: &StagingToken) -> Result<()> {
        self.parts.kv.destroy(staged::token_range(token)).await?;
        self.forget(Dropped::Token(*token)).await
    }

    /// Removes a deleted repository's refs and commits; the tokens of its branches are dropped in the transactions
    /// that remove the branches.
    async fn remove_repository(&self, id: &RepositoryId) -> Result<()> {
        self.remove_rows(&record::branch::range(id, ""), |txn, value| {
            for token in BranchRecord::decode(value)?.tokens() {
                txn.put(Dropped::Token(token).key(), dropped::encode(self.now()));
            }
            Ok(())
        })
        .await?;
        self.remove_rows(&record::tag::range(id, ""), |_, _| Ok(())).await?;
        self.remove_rows(&record::commit::range(id), |_, _| Ok(())).await?;
        self.remove_rows(&record::repository::fence_range(id), |_, _| Ok(())).await?;
        self.remove_rows(&record::setting::range(id), |_, _| Ok(())).await?;
        self.remove_rows(&record::ref_change::range(id), |_, _| Ok(())).await?;
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
            if let Some(lost) = finish(txn, "clean-up").await? {
                return Err(lost);
            }
        }
    }

    async fn forget(&self, dropped: Dropped) -> Result<()> {
        let mut txn = self.begin().await?;
        txn.delete(dropped.key());
        finish(txn, "clean-up").await?.map_or(Ok(()), Err)
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
                if RequestRecord::decode(value)?.expires <= self.now() {
                    txn.delete(key.clone());
                    expired += 1;
                }
            }
            // A record that is being written again at this moment is left for the next run.
            if expired > 0 && finish(txn, "clean-up").await?.is_none() {
                removed += expired;
            }
        }
    }
}
