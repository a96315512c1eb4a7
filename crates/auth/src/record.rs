//! The stored form of keys, all under table `a`:
//!
//! | key | value |
//! |---|---|
//! | `a k <access key id>` | user, sealed secret, when it was made |
//! | `a c` | a known text, sealed: tells a wrong master key at start-up |
//! | `a f` | id of the first administrator's key: who wrote it first has been given that key |
//!
//! A value is a format byte, then protobuf.

use braid_types::Time;
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

use crate::AuthError;

const FORMAT: u8 = 1;

/// The key of the check record.
pub(crate) const CHECK: &[u8] = b"ac";

/// The key of the marker that the first administrator's key was given out.
pub(crate) const FIRST_ADMIN: &[u8] = b"af";

/// The key of an access key's record.
pub(crate) fn key(id: &str) -> Bytes {
    [b"ak", id.as_bytes()].concat().into()
}

/// A stored access key.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StoredKey {
    #[prost(string, tag = "1")]
    pub(crate) user: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(crate) sealed_secret: Vec<u8>,
    #[prost(int64, tag = "3")]
    created_seconds: i64,
    #[prost(uint32, tag = "4")]
    created_nanos: u32,
}

impl StoredKey {
    pub(crate) fn new(user: &str, sealed_secret: Vec<u8>, created: Time) -> Self {
        let user = user.to_owned();
        Self { user, sealed_secret, created_seconds: created.seconds, created_nanos: created.nanos }
    }

    pub(crate) fn encode_value(&self) -> Bytes {
        let mut value = BytesMut::with_capacity(self.encoded_len() + 1);
        value.put_u8(FORMAT);
        self.encode(&mut value).expect("a growing buffer has room");
        value.freeze()
    }

    /// Reads the record of the key with this id.
    pub(crate) fn decode_value(id: &str, value: &[u8]) -> Result<Self, AuthError> {
        let record = || format!("access key {id}");
        match value.split_first() {
            Some((&FORMAT, message)) => StoredKey::decode(message)
                .map_err(|error| AuthError::Corrupt { record: record(), reason: error.to_string() }),
            Some((&found, _)) => Err(AuthError::Format { record: record(), found, supported: FORMAT }),
            None => Err(AuthError::Corrupt { record: record(), reason: "it is empty".to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip() {
        let stored = StoredKey::new("ada", vec![1, 2, 3], Time { seconds: 5, nanos: 6 });
        assert_eq!(StoredKey::decode_value("K", &stored.encode_value()).unwrap(), stored);
    }

    #[test]
    fn a_newer_format_and_damage_are_told_apart() {
        let newer = StoredKey::decode_value("K", &[2, 0]).unwrap_err();
        assert_eq!(newer, AuthError::Format { record: "access key K".into(), found: 2, supported: 1 });
        for damaged in [&[][..], &[1, 0xff]] {
            let error = StoredKey::decode_value("K", damaged).unwrap_err();
            assert!(matches!(error, AuthError::Corrupt { .. }), "{error}");
        }
    }

    #[test]
    fn no_record_is_the_beginning_of_another_kind() {
        for fixed in [CHECK, FIRST_ADMIN] {
            assert!(!key("BRDA").starts_with(fixed));
        }
    }
}
