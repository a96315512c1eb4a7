//! Sealing several branches at once: what several branches hold is divided at one point in time.

use std::collections::BTreeMap;

use braid_types::{BranchName, LayerId, Result};
use bytes::Bytes;

use super::repositories::lock_branch;
use super::seal::{is_empty, sealed};
use crate::catalog::{Catalog, finish};
use crate::mutation::Attempts;
use crate::record::{BranchRecord, RepositoryRecord};
use crate::view::Reads;

/// Branches by their keys: in this order they are locked.
pub(super) type Branches = BTreeMap<Bytes, (RepositoryRecord, BranchName)>;

/// Where branches were divided at one moment: by their keys, the newest layer that each had sealed then, if it had any. Layers
/// that others seal later are not of that moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Cut(BTreeMap<Bytes, Option<LayerId>>);

impl Cut {
    fn note(&mut self, key: &Bytes, record: &BranchRecord) {
        self.0.insert(key.clone(), record.sealed.last().map(|layer| layer.id));
    }

    /// Whether every layer of the cut is still a layer of its branch: a commit or a fold of others takes it away, and may
    /// take what is newer with it.
    pub(super) async fn is_whole(&self, reads: &dyn Reads) -> Result<bool> {
        let keys: Vec<Bytes> = self.0.keys().cloned().collect();
        let rows = reads.get_many(&keys).await?;
        for (row, newest) in rows.into_iter().zip(self.0.values()) {
            let record = row.map(|row| BranchRecord::decode(&row)).transpose()?;
            // A branch that is gone is missed where it is needed.
            if record.is_some_and(|record| depth(&record, *newest).is_none()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Leaves in a branch's record those sealed layers that are of the cut, which is whole, if the branch has a part in it.
    pub(super) fn apply(&self, key: &Bytes, record: &mut BranchRecord) {
        if let Some(newest) = self.0.get(key) {
            record
                .sealed
                .truncate(depth(record, *newest).expect("the cut was seen to be whole in this state"));
        }
    }
}

/// How many of a branch's sealed layers there are up to and with this one.
fn depth(record: &BranchRecord, newest: Option<LayerId>) -> Option<usize> {
    match newest {
        None => Some(0),
        Some(id) => record.sealed.iter().position(|layer| layer.id == id).map(|at| at + 1),
    }
}

impl Catalog {
    /// Seals, in one transaction, the open layer of every one of these branches in which anything is staged. A transaction
    /// over several of them is in the sealed layers of all of them or of none, as far as they are of the cut that this gives.
    pub(super) async fn seal_all(&self, branches: &Branches) -> Result<Cut> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin_exclusive().await?;
            let (mut changed, mut cut) = (Vec::new(), Cut::default());
            for (key, (repository, name)) in branches {
                let record = lock_branch(self, &mut *txn, repository, name).await?;
                let held = record.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
                if is_empty(&txn, &record.open).await? {
                    held.keep_open(&mut *txn);
                    cut.note(key, &record);
                    continue;
                }
                held.seal(&mut *txn);
                let record = self.with_sealed_layer(record);
                cut.note(key, &record);
                txn.put(key.clone(), record.encode());
                changed.push((repository, name, record));
            }
            let Some((_, first, _)) = changed.first() else {
                return Ok(cut);
            };
            match sealed(finish(txn, first.as_str()).await)? {
                None => {
                    for (repository, name, record) in changed {
                        self.hints().note(repository, name, &record);
                    }
                    return Ok(cut);
                }
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}
