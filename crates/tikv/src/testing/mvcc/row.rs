//! One key's state: its lock and its versions.

use std::collections::BTreeMap;

use bytes::Bytes;

/// What a lock's transaction means to do with the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LockKind {
    Put,
    Delete,
    /// Nothing; but the key counts as written.
    Lock,
    /// Not known yet: the key is only reserved.
    Pessimistic,
}

/// A transaction's claim to a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    /// The key whose lock decides the transaction.
    pub(crate) primary: Bytes,
    /// The transaction.
    pub(crate) start: u64,
    /// Milliseconds from `start` on.
    pub(crate) ttl: u64,
    pub(crate) kind: LockKind,
    /// Of a put.
    pub(crate) value: Bytes,
    /// 0: the transaction is optimistic.
    pub(crate) for_update: u64,
    pub(crate) txn_size: u64,
    pub(crate) min_commit: u64,
    /// Set by an async commit; empty but in the primary's lock.
    pub(crate) secondaries: Option<Vec<Bytes>>,
}

impl Lock {
    /// Whether its time is over at `current`; a lock lives through its last millisecond.
    pub(crate) fn expired(&self, current: u64) -> bool {
        super::physical(self.start).saturating_add(self.ttl) < super::physical(current)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WriteKind {
    Put,
    Delete,
    Lock,
    /// The transaction that started at this very timestamp is over.
    Rollback,
}

/// A version, found by its commit timestamp; that of a rollback is its start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) kind: WriteKind,
    pub(super) start: u64,
    pub(super) value: Bytes,
    /// The transaction that started at this version's commit timestamp is rolled back too: its own record has no room.
    pub(super) overlapped_rollback: bool,
    /// Of a rollback: later rollbacks of the key must not swallow it.
    pub(super) protected: bool,
}

impl Write {
    fn rollback(start: u64, protected: bool) -> Self {
        let value = Bytes::new();
        Self { kind: WriteKind::Rollback, start, value, overlapped_rollback: false, protected }
    }

    /// What a lock becomes by its commit; `None` if it only reserved the key.
    pub(super) fn of(lock: &Lock) -> Option<Self> {
        let kind = match lock.kind {
            LockKind::Put => WriteKind::Put,
            LockKind::Delete => WriteKind::Delete,
            LockKind::Lock => WriteKind::Lock,
            LockKind::Pessimistic => return None,
        };
        let (start, value) = (lock.start, lock.value.clone());
        Some(Self { kind, start, value, overlapped_rollback: false, protected: false })
    }

    pub(super) fn is_data(&self) -> bool {
        matches!(self.kind, WriteKind::Put | WriteKind::Delete)
    }
}

/// What became of a transaction on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Committed(u64),
    RolledBack,
    /// There is no record.
    Unknown,
}

#[derive(Debug, Default)]
pub(super) struct Row {
    pub(super) lock: Option<Lock>,
    pub(super) writes: BTreeMap<u64, Write>,
}

impl Row {
    pub(super) fn is_empty(&self) -> bool {
        self.lock.is_none() && self.writes.is_empty()
    }

    /// What the records say of the transaction that began at `start`.
    pub(super) fn fate(&self, start: u64) -> Fate {
        let own = self.writes.range(start..).find(|(_, write)| write.start == start);
        match own {
            Some((_, write)) if write.kind == WriteKind::Rollback => Fate::RolledBack,
            Some((&commit, _)) => Fate::Committed(commit),
            None if self.rolled_back(start) => Fate::RolledBack,
            None => Fate::Unknown,
        }
    }

    /// Whether a rollback of the transaction is recorded.
    pub(super) fn rolled_back(&self, start: u64) -> bool {
        let record = self.writes.get(&start);
        record.is_some_and(|write| write.kind == WriteKind::Rollback || write.overlapped_rollback)
    }

    /// The newest record of any kind.
    pub(super) fn newest(&self) -> Option<(u64, &Write)> {
        self.writes.iter().next_back().map(|(&commit, write)| (commit, write))
    }

    /// The newest put at `at` or before that no delete hides, with its commit timestamp.
    pub(super) fn version(&self, at: u64) -> Option<(u64, &Write)> {
        let (&commit, write) = self.writes.range(..=at).rev().find(|(_, write)| write.is_data())?;
        (write.kind == WriteKind::Put).then_some((commit, write))
    }

    /// The value at `at`.
    pub(super) fn value(&self, at: u64) -> Option<&Bytes> {
        self.version(at).map(|(_, write)| &write.value)
    }

    /// Records a commit. A rollback that stands at the same timestamp, of another transaction, stays known.
    pub(super) fn commit(&mut self, commit: u64, mut write: Write) {
        write.overlapped_rollback = self.rolled_back(commit);
        self.writes.insert(commit, write);
    }

    /// Records that the transaction which began at `start` is over. Only a protected record is put on another
    /// transaction's version, and an unprotected one swallows the one before it, as the store's garbage would be too
    /// much else.
    pub(super) fn record_rollback(&mut self, start: u64, protected: bool) {
        match self.writes.get_mut(&start) {
            Some(other) => other.overlapped_rollback |= protected,
            None => {
                self.writes.insert(start, Write::rollback(start, protected));
            }
        }
    }

    /// Takes away the newest record before `start` if it is an unprotected rollback.
    pub(super) fn collapse_rollback(&mut self, start: u64) {
        let before = self.writes.range(..start).next_back();
        let swallowed = before.filter(|(_, write)| write.kind == WriteKind::Rollback && !write.protected);
        if let Some(commit) = swallowed.map(|(&commit, _)| commit) {
            self.writes.remove(&commit);
        }
    }
}
