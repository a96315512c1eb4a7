//! The encoding of keys in PD's world: region bounds are encoded so, the keys in requests to stores are not.
//!
//! A key is cut into groups of eight bytes; each is filled up with zeros and followed by a byte that says how full it is:
//! 0xFF less the number of zeros. The last group is never full. So encoded keys compare as the keys do, and none is a
//! prefix of another.

const GROUP: usize = 8;
const FULL: u8 = 0xFF;

/// `key`, encoded.
pub(crate) fn encode(key: &[u8]) -> Vec<u8> {
    let groups = key.len() / GROUP + 1;
    let mut encoded = Vec::with_capacity(groups * (GROUP + 1));
    for at in (0..groups).map(|group| group * GROUP) {
        let group = &key[at..key.len().min(at + GROUP)];
        encoded.extend_from_slice(group);
        let filling = GROUP - group.len();
        encoded.resize(encoded.len() + filling, 0);
        encoded.push(FULL - u8::try_from(filling).expect("a group is eight bytes"));
    }
    encoded
}

/// The key that `encoded` encodes; `None` if it encodes none.
pub(crate) fn decode(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut key = Vec::with_capacity(encoded.len());
    let mut groups = encoded.chunks(GROUP + 1);
    loop {
        let (bytes, marker) = groups.next()?.split_first_chunk::<GROUP>()?;
        let filling = usize::from(FULL - *marker.first()?);
        let (content, zeros) = bytes.split_at(GROUP.checked_sub(filling)?);
        key.extend_from_slice(content);
        if zeros.iter().any(|&byte| byte != 0) {
            return None;
        }
        if filling > 0 {
            return groups.next().is_none().then_some(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{decode, encode};

    #[test]
    fn groups_of_eight_say_how_full_they_are() {
        assert_eq!(encode(b""), [0, 0, 0, 0, 0, 0, 0, 0, 247]);
        assert_eq!(encode(&[1, 2, 3]), [1, 2, 3, 0, 0, 0, 0, 0, 250]);
        assert_eq!(
            encode(&[1, 2, 3, 4, 5, 6, 7, 8]),
            [1, 2, 3, 4, 5, 6, 7, 8, 255, 0, 0, 0, 0, 0, 0, 0, 0, 247]
        );
    }

    #[test]
    fn what_encodes_no_key_is_refused() {
        let whole = encode(b"eight by and more");
        assert!((0..whole.len()).all(|length| decode(&whole[..length]).is_none()));
        assert_eq!(decode(&[whole.as_slice(), &encode(b"")].concat()), None);
        assert_eq!(decode(&[1, 2, 3, 9, 0, 0, 0, 0, 250]), None);
        assert_eq!(decode(&[1, 0, 0, 0, 0, 0, 0, 0, 1]), None);
    }

    proptest! {
        #[test]
        fn encoded_keys_compare_as_the_keys_do(a in vec(0..3u8, 0..20), b in vec(0..3u8, 0..20)) {
            prop_assert_eq!(decode(&encode(&a)), Some(a.clone()));
            prop_assert_eq!(encode(&a).cmp(&encode(&b)), a.cmp(&b));
        }
    }
}
