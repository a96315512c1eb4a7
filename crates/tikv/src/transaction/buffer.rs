//! What a transaction has written so far, by callers' keys: laid over the state it reads, sent at commit.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

use crate::error::Measure;
use crate::range::{KeyRange, ScanOptions};
use crate::settings::Limits;
use crate::{Error, Timestamp};

/// What becomes of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    Put(Bytes),
    Delete,
    /// The key stays as it is.
    Lock,
}

/// One key of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) change: Change,
    /// The key must not exist.
    pub(super) insert: bool,
    /// What was read when the key was first written: nobody may have written it since.
    pub(super) since: Timestamp,
}

/// The buffered writes of one transaction.
#[derive(Clone, Debug, Default)]
pub(super) struct Buffer {
    writes: BTreeMap<Bytes, Write>,
}

impl Buffer {
    /// Records a change made while the transaction read at `since`. A lock never replaces a write, and what was demanded
    /// of the key before is still demanded.
    pub(super) fn record(&mut self, key: Bytes, change: Change, insert: bool, since: Timestamp) {
        let Some(write) = self.writes.get_mut(&key) else {
            self.writes.insert(key, Write { change, insert, since });
            return;
        };
        write.insert |= insert;
        if change != Change::Lock {
            write.change = change;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) fn into_writes(self) -> BTreeMap<Bytes, Write> {
        self.writes
    }

    /// What was read when the key was first written, if it was.
    pub(super) fn since(&self, key: &[u8]) -> Option<Timestamp> {
        self.writes.get(key).map(|write| write.since)
    }

    /// The key's value as written here; `None` if the state below decides.
    pub(super) fn get(&self, key: &[u8]) -> Option<Option<Bytes>> {
        match &self.writes.get(key)?.change {
            Change::Put(value) => Some(Some(value.clone())),
            Change::Delete => Some(None),
            Change::Lock => None,
        }
    }

    /// How many pairs of the state below a scan must have to be sure of its limit: each deletion may hide one.
    pub(super) fn limit_below(&self, range: &KeyRange, options: ScanOptions) -> usize {
        let hides = |(_, write): &(&Bytes, &Write)| write.change == Change::Delete;
        options.limit.saturating_add(self.within(range).filter(hides).count())
    }

    /// The pairs of a range: those of the state `below`, of which there are [`limit_below`](Self::limit_below) or all,
    /// with the writes laid over them.
    pub(super) fn merge(
        &self,
        range: &KeyRange,
        options: ScanOptions,
        below: Vec<(Bytes, Bytes)>,
    ) -> Vec<(Bytes, Bytes)> {
        let mut merged: BTreeMap<Bytes, Bytes> = below.into_iter().collect();
        for (key, write) in self.within(range) {
            match &write.change {
                Change::Put(value) => {
                    let value = if options.keys_only { Bytes::new() } else { value.clone() };
                    merged.insert(key.clone(), value);
                }
                Change::Delete => _ = merged.remove(key),
                Change::Lock => {}
            }
        }
        match options.reverse {
            false => merged.into_iter().take(options.limit).collect(),
            true => merged.into_iter().rev().take(options.limit).collect(),
        }
    }

    fn within(&self, range: &KeyRange) -> impl Iterator<Item = (&Bytes, &Write)> {
        let range = (!range.is_empty()).then_some(range);
        range.into_iter().flat_map(|KeyRange { start, end }| {
            let end = if end.is_empty() { Bound::Unbounded } else { Bound::Excluded(end) };
            self.writes.range::<Bytes, _>((Bound::Included(start), end))
        })
    }

    /// How many keys it has.
    pub(super) fn len(&self) -> usize {
        self.writes.len()
    }

    /// # Errors
    /// [`Error::TooLarge`] where a limit is exceeded.
    pub(super) fn check(&self, limits: &Limits) -> Result<(), Error> {
        within(Measure::Keys, self.writes.len(), limits.keys)?;
        let mut bytes = 0;
        for (key, write) in &self.writes {
            let value = if let Change::Put(value) = &write.change { value.len() } else { 0 };
            within(Measure::KeyLength, key.len(), limits.key_length)?;
            within(Measure::ValueLength, value, limits.value_length)?;
            bytes += key.len() + value;
        }
        within(Measure::Bytes, bytes, limits.bytes)
    }
}

fn within(what: Measure, size: usize, limit: usize) -> Result<(), Error> {
    if size > limit { Err(Error::TooLarge { what, size, limit }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(n: u8) -> Bytes {
        vec![b'k', n].into()
    }

    fn put(value: &'static str) -> Change {
        Change::Put(value.into())
    }

    #[test]
    fn demands_add_up_and_the_first_reading_counts() {
        let mut buffer = Buffer::default();
        buffer.record(key(1), put("a"), true, 5.into());
        buffer.record(key(1), Change::Delete, false, 9.into());
        buffer.record(key(1), Change::Lock, false, 9.into());
        let write = Write { change: Change::Delete, insert: true, since: 5.into() };
        assert_eq!(buffer.get(&key(1)), Some(None));
        assert_eq!(buffer.into_writes(), BTreeMap::from([(key(1), write)]));
    }

    #[test]
    fn each_limit_is_kept() {
        let limits = Limits { keys: 2, bytes: 8, key_length: 3, value_length: 4 };
        let check = |pairs: &[(&'static str, &'static str)]| {
            let mut buffer = Buffer::default();
            for (key, value) in pairs {
                buffer.record((*key).into(), put(value), false, 1.into());
            }
            match buffer.check(&limits) {
                Err(Error::TooLarge { what, .. }) => Some(what),
                other => other.map(|()| None).unwrap(),
            }
        };
        assert_eq!(check(&[("abc", "1234")]), None);
        assert_eq!(check(&[("a", ""), ("b", ""), ("c", "")]), Some(Measure::Keys));
        assert_eq!(check(&[("abcd", "")]), Some(Measure::KeyLength));
        assert_eq!(check(&[("a", "12345")]), Some(Measure::ValueLength));
        assert_eq!(check(&[("abc", "1234"), ("b", "1")]), Some(Measure::Bytes));
    }

    proptest! {
        #[test]
        fn a_scan_sees_the_state_under_the_writes(
            state in vec(0..8u8, 0..8),
            writes in vec((0..8u8, 0..3u8), 0..8),
            (start, end) in (0..9u8, 0..9u8),
            limit in 0..6usize,
            reverse: bool,
        ) {
            let mut buffer = Buffer::default();
            let mut model: BTreeMap<Bytes, Bytes> = state.iter().map(|&n| (key(n), "old".into())).collect();
            let below = model.clone();
            for (n, change) in writes {
                match change {
                    0 => _ = model.insert(key(n), "new".into()),
                    1 => _ = model.remove(&key(n)),
                    _ => {}
                }
                let change = [put("new"), Change::Delete, Change::Lock][usize::from(change)].clone();
                buffer.record(key(n), change, false, 1.into());
            }
            let range = KeyRange::new(key(start), key(end));
            let options = ScanOptions { limit, reverse, keys_only: false };
            let scan = |pairs: BTreeMap<Bytes, Bytes>, limit| -> Vec<(Bytes, Bytes)> {
                let within = pairs.into_iter().filter(|(key, _)| range.contains(key));
                if reverse { within.rev().take(limit).collect() } else { within.take(limit).collect() }
            };
            let below = scan(below, buffer.limit_below(&range, options));
            prop_assert_eq!(buffer.merge(&range, options, below), scan(model, limit));
        }
    }
}
