//! Internal keys: a user key and a trailer of eight bytes, kind and sequence number.
//!
//! They are ordered by user key, and for one user key by trailer, the greatest first.

use std::cmp::{Ordering, Reverse};

/// Length of the trailer, in bytes.
pub(crate) const KEY_TRAILER_LEN: usize = 8;
/// The kind of a plain value: the trailer's first byte.
pub(crate) const KIND_VALUE: u8 = 1;
/// The trailer of each record written: a plain value at sequence number zero, as external files must have.
pub(crate) const RECORD_TRAILER: [u8; KEY_TRAILER_LEN] = [KIND_VALUE, 0, 0, 0, 0, 0, 0, 0];
/// The trailer of each separator written. The last of its user key, so a separator equal to a block's last user key is
/// still not below the record: a greater trailer would hide the record from RocksDB's point lookups.
pub(crate) const SEPARATOR_TRAILER: [u8; KEY_TRAILER_LEN] = [0; KEY_TRAILER_LEN];

/// Order of two internal keys, each at least a trailer long.
pub(crate) fn compare(left: &[u8], right: &[u8]) -> Ordering {
    let (left_user, left_trailer) = split(left);
    let (right_user, right_trailer) = split(right);
    left_user.cmp(right_user).then(Reverse(left_trailer).cmp(&Reverse(right_trailer)))
}

/// The user key of an internal key, which is at least a trailer long.
pub(crate) fn user_key(key: &[u8]) -> &[u8] {
    split(key).0
}

/// The sequence number in an internal key's trailer.
pub(crate) fn sequence_number(key: &[u8]) -> u64 {
    split(key).1 >> 8
}

fn split(key: &[u8]) -> (&[u8], u64) {
    let (user, trailer) =
        key.split_last_chunk().expect("keys are checked to hold a trailer when they are read");
    (user, u64::from_le_bytes(*trailer))
}

/// How many bytes two keys have in common at their start.
pub(crate) fn shared_prefix(left: &[u8], right: &[u8]) -> usize {
    let words =
        left.chunks_exact(8).zip(right.chunks_exact(8)).take_while(|(left, right)| left == right).count() * 8;
    let bytes = left[words..].iter().zip(&right[words..]).take_while(|(left, right)| left == right).count();
    words + bytes
}

/// Puts into `out` a short user key that is not below `last` and is below `next`, where `last < next`.
pub(crate) fn separate(last: &[u8], next: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let shared = shared_prefix(last, next);
    if shared == last.len() {
        return out.extend_from_slice(last);
    }
    // `last < next` and `last` is no prefix of `next`, so both have a byte here and that of `next` is greater.
    if last[shared] + 1 < next[shared] || shared + 1 < next.len() {
        out.extend_from_slice(&last[..=shared]);
        out[shared] += 1;
        return;
    }
    // Here one more than `last` is `next` itself, so what can be raised is a later byte.
    succeed_from(last, shared + 1, out);
}

/// Puts into `out` a short user key that is not below `last`.
pub(crate) fn succeed(last: &[u8], out: &mut Vec<u8>) {
    out.clear();
    succeed_from(last, 0, out);
}

/// `last` up to the first byte from `from` on that can be raised, raised; all of `last` if there is none.
fn succeed_from(last: &[u8], from: usize, out: &mut Vec<u8>) {
    let raised = last[from..].iter().position(|&byte| byte != 0xff);
    let Some(raised) = raised.map(|position| from + position) else {
        return out.extend_from_slice(last);
    };
    out.extend_from_slice(&last[..=raised]);
    out[raised] += 1;
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// Keys of few distinct bytes, so that prefixes and neighbours are common.
    fn key() -> impl Strategy<Value = Vec<u8>> {
        vec(select(vec![0u8, 1, 2, 0x7f, 0xfe, 0xff]), 0..5)
    }

    proptest! {
        #[test]
        fn a_separator_lies_between_and_is_no_longer(left in key(), right in key()) {
            prop_assume!(left != right);
            let (last, next) = if left < right { (left, right) } else { (right, left) };
            let mut separator = vec![9];
            separate(&last, &next, &mut separator);
            prop_assert!(last <= separator && separator < next, "{last:?} {separator:?} {next:?}");
            prop_assert!(separator.len() <= last.len());
        }

        #[test]
        fn a_successor_is_not_below_and_no_longer(last in key()) {
            let mut successor = vec![9];
            succeed(&last, &mut successor);
            prop_assert!(last <= successor);
            prop_assert!(successor.len() <= last.len());
        }

        #[test]
        fn the_shared_prefix_is_the_longest(prefix: Vec<u8>, left in key(), right in key()) {
            let (left, right) = ([prefix.clone(), left].concat(), [prefix, right].concat());
            let shared = shared_prefix(&left, &right);
            prop_assert_eq!(&left[..shared], &right[..shared]);
            prop_assert!(left.get(shared).is_none() || left.get(shared) != right.get(shared));
        }
    }

    #[test]
    fn separators_are_short() {
        let mut separator = Vec::new();
        for (last, next, expected) in [
            ("data/part-0001", "data/part-0002", "data/part-0001"),
            ("data/part-0001", "data/part-0003", "data/part-0002"),
            ("data/part-0001", "data/part-0002/x", "data/part-0002"),
            ("data/a/long/name", "data/b", "data/a0"),
            ("data/a/long/name", "data/x", "data/b"),
            ("data", "data/x", "data"),
        ] {
            separate(last.as_bytes(), next.as_bytes(), &mut separator);
            assert_eq!(separator, expected.as_bytes(), "between {last} and {next}");
        }
    }

    #[test]
    fn one_user_key_orders_by_trailer_the_greatest_first() {
        let key = |user: &str, trailer: u64| [user.as_bytes(), &trailer.to_le_bytes()].concat();
        assert_eq!(compare(&key("a", 1), &key("a", 0)), Ordering::Less);
        assert_eq!(compare(&key("a", 0x100), &key("a", 0xff)), Ordering::Less);
        assert_eq!(compare(&key("a", 0), &key("a\0", u64::MAX)), Ordering::Less);
    }
}
