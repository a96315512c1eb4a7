//! Where the store's keys lie among those of the cluster or keyspace: under one prefix.

use crate::KeyRange;
use bytes::{BufMut, Bytes, BytesMut};

/// The prefix of all keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys {
    prefix: Bytes,
}

impl Keys {
    pub(super) fn under(prefix: Bytes) -> Self {
        Self { prefix }
    }

    /// The cluster's key of a caller's.
    pub(super) fn enter(&self, key: &[u8]) -> Bytes {
        let mut entered = BytesMut::with_capacity(self.prefix.len() + key.len());
        entered.put_slice(&self.prefix);
        entered.put_slice(key);
        entered.freeze()
    }

    /// The cluster's key of a caller's, which is copied only if it has to be.
    pub(super) fn enter_owned(&self, key: Bytes) -> Bytes {
        if self.prefix.is_empty() { key } else { self.enter(&key) }
    }

    /// A caller's key of the cluster's. A stranger's key, which only an error can name, stays as it is.
    pub(super) fn leave(&self, key: &Bytes) -> Bytes {
        if key.starts_with(&self.prefix) { key.slice(self.prefix.len()..) } else { key.clone() }
    }

    /// The cluster's range of a caller's.
    pub(super) fn enter_range(&self, range: &KeyRange) -> braid_tikv::KeyRange {
        let all = KeyRange::prefix(&self.prefix);
        let end = if range.end.is_empty() { all.end } else { self.enter(&range.end) };
        braid_tikv::KeyRange::new(self.enter(&range.start), end)
    }

    /// How many bytes a key grows by.
    pub(super) fn growth(&self) -> usize {
        self.prefix.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xff)], 0..4)
    }

    proptest! {
        #[test]
        fn a_key_is_in_a_range_before_and_after(
            prefix in key(), start in key(), end in key(), probe in key(), stranger in key(),
        ) {
            let keys = Keys::under(prefix.clone().into());
            let range = KeyRange::new(start, end);
            let entered = keys.enter_range(&range);
            prop_assert_eq!(entered.contains(&keys.enter(&probe)), range.contains(&probe));
            prop_assert_eq!(keys.leave(&keys.enter(&probe)), Bytes::from(probe.clone()));
            prop_assert_eq!(keys.enter_owned(probe.clone().into()), keys.enter(&probe));
            if !range.is_empty() && entered.contains(&stranger) {
                prop_assert!(stranger.starts_with(&prefix), "the range leaves the prefix");
            }
        }
    }
}
