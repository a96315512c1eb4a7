//! Sealing several branches at once: what several branches hold is divided at one point in time.

use std::collections::BTreeMap;

use braid_types::{BranchName, Result};
use bytes::Bytes;

use super::repositories::lock_branch;
use super::seal::{is_empty, sealed};
use crate::catalog::{Catalog, finish};
use crate::mutation::Attempts;
use crate::record::RepositoryRecord;

/// Branches by their keys: in this order they are locked.
pub(super) type Branches = BTreeMap<Bytes, (RepositoryRecord, BranchName)>;

impl Catalog {
    /// Seals, in one transaction, the open layer of every one of these branches in which anything is staged. A transaction
    /// over several of them is in the sealed layers of all of them or of none.
    pub(super) async fn seal_all(&self, branches: &Branches) -> Result<()> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin_exclusive().await?;
            let mut changed = Vec::new();
            for (key, (repository, name)) in branches {
                let record = lock_branch(self, &mut *txn, repository, name).await?;
                let held = record.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
                if is_empty(&txn, &record.open).await? {
                    held.keep_open(&mut *txn);
                    continue;
                }
                held.seal(&mut *txn);
                let record = self.with_sealed_layer(record);
                txn.put(key.clone(), record.encode());
                changed.push((repository, name, record));
            }
            let Some((_, first, _)) = changed.first() else {
                return Ok(());
            };
            match sealed(finish(txn, first.as_str()).await)? {
                None => {
                    for (repository, name, record) in changed {
                        self.hints().note(repository, name, &record);
                    }
                    return Ok(());
                }
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}
