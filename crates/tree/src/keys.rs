//! Where keys lie to each other.

use bytes::{BufMut, Bytes, BytesMut};

/// The first key after `key`.
pub fn key_after(key: &[u8]) -> Bytes {
    let mut after = BytesMut::with_capacity(key.len() + 1);
    after.put_slice(key);
    after.put_u8(0);
    after.freeze()
}

/// The first key after all keys that begin with `prefix`; `None` if there can be none.
pub fn prefix_end(prefix: &[u8]) -> Option<Bytes> {
    let last = prefix.iter().rposition(|&byte| byte < u8::MAX)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end.into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_comes_after_a_prefix_of_highest_bytes() {
        assert_eq!(prefix_end(b""), None);
        assert_eq!(prefix_end(b"\xff\xff"), None);
        assert_eq!(prefix_end(b"a\xff").as_deref(), Some(&b"b"[..]));
    }

    proptest! {
        #[test]
        fn the_end_of_a_prefix_parts_its_keys_from_later_ones(
            prefix in prop::collection::vec(prop::sample::select(vec![0, 1, 254, 255]), 0..4),
            key in prop::collection::vec(prop::sample::select(vec![0, 1, 254, 255]), 0..6),
        ) {
            let is_before_end = prefix_end(&prefix).is_none_or(|end| key[..] < end[..]);
            prop_assert_eq!(key >= prefix && is_before_end, key.starts_with(&prefix));
        }

        #[test]
        fn no_key_lies_between_a_key_and_the_one_after_it(
            key in prop::collection::vec(0_u8..2, 0..4),
            other in prop::collection::vec(0_u8..2, 0..6),
        ) {
            prop_assert_eq!(other > key, other[..] >= key_after(&key)[..]);
        }
    }
}
