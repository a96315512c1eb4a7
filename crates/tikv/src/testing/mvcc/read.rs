//! Reads at a timestamp.

use bytes::Bytes;

use super::row::Row;
use super::{Lock, LockKind, Mvcc, Range, Refusal};

/// What a reader sees: the versions up to a timestamp, and locks that it knows how to take.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) at: u64,
    /// Transactions whose locks do not count.
    pub(crate) resolved: Vec<u64>,
    /// Transactions whose locks count as committed.
    pub(crate) committed: Vec<u64>,
}

impl View {
    /// The versions up to a timestamp.
    #[cfg(test)]
    pub(crate) fn at(at: u64) -> Self {
        Self { at, ..Self::default() }
    }

    /// Whether the lock's transaction may yet commit at or before this view's timestamp, and then change the key.
    fn blocked_by(&self, lock: &Lock) -> bool {
        let changes = matches!(lock.kind, LockKind::Put | LockKind::Delete);
        changes && lock.start <= self.at && lock.min_commit <= self.at && !self.resolved.contains(&lock.start)
    }
}

/// A walk over a range.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scan<'a> {
    pub(crate) range: Range<'a>,
    /// Pairs, locked keys included.
    pub(crate) limit: usize,
    pub(crate) reverse: bool,
    pub(crate) key_only: bool,
}

impl Mvcc {
    /// The value of a key.
    pub(crate) fn get(&self, key: &Bytes, view: &View) -> Result<Option<Bytes>, Refusal> {
        match self.row(key) {
            Some(row) => read(key, row, view),
            None => Ok(None),
        }
    }

    /// The keys of a range that have a value, or are locked, in the order of the walk.
    pub(crate) fn scan(&self, scan: Scan<'_>, view: &View) -> Vec<(Bytes, Result<Bytes, Refusal>)> {
        let pair = |(key, row): (&Bytes, &Row)| {
            let value = read(key, row, view).transpose()?;
            let shown = |value| if scan.key_only { Bytes::new() } else { value };
            Some((key.clone(), value.map(shown)))
        };
        let rows = self.range(scan.range);
        if scan.reverse {
            rows.rev().filter_map(pair).take(scan.limit).collect()
        } else {
            rows.filter_map(pair).take(scan.limit).collect()
        }
    }
}

fn read(key: &Bytes, row: &Row, view: &View) -> Result<Option<Bytes>, Refusal> {
    match &row.lock {
        Some(lock) if view.blocked_by(lock) => through_lock(key, row, lock, view),
        _ => Ok(row.value(view.at).cloned()),
    }
}

fn through_lock(key: &Bytes, row: &Row, lock: &Lock, view: &View) -> Result<Option<Bytes>, Refusal> {
    if view.committed.contains(&lock.start) {
        return Ok((lock.kind == LockKind::Put).then(|| lock.value.clone()));
    }
    // The newest committed value of a primary is what a reader of "now" may have: its transaction is not committed.
    if view.at == u64::MAX && lock.primary == key && lock.secondaries.is_none() {
        return Ok(row.value(view.at).cloned());
    }
    Err(Refusal::locked(key, lock))
}
