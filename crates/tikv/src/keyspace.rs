//! Which part of the cluster's keys a client works in, and how its keys look there.

use bytes::Bytes;

use crate::proto::kvrpcpb::ApiVersion;
use crate::range::KeyRange;

/// The mode byte of transactional keys in API version 2, and the one after it.
const MODE: u8 = b'x';
const AFTER_MODE: u8 = MODE + 1;

/// A part of the cluster's keys. Callers' keys become the cluster's on the way in, and theirs again on the way out; all
/// code between the two knows the cluster's only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keyspace {
    /// Mode and keyspace id; none: API version 1.
    prefix: Option<[u8; 4]>,
}

impl Keyspace {
    /// All keys of a cluster without keyspaces.
    pub(crate) fn whole() -> Self {
        Self { prefix: None }
    }

    /// The keyspace of an id; `None` if it has more than three bytes.
    pub(crate) fn of_id(id: u32) -> Option<Self> {
        let [0, a, b, c] = id.to_be_bytes() else {
            return None;
        };
        Some(Self { prefix: Some([MODE, a, b, c]) })
    }

    pub(crate) fn api_version(&self) -> ApiVersion {
        if self.prefix.is_some() { ApiVersion::V2 } else { ApiVersion::V1 }
    }

    /// The cluster's key of a caller's.
    pub(crate) fn enter(&self, key: &Bytes) -> Bytes {
        match self.prefix {
            None => key.clone(),
            Some(prefix) => [&prefix, key.as_ref()].concat().into(),
        }
    }

    /// As [`enter`](Self::enter), of a borrowed key.
    pub(crate) fn enter_slice(&self, key: &[u8]) -> Bytes {
        [self.prefix.as_ref().map_or(&[][..], |prefix| prefix), key].concat().into()
    }

    /// A caller's key of the cluster's. A key of another keyspace, which only a conflict with strangers can name, stays as
    /// it is.
    pub(crate) fn leave(&self, key: &Bytes) -> Bytes {
        match self.prefix {
            Some(prefix) if key.starts_with(&prefix) => key.slice(prefix.len()..),
            _ => key.clone(),
        }
    }

    /// The cluster's range of a caller's.
    pub(crate) fn enter_range(&self, range: &KeyRange) -> KeyRange {
        let start = self.enter(&range.start);
        let end = match self.prefix {
            Some(prefix) if range.end.is_empty() => {
                // The last keyspace ends where the mode does.
                let after = u32::from_be_bytes(prefix) + 1;
                after.to_be_bytes().to_vec().into()
            }
            _ if range.end.is_empty() => Bytes::new(),
            _ => self.enter(&range.end),
        };
        KeyRange { start, end }
    }

    /// Every key that transactions of this and all other keyspaces may have.
    pub(crate) fn everybodys(&self) -> KeyRange {
        match self.prefix {
            None => KeyRange::all(),
            Some(_) => KeyRange::new(vec![MODE], vec![AFTER_MODE]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_keyspace_carry_its_prefix() {
        let keyspace = Keyspace::of_id(0x01_02_03).unwrap();
        let key = keyspace.enter(&Bytes::from_static(b"k"));
        assert_eq!(key, b"x\x01\x02\x03k".as_slice());
        assert_eq!(keyspace.enter_slice(b"k"), key);
        assert_eq!(keyspace.leave(&key), b"k".as_slice());
        assert_eq!(keyspace.leave(&Bytes::from_static(b"x\0\0\x01k")), b"x\0\0\x01k".as_slice());
        assert_eq!(Keyspace::of_id(1 << 24), None);
    }

    #[test]
    fn a_range_without_end_ends_with_its_keyspace() {
        let range = |id| Keyspace::of_id(id).unwrap().enter_range(&KeyRange::all());
        assert_eq!(range(1), KeyRange::new(&b"x\0\0\x01"[..], &b"x\0\0\x02"[..]));
        assert_eq!(range(0xFF_FF_FF), KeyRange::new(&b"x\xFF\xFF\xFF"[..], &b"y\0\0\0"[..]));
        assert_eq!(Keyspace::whole().enter_range(&KeyRange::all()), KeyRange::all());
    }

    #[test]
    fn without_keyspaces_keys_stay_as_they_are() {
        let key = Bytes::from_static(b"k");
        assert_eq!(Keyspace::whole().enter(&key), key);
        assert_eq!(Keyspace::whole().leave(&key), key);
    }
}
