//! Moving the change log of a dropped staging token to where it outlives the token.
//!
//! Rows are copied in batches, in the order of their keys; each batch is one transaction under the lease, which also notes how
//! far it got. The token is destroyed only after its last row was copied, so a run that dies anywhere loses nothing, and the
//! next one goes on behind the last batch. A batch that is copied twice is the same rows under the same keys.

use braid_kv::{ScanOptions, Transaction};
use braid_types::{Result, StagingToken};
use bytes::Bytes;

use super::Run;
use crate::record;
use crate::record::dropped::{Dropped, DroppedToken};
use crate::record::moved_change::{Origin, Owner};
use crate::record::path_change;

/// Rows of a batch.
const BATCH_ROWS: usize = 256;
/// A batch takes no more rows once its values have so many bytes.
const BATCH_BYTES: usize = 4 << 20;

impl Run<'_> {
    /// Moves out what is left of a token's change log; says how many rows.
    pub(super) async fn move_changes(
        &mut self,
        token: StagingToken,
        mut dropped: DroppedToken,
    ) -> Result<usize> {
        let Some(owner) = dropped.branch.as_ref().map(|key| Owner::of_branch(key)).transpose()? else {
            return Ok(0);
        };
        let mut count = 0;
        loop {
            self.lease.keep(self.catalog).await?;
            let mut txn = self.begin().await?;
            let rows = next_rows(&*txn, token, dropped.moved.as_ref()).await?;
            let Some((last, _)) = rows.last() else {
                return Ok(count);
            };
            if !is_alive(&*txn, &owner).await? {
                return Ok(count);
            }
            dropped.moved = Some(last.clone());
            count += rows.len();
            for (key, value) in rows {
                let (lane, number) = path_change::parse_key(&token, &key)?;
                let stamp = path_change::stamp(&value)?;
                txn.put(owner.key(stamp, Origin { token, lane, number }), value);
            }
            txn.put(Dropped::Token(token).key(), dropped.encode());
            self.commit(txn).await?;
        }
    }
}

/// Whether the owner's repository is there. One that is being removed has no branches, and its log goes with it.
async fn is_alive(txn: &dyn Transaction, owner: &Owner) -> Result<bool> {
    let branches = record::branch::range(&owner.repository, "");
    Ok(!txn.scan(&branches, ScanOptions::first(1).keys_only()).await?.is_empty())
}

/// The rows after `moved` that make the next batch.
async fn next_rows(
    txn: &dyn Transaction,
    token: StagingToken,
    moved: Option<&Bytes>,
) -> Result<Vec<(Bytes, Bytes)>> {
    let all = path_change::range(&token);
    let range = moved.map_or(all.clone(), |moved| all.after(moved));
    let mut rows = txn.scan(&range, ScanOptions::first(BATCH_ROWS)).await?;
    let mut bytes = 0;
    let fits = |(_, value): &&(Bytes, Bytes)| {
        bytes += value.len();
        bytes <= BATCH_BYTES
    };
    let fitting = rows.iter().take_while(fits).count();
    rows.truncate(fitting.max(1));
    Ok(rows)
}
