//! What garbage collection needs: finding old locks, dropping old versions, dropping ranges.

use bytes::Bytes;

use super::row::{Row, WriteKind};
use super::{Lock, Mvcc, Range};

impl Mvcc {
    /// The first `limit` (0: all) locks of a range whose transactions began at `max_start` or before.
    pub(crate) fn scan_locks(&self, range: Range<'_>, max_start: u64, limit: usize) -> Vec<(Bytes, Lock)> {
        let limit = if limit == 0 { usize::MAX } else { limit };
        let locks = self.range(range).filter_map(|(key, row)| Some((key, row.lock.as_ref()?)));
        let old = locks.filter(|(_, lock)| lock.start <= max_start);
        old.take(limit).map(|(key, lock)| (key.clone(), lock.clone())).collect()
    }

    /// Drops the versions of a range that no reader at `safe_point` or later can see.
    pub(crate) fn collect_garbage(&mut self, range: Range<'_>, safe_point: u64) {
        let keys: Vec<Bytes> = self.range(range).map(|(key, _)| key.clone()).collect();
        for key in keys {
            collect_row(self.row_mut(&key), safe_point);
            self.prune(&key);
        }
    }

    /// Drops all locks and versions of a range.
    pub(crate) fn destroy(&mut self, range: Range<'_>) {
        let keys: Vec<Bytes> = self.range(range).map(|(key, _)| key.clone()).collect();
        for key in keys {
            self.rows.remove(&key);
        }
    }
}

fn collect_row(row: &mut Row, safe_point: u64) {
    let newest = row.version(safe_point).map(|(commit, _)| commit);
    row.writes.retain(|&commit, _| commit > safe_point || Some(commit) == newest);
    debug_assert!(newest.is_none_or(|commit| row.writes[&commit].kind == WriteKind::Put));
}
