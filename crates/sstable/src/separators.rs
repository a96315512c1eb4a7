//! The separators of a table's data blocks, one after the other in memory, without what all of them start with.

use std::cmp::Ordering;

use crate::key;

/// Strictly ascending user keys, one for each data block.
#[derive(Debug, Clone)]
pub(crate) struct Separators {
    /// What all but the last start with.
    prefix: Box<[u8]>,
    /// The rest of each but the last.
    suffixes: Box<[u8]>,
    /// Where each rest ends.
    ends: Box<[u32]>,
    /// The last one. It has no block after it to stay below, so writers cut it down to next to nothing, which it would be all
    /// that the others have in common with it.
    last: Option<Box<[u8]>>,
}

impl Separators {
    pub(crate) fn len(&self) -> usize {
        self.ends.len() + usize::from(self.last.is_some())
    }

    /// The first that is not below `user_key`.
    pub(crate) fn find(&self, user_key: &[u8]) -> Option<usize> {
        let index = match self.compare_prefix(user_key) {
            Ordering::Less => 0,
            Ordering::Equal => self.find_suffix(&user_key[self.prefix.len()..]),
            Ordering::Greater => self.ends.len(),
        };
        let is_found = index < self.ends.len() || self.last.as_deref().is_some_and(|last| last >= user_key);
        is_found.then_some(index)
    }

    /// The order of the separator `index` and `user_key`.
    pub(crate) fn compare(&self, index: usize, user_key: &[u8]) -> Ordering {
        if let Some(last) = self.last(index) {
            return last.cmp(user_key);
        }
        match self.compare_prefix(user_key) {
            Ordering::Equal => self.suffix(index).cmp(&user_key[self.prefix.len()..]),
            unequal => unequal.reverse(),
        }
    }

    /// The separator `index`.
    pub(crate) fn get(&self, index: usize) -> Vec<u8> {
        match self.last(index) {
            Some(last) => last.to_vec(),
            None => [&self.prefix, self.suffix(index)].concat(),
        }
    }

    /// What they take on the heap, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        let last = self.last.as_deref().map_or(0, <[u8]>::len);
        self.prefix.len() + self.suffixes.len() + size_of_val(&*self.ends) + last
    }

    /// The order of `user_key` and all separators but the last, if it does not start with what they start with.
    fn compare_prefix(&self, user_key: &[u8]) -> Ordering {
        match user_key.get(..self.prefix.len()) {
            Some(start) => start.cmp(&self.prefix),
            None => user_key.cmp(&self.prefix),
        }
    }

    fn find_suffix(&self, suffix: &[u8]) -> usize {
        let (mut low, mut high) = (0, self.ends.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.suffix(middle) < suffix {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The last separator, if `index` is its.
    fn last(&self, index: usize) -> Option<&[u8]> {
        self.last.as_deref().filter(|_| index == self.ends.len())
    }

    fn suffix(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.suffixes[start as usize..self.ends[index] as usize]
    }
}

/// Collects separators, each of which comes after the one before.
#[derive(Debug, Default)]
pub(crate) struct SeparatorsBuilder {
    keys: Vec<u8>,
    ends: Vec<u32>,
}

impl SeparatorsBuilder {
    /// Adds a separator. All together are below 4 GiB.
    pub(crate) fn push(&mut self, user_key: &[u8]) {
        self.keys.extend_from_slice(user_key);
        self.ends.push(u32::try_from(self.keys.len()).expect("callers keep to a limit below 4 GiB"));
    }

    /// The lengths of all that were added.
    pub(crate) fn bytes(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn finish(self) -> Separators {
        let Self { mut keys, mut ends } = self;
        let last = ends.pop().map(|_| keys.split_off(end_of_last(&ends)).into());
        let shared = shared_by_all(&keys, &ends);
        let prefix = keys[..shared].into();
        let mut kept = 0;
        let mut start = 0;
        for end in &mut ends {
            let stop = *end as usize;
            keys.copy_within(start + shared..stop, kept);
            kept += stop - start - shared;
            start = stop;
            *end = kept as u32;
        }
        keys.truncate(kept);
        Separators { prefix, suffixes: keys.into(), ends: ends.into(), last }
    }
}

fn end_of_last(ends: &[u32]) -> usize {
    ends.last().map_or(0, |end| *end as usize)
}

/// How many bytes all of the keys start with: as many as the first and the last, since they ascend.
fn shared_by_all(keys: &[u8], ends: &[u32]) -> usize {
    let Some(first) = ends.first() else { return 0 };
    let last = end_of_last(&ends[..ends.len() - 1]);
    key::shared_prefix(&keys[..*first as usize], &keys[last..])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn separators(keys: &BTreeSet<Vec<u8>>) -> Separators {
        let mut builder = SeparatorsBuilder::default();
        keys.iter().for_each(|key| builder.push(key));
        builder.finish()
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(prop_oneof![Just(0u8), Just(1), Just(0xff)], 0..5)
    }

    proptest! {
        #[test]
        fn they_are_found_and_compared_as_if_whole(
            prefix in key(), keys in btree_set(key(), 0..20), sought in key(), with_prefix: bool,
        ) {
            let keys: BTreeSet<_> = keys.into_iter().map(|key| [prefix.clone(), key].concat()).collect();
            let separators = separators(&keys);
            let sought = if with_prefix { [prefix, sought].concat() } else { sought };
            prop_assert_eq!(separators.find(&sought), keys.iter().position(|key| *key >= sought));
            for (index, key) in keys.iter().enumerate() {
                prop_assert_eq!(&separators.get(index), key);
                prop_assert_eq!(separators.compare(index, &sought), key.cmp(&sought));
            }
        }
    }

    #[test]
    fn what_all_but_the_last_start_with_is_kept_once() {
        let mut keys: BTreeSet<_> =
            (0..100).map(|number| format!("lake/events/{number:03}").into_bytes()).collect();
        keys.insert(b"m".to_vec());
        let heap_bytes = separators(&keys).heap_bytes();
        assert_eq!(heap_bytes, "lake/events/0".len() + 100 * "00".len() + 100 * 4 + "m".len());
    }
}
