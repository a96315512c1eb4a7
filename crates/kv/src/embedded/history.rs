//! Which keys were committed when, as far back as anyone open needs to know: what a commit is checked against.

use crate::{Conflict, ConflictReason, Timestamp, writes::Writes};
use bytes::Bytes;
use std::collections::{BTreeMap, HashMap, VecDeque};

/// The recent past of the store.
///
/// A commit's timestamp is *given* when it passes the check and *applied* when its writes are durable and visible.
/// A key stays known while its commit is not applied, or while a transaction is open that reads an older state.
#[derive(Debug)]
pub(super) struct History {
    given: Timestamp,
    applied: Timestamp,
    keys: HashMap<Bytes, Timestamp>,
    /// The same in order of time, with keys committed again standing more than once.
    order: VecDeque<(Timestamp, Bytes)>,
    /// How many open transactions began at each state.
    open: BTreeMap<Timestamp, usize>,
}

impl History {
    /// A past in which everything up to `last` is applied.
    pub(super) fn new(last: Timestamp) -> Self {
        Self {
            given: last,
            applied: last,
            keys: HashMap::new(),
            order: VecDeque::new(),
            open: BTreeMap::new(),
        }
    }

    /// A transaction begins to read the state of `at`, the newest applied.
    pub(super) fn open(&mut self, at: Timestamp) {
        assert_eq!(at, self.applied, "a transaction begins at the newest state");
        *self.open.entry(at).or_default() += 1;
    }

    /// A transaction that began at `at` is over.
    pub(super) fn close(&mut self, at: Timestamp) {
        let count = self.open.get_mut(&at).expect("an open transaction is counted");
        *count -= 1;
        if *count == 0 {
            self.open.remove(&at);
            self.forget();
        }
    }

    /// The first key that was committed since the transaction read it.
    pub(super) fn conflict(&self, writes: &Writes) -> Option<Conflict> {
        let newer = |key: &Bytes, since| self.keys.get(key).is_some_and(|committed| *committed > since);
        let (key, _) = writes.iter().find(|(key, write)| newer(key, write.since))?;
        Some(Conflict { key: key.clone(), reason: ConflictReason::Written })
    }

    /// Gives a commit its timestamp.
    pub(super) fn give(&mut self, writes: &Writes) -> Timestamp {
        self.given = (u64::from(self.given) + 1).into();
        for (key, _) in writes.iter() {
            self.keys.insert(key.clone(), self.given);
            self.order.push_back((self.given, key.clone()));
        }
        self.given
    }

    /// The greatest timestamp given.
    pub(super) fn given(&self) -> Timestamp {
        self.given
    }

    /// Everything given is durable and visible.
    pub(super) fn apply(&mut self) {
        self.applied = self.given;
        self.forget();
    }

    /// Whether a commit of the key is given and not applied.
    pub(super) fn is_under_way(&self, key: &[u8]) -> bool {
        self.keys.get(key).is_some_and(|committed| *committed > self.applied)
    }

    fn forget(&mut self) {
        let oldest = self.open.keys().next().copied().unwrap_or(self.applied).min(self.applied);
        while let Some((committed, _)) = self.order.front()
            && *committed <= oldest
        {
            let (committed, key) = self.order.pop_front().expect("the front was seen");
            if self.keys.get(&key) == Some(&committed) {
                self.keys.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writes::Change;

    fn write(key: &'static str, since: u64) -> Writes {
        let mut writes = Writes::default();
        writes.record(Bytes::from_static(key.as_bytes()), Change::Delete, false, since.into());
        writes
    }

    #[test]
    fn a_commit_since_the_read_is_a_conflict() {
        let mut history = History::new(7.into());
        assert_eq!(history.give(&write("a", 7)), 8.into());
        let conflict = history.conflict(&write("a", 7)).expect("8 came after 7");
        assert_eq!(conflict, Conflict { key: Bytes::from_static(b"a"), reason: ConflictReason::Written });
        assert_eq!(history.conflict(&write("a", 8)), None);
        assert_eq!(history.conflict(&write("b", 7)), None);
    }

    #[test]
    fn a_key_is_known_while_an_older_transaction_is_open() {
        let mut history = History::new(7.into());
        history.open(7.into());
        history.give(&write("a", 7));
        history.apply();
        history.open(8.into());
        assert!(history.conflict(&write("a", 7)).is_some());
        history.close(7.into());
        assert!(history.keys.is_empty() && history.order.is_empty());
        history.close(8.into());
        assert!(history.open.is_empty());
    }

    #[test]
    fn a_key_is_known_while_its_commit_is_under_way() {
        let mut history = History::new(7.into());
        history.open(7.into());
        history.give(&write("a", 7));
        history.close(7.into());
        assert!(history.is_under_way(b"a"));
        history.apply();
        assert!(!history.is_under_way(b"a"));
        assert!(history.keys.is_empty());
    }

    #[test]
    fn a_key_committed_again_is_known_by_the_later() {
        let mut history = History::new(7.into());
        history.open(7.into());
        history.give(&write("a", 7));
        history.apply();
        history.open(8.into());
        history.give(&write("a", 8));
        history.apply();
        history.close(7.into());
        assert!(history.conflict(&write("a", 8)).is_some(), "9 came after 8");
        history.close(8.into());
        assert!(history.keys.is_empty() && history.order.is_empty());
    }
}
