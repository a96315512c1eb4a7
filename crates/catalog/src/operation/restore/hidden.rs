//! What is restored, while nothing refers to it: under a repository id that only a clean-up record knows.
//!
//! The record is written first. It says when the restore last gave a sign of life, is put again with every batch, and goes
//! in the transaction that lets the repository be seen. A clean-up that finds it too old exchanges it for that of a deleted
//! repository; since each side writes the record, only one of them gets through.

use std::sync::Arc;
use std::time::Duration;

use braid_kv::{Snapshot, Transaction};
use braid_types::{Code, Error, RepositoryId, Result, Time};
use bytes::Bytes;

use crate::catalog::{Catalog, finish};
use crate::lease::Lease;
use crate::mutation::Attempts;
use crate::record::RepositoryRecord;
use crate::record::dropped::{self, Dropped};

/// A restore that gave no sign of life for so long is dead.
const SILENCE: Duration = Duration::from_secs(3600);

/// A repository that is being restored, and cannot be seen.
pub(super) struct Hidden {
    pub(super) catalog: Catalog,
    /// As it will be.
    pub(super) repository: RepositoryRecord,
}

impl Hidden {
    pub(super) async fn begin(&self) -> Result<()> {
        let mut txn = self.catalog.begin().await?;
        txn.insert(self.key(), dropped::encode(self.catalog.now()));
        finish(txn, self.repository.name.as_str()).await?.map_or(Ok(()), Err)
    }

    /// Puts rows. They may be put more than once.
    pub(super) async fn put(&self, rows: &[(Bytes, Bytes)]) -> Result<()> {
        let mut attempts = Attempts::new(&self.catalog);
        loop {
            let mut txn = self.catalog.begin().await?;
            self.refuse_dead(txn.get(&self.key()).await?.as_ref())?;
            txn.put(self.key(), dropped::encode(self.catalog.now()));
            for (key, value) in rows {
                txn.put(key.clone(), value.clone());
            }
            match finish(txn, self.repository.name.as_str()).await {
                Ok(None) => return Ok(()),
                Ok(Some(lost)) => attempts.again(&self.catalog, lost).await?,
                Err(unknown) if unknown.code() == Code::OutcomeUnknown => {
                    attempts.again(&self.catalog, unknown).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// A state in which everything is there that was put.
    pub(super) async fn snapshot(&self) -> Result<Arc<dyn Snapshot>> {
        let snapshot = self.catalog.snapshot().await?;
        self.refuse_dead(snapshot.get(&self.key()).await?.as_ref())?;
        Ok(snapshot)
    }

    /// Lets go of the clean-up record in the transaction that lets the repository be seen.
    pub(super) async fn reveal(&self, txn: &mut dyn Transaction) -> Result<()> {
        self.refuse_dead(txn.get(&self.key()).await?.as_ref())?;
        txn.delete(self.key());
        Ok(())
    }

    /// Leaves everything to the clean-up.
    pub(super) async fn give_up(&self) -> Result<()> {
        self.catalog.give_up_restore(self.repository.id, None, |_| true).await
    }

    fn refuse_dead(&self, last_sign: Option<&Bytes>) -> Result<()> {
        if last_sign.is_some() {
            return Ok(());
        }
        let name = self.repository.name.as_str();
        let message =
            format!("the restore of repository '{name}' rested for more than {SILENCE:?} and was given up");
        Err(Error::new(Code::Conflict, name, message))
    }

    fn key(&self) -> Bytes {
        Dropped::Restore(self.repository.id).key()
    }
}

impl Catalog {
    /// Makes of a restore that gave no sign of life a deleted repository.
    pub(in crate::operation) async fn clean_up_restore(&self, id: RepositoryId, lease: &Lease) -> Result<()> {
        self.give_up_restore(id, Some(lease), |last_sign| self.now() >= last_sign.plus(SILENCE)).await
    }

    async fn give_up_restore(
        &self,
        id: RepositoryId,
        lease: Option<&Lease>,
        is_due: impl Fn(Time) -> bool,
    ) -> Result<()> {
        let restore = Dropped::Restore(id).key();
        let mut txn = self.begin().await?;
        if let Some(lease) = lease {
            lease.check(&mut *txn).await?;
        }
        match txn.get(&restore).await? {
            Some(last_sign) if is_due(dropped::decode(&last_sign)?) => {}
            _ => return Ok(()),
        }
        txn.delete(restore);
        txn.put(Dropped::Repository(id).key(), dropped::encode(self.now()));
        // Whoever came first did this, or is alive.
        finish(txn, "clean-up").await.map(|_| ())
    }
}
