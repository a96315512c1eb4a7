//! The second phase: commits and rollbacks, by key and by region.

use bytes::Bytes;

use super::row::Write;
use super::{Abort, Fate, Lock, LockKind, Mvcc, Range, Refusal};

impl Mvcc {
    /// Commits a transaction on `keys`, all or none. Done again it changes nothing.
    pub(crate) fn commit(&mut self, keys: &[Bytes], start: u64, commit: u64) -> Result<(), Refusal> {
        if commit <= start {
            return Err(Abort::InvalidTimestamps { start, commit }.into());
        }
        keys.iter().try_for_each(|key| self.check_commit(key, start, commit))?;
        keys.iter().for_each(|key| self.commit_key(key, start, commit));
        Ok(())
    }

    fn check_commit(&self, key: &Bytes, start: u64, commit: u64) -> Result<(), Refusal> {
        match self.lock(key).filter(|lock| lock.start == start) {
            Some(&Lock { min_commit, .. }) if commit < min_commit => {
                Err(Refusal::CommitExpired { start, attempted: commit, key: key.clone(), min_commit })
            }
            Some(_) => Ok(()),
            None => match self.fate(key, start) {
                Fate::Committed(_) => Ok(()),
                Fate::RolledBack | Fate::Unknown => Err(Refusal::TxnLockNotFound { start, key: key.clone() }),
            },
        }
    }

    fn commit_key(&mut self, key: &Bytes, start: u64, commit: u64) {
        let row = self.row_mut(key);
        if let Some(lock) = row.lock.take_if(|lock| lock.start == start)
            && let Some(write) = Write::of(&lock)
        {
            row.commit(commit, write);
        }
        self.prune(key);
    }

    /// Rolls a transaction back on `keys`, all or none, and records it, so that a late prewrite fails.
    pub(crate) fn roll_back(&mut self, keys: &[Bytes], start: u64) -> Result<(), Refusal> {
        keys.iter().try_for_each(|key| self.check_not_committed(key, start))?;
        keys.iter().for_each(|key| self.roll_back_key(key, start, false));
        Ok(())
    }

    fn check_not_committed(&self, key: &Bytes, start: u64) -> Result<(), Refusal> {
        match self.fate(key, start) {
            Fate::Committed(commit) => Err(Abort::Committed { start, commit, key: key.clone() }.into()),
            Fate::RolledBack | Fate::Unknown => Ok(()),
        }
    }

    /// Rolls a transaction back on one key, unless its lock still lives at `current` (0: whatever its time), with a
    /// record that stays.
    pub(crate) fn clean_up(&mut self, key: &Bytes, start: u64, current: u64) -> Result<(), Refusal> {
        if let Some(lock) = self.lock(key).filter(|lock| lock.start == start)
            && current != 0
            && !lock.expired(current)
        {
            return Err(Refusal::locked(key, lock));
        }
        self.check_not_committed(key, start)?;
        self.roll_back_key(key, start, true);
        Ok(())
    }

    /// Takes a transaction's lock away and records the rollback, whether there was a lock or not. The record stays if
    /// `keep`, or if the key is the lock's primary. Must not be called for a committed transaction.
    pub(super) fn roll_back_key(&mut self, key: &Bytes, start: u64, keep: bool) {
        let row = self.row_mut(key);
        let lock = row.lock.take_if(|lock| lock.start == start);
        if row.rolled_back(start) {
            return;
        }
        row.record_rollback(start, keep || lock.is_some_and(|lock| lock.primary == key));
        if !keep {
            row.collapse_rollback(start);
        }
    }

    /// Takes the lock of a transaction away without a record.
    pub(super) fn release(&mut self, key: &Bytes, start: u64) {
        if let Some(row) = self.rows.get_mut(key) {
            row.lock.take_if(|lock| lock.start == start);
        }
        self.prune(key);
    }

    /// Commits a transaction (0: rolls it back) wherever it holds locks in a range.
    pub(crate) fn resolve_range(&mut self, range: Range<'_>, start: u64, commit: u64) -> Result<(), Refusal> {
        let keys = self.locked_by(start, range);
        self.resolve(&keys, start, commit)
    }

    /// Commits a transaction (0: rolls it back) on `keys`, all or none.
    pub(crate) fn resolve(&mut self, keys: &[Bytes], start: u64, commit: u64) -> Result<(), Refusal> {
        match commit {
            _ if keys.is_empty() => Ok(()),
            0 => self.roll_back(keys, start),
            _ => self.commit(keys, start, commit),
        }
    }

    /// Takes away a transaction's pessimistic locks that are no newer than `for_update`. No record is left: the
    /// transaction may lock again.
    pub(crate) fn roll_back_pessimistic(&mut self, keys: &[Bytes], start: u64, for_update: u64) {
        for key in keys {
            let lock = self.lock(key).filter(|lock| lock.start == start && lock.for_update <= for_update);
            if lock.is_some_and(|lock| lock.kind == LockKind::Pessimistic) {
                self.release(key, start);
            }
        }
    }

    /// Forgets a row without content.
    pub(super) fn prune(&mut self, key: &[u8]) {
        if self.row(key).is_some_and(super::row::Row::is_empty) {
            self.rows.remove(key);
        }
    }
}
