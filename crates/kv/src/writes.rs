//! What a transaction has written so far: kept in order, laid over the state it reads, checked at commit.

use crate::{KeyRange, KvError, Measure, ScanOptions, Timestamp};
use bytes::Bytes;
use std::collections::BTreeMap;

/// What becomes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    Put(Bytes),
    Delete,
    /// The key stays as it is.
    Lock,
}

/// One key of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Write {
    pub(crate) change: Change,
    /// The key must not exist at commit.
    pub(crate) insert: bool,
    /// The state that was read when the key was first written: nobody may have written it since.
    pub(crate) since: Timestamp,
}

/// The buffered writes of one transaction.
#[derive(Debug, Default)]
pub(crate) struct Writes {
    keys: BTreeMap<Bytes, Write>,
}

/// The largest transaction that a store accepts, and how many it keeps open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Keys written or locked in one transaction.
    pub keys: usize,
    /// Bytes of all keys and values in one transaction.
    pub bytes: usize,
    /// Bytes of one key.
    pub key_length: usize,
    /// Bytes of one value.
    pub value_length: usize,
    /// Transactions open at once.
    pub transactions: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            keys: 200_000,
            bytes: 128 << 20,
            key_length: 16 << 10,
            value_length: 4 << 20,
            transactions: 16_384,
        }
    }
}

impl Writes {
    /// Records a change made while the transaction read at `since`. A lock never replaces a write, and what was
    /// demanded of the key before is still demanded.
    pub(crate) fn record(&mut self, key: Bytes, change: Change, insert: bool, since: Timestamp) {
        let Some(write) = self.keys.get_mut(&key) else {
            self.keys.insert(key, Write { change, insert, since });
            return;
        };
        write.insert |= insert;
        if change != Change::Lock {
            write.change = change;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Bytes, &Write)> {
        self.keys.iter()
    }

    /// The key's value as written here, or `None` if the state below decides.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        match &self.keys.get(key)?.change {
            Change::Put(value) => Some(Some(value.clone())),
            Change::Delete => Some(None),
            Change::Lock => None,
        }
    }

    /// How many pairs of the state below a scan must have to be sure of its limit: each deletion may hide one.
    pub(crate) fn limit_below(&self, range: &KeyRange, options: ScanOptions) -> usize {
        let deleted = self.in_range(range).filter(|(_, write)| write.change == Change::Delete).count();
        options.limit.saturating_add(deleted)
    }

    /// Lays the writes over `below`, which holds the range's pairs in scan order, at least
    /// [`limit_below`](Self::limit_below) of them or all.
    pub(crate) fn merge(
        &self,
        range: &KeyRange,
        options: ScanOptions,
        below: Vec<(Bytes, Bytes)>,
    ) -> Vec<(Bytes, Bytes)> {
        let own = self.in_range(range).filter(|(_, write)| write.change != Change::Lock);
        let own: Vec<_> = if options.reverse { own.rev().collect() } else { own.collect() };
        let precedes = |a: &Bytes, b: &Bytes| if options.reverse { a > b } else { a < b };

        let mut merged = Vec::with_capacity(options.limit.min(below.len() + own.len()));
        let mut below = below.into_iter().peekable();
        for (key, write) in own {
            while let Some(pair) = below.next_if(|(other, _)| precedes(other, key)) {
                merged.push(pair);
            }
            below.next_if(|(other, _)| other == key);
            if let Change::Put(value) = &write.change {
                let value = if options.keys_only { Bytes::new() } else { value.clone() };
                merged.push((key.clone(), value));
            }
            if merged.len() >= options.limit {
                break;
            }
        }
        merged.extend(below);
        merged.truncate(options.limit);
        merged
    }

    /// Refuses what is too large.
    pub(crate) fn check(&self, limits: &Limits) -> Result<(), KvError> {
        within(Measure::Keys, self.keys.len(), limits.keys)?;
        let mut bytes = 0;
        for (key, write) in &self.keys {
            let value = if let Change::Put(value) = &write.change { value.len() } else { 0 };
            within(Measure::KeyLength, key.len(), limits.key_length)?;
            within(Measure::ValueLength, value, limits.value_length)?;
            bytes += key.len() + value;
        }
        within(Measure::Bytes, bytes, limits.bytes)
    }

    fn in_range(&self, range: &KeyRange) -> impl DoubleEndedIterator<Item = (&Bytes, &Write)> {
        let bounds = (!range.is_empty()).then(|| range.bounds());
        bounds.into_iter().flat_map(|bounds| self.keys.range::<[u8], _>(bounds))
    }
}

