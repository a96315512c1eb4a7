//! Key ranges: half-open intervals of byte strings in lexicographic order.

use bytes::{BufMut, Bytes, BytesMut};
use std::ops::Bound;

/// The keys from `start` (inclusive) to `end` (exclusive); an empty `end` means no upper bound.
///
/// A range whose `start` is not below a non-empty `end` holds nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRange {
    /// First key of the range.
    pub start: Bytes,
    /// First key after the range; empty when the range is unbounded above.
    pub end: Bytes,
}

impl KeyRange {
    /// The range from `start` (inclusive) to `end` (exclusive, empty = unbounded).
    pub fn new(start: impl Into<Bytes>, end: impl Into<Bytes>) -> Self {
        Self { start: start.into(), end: end.into() }
    }

    /// Every key there is.
    pub fn all() -> Self {
        Self { start: Bytes::new(), end: Bytes::new() }
    }

    /// Every key that begins with `prefix`.
    pub fn prefix(prefix: &[u8]) -> Self {
        Self { start: Bytes::copy_from_slice(prefix), end: prefix_end(prefix) }
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        key >= &self.start[..] && (self.end.is_empty() || key < &self.end[..])
    }

    /// Whether no key can lie in the range.
    pub fn is_empty(&self) -> bool {
        !self.end.is_empty() && self.start >= self.end
    }

    /// The part of this range strictly above `key`: where a forward scan goes on.
    #[must_use]
    pub fn after(&self, key: &[u8]) -> Self {
        let mut next = BytesMut::with_capacity(key.len() + 1);
        next.put_slice(key);
        next.put_u8(0);
        let next = next.freeze();
        Self { start: self.start.clone().max(next), end: self.end.clone() }
    }

    /// The part of this range strictly below `key`: where a reverse scan goes on.
    ///
    /// Nothing is below the empty key, so `before(b"")` holds nothing.
    #[must_use]
    pub fn before(&self, key: &[u8]) -> Self {
        if key.is_empty() {
            let nothing = Bytes::from_static(b"\0");
            return Self { start: nothing.clone(), end: nothing };
        }
        let end = Bytes::copy_from_slice(key);
        let end = if self.end.is_empty() { end } else { end.min(self.end.clone()) };
        Self { start: self.start.clone(), end }
    }

    /// The range as bounds for ordered maps. Must not be called on an empty range: maps panic on those.
    pub(crate) fn bounds(&self) -> (Bound<&[u8]>, Bound<&[u8]>) {
        let end = if self.end.is_empty() { Bound::Unbounded } else { Bound::Excluded(&self.end[..]) };
        (Bound::Included(&self.start[..]), end)
    }
}

/// The first key above every key with `prefix`; empty when there is none.
fn prefix_end(prefix: &[u8]) -> Bytes {
    let Some(last) = prefix.iter().rposition(|byte| *byte != 0xff) else {
        return Bytes::new();
    };
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    end.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_prefix_of_all_ones_has_no_end() {
        assert!(KeyRange::prefix(b"\xff\xff").end.is_empty());
        assert!(KeyRange::prefix(b"").end.is_empty());
        assert_eq!(KeyRange::prefix(b"a\xff").end, &b"b"[..]);
    }

    #[test]
    fn nothing_is_before_the_empty_key() {
        assert!(KeyRange::all().before(b"").is_empty());
    }

    fn key() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xfe), Just(0xff)], 0..4)
    }

    proptest! {
        #[test]
        fn a_prefix_range_holds_what_starts_with_it(prefix in key(), probe in key()) {
            prop_assert_eq!(KeyRange::prefix(&prefix).contains(&probe), probe.starts_with(&prefix));
        }

        #[test]
        fn after_and_before_split_a_range(start in key(), end in key(), at in key(), probe in key()) {
            let range = KeyRange::new(start, end);
            let inside = range.contains(&probe);
            prop_assert_eq!(range.after(&at).contains(&probe), inside && probe > at);
            prop_assert_eq!(range.before(&at).contains(&probe), inside && probe < at);
        }
    }
}
