//! Sealing: the open layer becomes immutable and a fresh one takes the writes.

use braid_kv::ScanOptions;
use braid_types::{BranchName, Code, Error, LayerId, Result};

use super::repositories::lock_branch;
use crate::catalog::{Catalog, finish, load_branch};
use crate::mutation::Attempts;
use crate::record::{self, BranchRecord, Layer, OpenLayer, RepositoryRecord, SealedLayer, staged};
use crate::view::Reads;

impl Catalog {
    /// Seals the open layer of a branch if anything is staged in it. Afterwards, everything that was acknowledged
    /// before the call is in a sealed layer or in the base.
    pub(crate) async fn seal(&self, repository: &RepositoryRecord, branch: &BranchName) -> Result<()> {
        let mut attempts = Attempts::new(self);
        loop {
            let snapshot = self.snapshot().await?;
            let open = load_branch(&snapshot, repository, branch).await?.open;
            if is_empty(&snapshot, &open).await? {
                return Ok(());
            }
            let mut txn = self.begin_exclusive().await?;
            // The branch record first: whoever else would seal or move the branch waits here.
            let record = lock_branch(self, &mut *txn, repository, branch).await?;
            let held = record.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
            let record = self.with_sealed_layer(record);
            held.seal(&mut *txn);
            txn.put(record::branch::key(&repository.id, branch), record.encode());
            match sealed(finish(txn, branch.as_str()).await)? {
                None => {
                    self.hints().note(repository, branch, &record);
                    return Ok(());
                }
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// The branch with its open layer sealed, and a fresh one.
    pub(super) fn with_sealed_layer(&self, mut record: BranchRecord) -> BranchRecord {
        record.sealed.push(self.new_layer(Layer::Staged(record.open.token)));
        record.open = self.fresh_layer();
        record
    }

    pub(super) fn new_layer(&self, layer: Layer) -> SealedLayer {
        SealedLayer { id: LayerId::random(self.random()), layer }
    }
}

/// How a sealing transaction ended, for a caller that tries again. Where that is not known, a second try does no harm: it
/// seals what is open then, or finds nothing there.
pub(super) fn sealed(ended: Result<Option<Error>>) -> Result<Option<Error>> {
    match ended {
        Err(unknown) if unknown.code() == Code::OutcomeUnknown => Ok(Some(unknown)),
        ended => ended,
    }
}

/// Whether nothing is staged in an open layer.
pub(super) async fn is_empty(reads: &dyn Reads, open: &OpenLayer) -> Result<bool> {
    let first = reads.scan(&staged::range(&open.token), ScanOptions::first(1).keys_only()).await?;
    Ok(first.is_empty())
}

/// Whether nothing at all is uncommitted on a branch. Certain only in a transaction that holds the open layer's fence.
pub(super) async fn is_clean(reads: &dyn Reads, record: &BranchRecord) -> Result<bool> {
    Ok(record.sealed.is_empty() && is_empty(reads, &record.open).await?)
}