fn within(what: Measure, size: usize, limit: usize) -> Result<(), KvError> {
    if size > limit {
        return Err(KvError::TooLarge { what, size, limit });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    const EARLY: u64 = 1;
    const LATE: u64 = 2;

    fn key(key: &'static str) -> Bytes {
        Bytes::from_static(key.as_bytes())
    }

    #[test]
    fn demands_on_a_key_add_up() {
        let mut writes = Writes::default();
        writes.record(key("a"), Change::Put(key("1")), true, EARLY.into());
        writes.record(key("a"), Change::Delete, false, LATE.into());
        writes.record(key("a"), Change::Lock, false, LATE.into());
        let expected = Write { change: Change::Delete, insert: true, since: EARLY.into() };
        assert_eq!(writes.iter().collect::<Vec<_>>(), [(&key("a"), &expected)]);
    }

    #[test]
    fn a_lock_hides_nothing() {
        let mut writes = Writes::default();
        writes.record(key("a"), Change::Lock, false, EARLY.into());
        assert_eq!(writes.get(b"a"), None);
        let below = vec![(key("a"), key("1"))];
        assert_eq!(writes.merge(&KeyRange::all(), ScanOptions::first(9), below.clone()), below);
    }

    #[test]
    fn each_limit_is_kept() {
        let limits = Limits { keys: 2, bytes: 8, key_length: 3, value_length: 4, transactions: 1 };
        let refused = |pairs: &[(&'static str, &'static str)]| {
            let mut writes = Writes::default();
            for (name, value) in pairs {
                writes.record(key(name), Change::Put(key(value)), false, EARLY.into());
            }
            match writes.check(&limits) {
                Ok(()) => None,
                Err(KvError::TooLarge { what, .. }) => Some(what),
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(refused(&[("abc", "1234"), ("b", "")]), None);
        assert_eq!(refused(&[("abc", "1234"), ("b", "1")]), Some(Measure::Bytes));
        assert_eq!(refused(&[("a", ""), ("b", ""), ("c", "")]), Some(Measure::Keys));
        assert_eq!(refused(&[("abcd", "")]), Some(Measure::KeyLength));
        assert_eq!(refused(&[("a", "12345")]), Some(Measure::ValueLength));
    }

    type Map = BTreeMap<Bytes, Bytes>;

    fn scan(map: &Map, range: &KeyRange, options: ScanOptions) -> Vec<(Bytes, Bytes)> {
        let pairs = map.iter().filter(|(key, _)| range.contains(key));
        let pairs = pairs.map(|(key, value)| (key.clone(), value.clone()));
        if options.reverse {
            pairs.rev().take(options.limit).collect()
        } else {
            pairs.take(options.limit).collect()
        }
    }

    fn small() -> impl Strategy<Value = Bytes> {
        "[a-d]{0,2}".prop_map(Bytes::from)
    }

    proptest! {
        #[test]
        fn a_merged_scan_is_a_scan_of_the_sum(
            below in prop::collection::btree_map(small(), small(), 0..12),
            own in prop::collection::vec((small(), prop::option::of(small())), 0..12),
            (start, end) in (small(), small()), limit in 0..6usize, reverse: bool,
        ) {
            let (mut writes, mut sum) = (Writes::default(), below.clone());
            for (key, value) in own {
                match value {
                    Some(value) => {
                        sum.insert(key.clone(), value.clone());
                        writes.record(key, Change::Put(value), false, EARLY.into());
                    }
                    None => {
                        sum.remove(&key);
                        writes.record(key, Change::Delete, false, EARLY.into());
                    }
                }
            }
            let (range, options) = (KeyRange::new(start, end), ScanOptions { limit, reverse, keys_only: false });
            let wanted = ScanOptions { limit: writes.limit_below(&range, options), ..options };
            let merged = writes.merge(&range, options, scan(&below, &range, wanted));
            prop_assert_eq!(merged, scan(&sum, &range, options));
        }
    }
}
