//! What a TiKV store does with keys: locks, versions and the rules between them, as a plain struct in memory.
//!
//! Every command is decided on the rows as they are and then applied whole, or refused and nothing changes. Callers hold
//! one lock around a command, so there are no latches here and no table of locks in the making. Values stand in locks and
//! versions themselves; the data column of a real store only keeps long values apart.
//!
//! Commands that read bump the store's *greatest timestamp seen*, from which commit timestamps of one-phase and async
//! commits are chosen; it is passed in, since it belongs to a store and rows to all replicas.

mod commit;
mod pessimistic;
mod prewrite;
mod read;
mod refusal;
mod row;
mod status;
mod sweep;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

pub(crate) use pessimistic::PessimisticLock;
pub(crate) use prewrite::{Check, Mutation, MutationKind, Prewrite};
pub(crate) use read::{Scan, View};
pub(crate) use refusal::{Abort, Conflict, ConflictReason, Refusal};
pub(crate) use row::{Fate, Lock, LockKind};
pub(crate) use status::{CheckTxn, Secondaries, TxnAction, TxnStatus};

use row::Row;

/// Bits of a timestamp below its milliseconds.
const LOGICAL_BITS: u32 = 18;

/// The milliseconds of a timestamp.
pub(crate) fn physical(timestamp: u64) -> u64 {
    timestamp >> LOGICAL_BITS
}

/// The timestamp at the beginning of a millisecond.
pub(crate) const fn at_millisecond(milliseconds: u64) -> u64 {
    milliseconds << LOGICAL_BITS
}

/// Keys from the first up to, not including, the second; an empty second is no bound.
pub(crate) type Range<'a> = (&'a [u8], &'a [u8]);

/// The rows of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Mvcc {
    rows: BTreeMap<Bytes, Row>,
}

impl Mvcc {
    fn row(&self, key: &[u8]) -> Option<&Row> {
        self.rows.get(key)
    }

    fn lock(&self, key: &[u8]) -> Option<&Lock> {
        self.row(key)?.lock.as_ref()
    }

    fn row_mut(&mut self, key: &Bytes) -> &mut Row {
        self.rows.entry(key.clone()).or_default()
    }

    fn range(&self, range: Range<'_>) -> impl DoubleEndedIterator<Item = (&Bytes, &Row)> {
        let bounds = bounds(range);
        self.rows.range::<[u8], _>(bounds)
    }

    /// Keys of a range that are locked by a transaction.
    fn locked_by(&self, start: u64, range: Range<'_>) -> Vec<Bytes> {
        let held = |row: &Row| row.lock.as_ref().is_some_and(|lock| lock.start == start);
        self.range(range).filter(|(_, row)| held(row)).map(|(key, _)| key.clone()).collect()
    }

    /// The transaction that holds a key.
    pub(crate) fn holder(&self, key: &[u8]) -> Option<u64> {
        self.lock(key).map(|lock| lock.start)
    }

    /// What became of a transaction on a key.
    pub(crate) fn fate(&self, key: &[u8], start: u64) -> Fate {
        self.row(key).map_or(Fate::Unknown, |row| row.fate(start))
    }

    /// The newest committed value of a key.
    pub(crate) fn committed(&self, key: &[u8]) -> Option<Bytes> {
        self.row(key)?.value(u64::MAX).cloned()
    }

    /// How many keys a range holds in any version or lock, and the one in the middle of them.
    pub(crate) fn middle(&self, range: Range<'_>) -> (usize, Option<Bytes>) {
        let count = self.range(range).count();
        (count, self.range(range).nth(count / 2).map(|(key, _)| key.clone()))
    }
}

/// Bounds that no range of a map panics on.
fn bounds<'a>((start, end): Range<'a>) -> (Bound<&'a [u8]>, Bound<&'a [u8]>) {
    let end = match end {
        [] => Bound::Unbounded,
        end => Bound::Excluded(end.max(start)),
    };
    (Bound::Included(start), end)
}
