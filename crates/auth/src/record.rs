//! The stored form of users and keys, all under table `a`:
//!
//! | key | value |
//! |---|---|
//! | `a k <access key id>` | user, sealed secret, when it was made |
//! | `a u <user>` | when the user was made |
//! | `a o <user> 00 <access key id>` | when that key of the user's was made |
//! | `a c` | a known text, sealed: tells a wrong master key at start-up |
//! | `a f` | id of the first administrator's key: who wrote it first has been given that key |
//!
//! A value is a format byte, then protobuf.

use braid_kv::{KeyRange, Transaction};
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

/// The key of a user's record.
pub(crate) fn user(name: &str) -> Bytes {
    [b"au", name.as_bytes()].concat().into()
}

/// All users whose names begin with `prefix`.
pub(crate) fn user_range(prefix: &str) -> KeyRange {
    KeyRange::prefix(&user(prefix))
}

pub(crate) fn parse_user(key: &[u8]) -> Result<String, AuthError> {
    key.strip_prefix(b"au").and_then(text).ok_or_else(|| malformed("user"))
}

/// The key of the row that says whose a key is. Names of users hold no control characters, so none ends another's.
pub(crate) fn owned(user: &str, id: &str) -> Bytes {
    [b"ao", user.as_bytes(), b"\0", id.as_bytes()].concat().into()
}

/// The rows of a user's keys whose ids begin with `prefix`.
pub(crate) fn owned_range(user: &str, prefix: &str) -> KeyRange {
    KeyRange::prefix(&owned(user, prefix))
}

pub(crate) fn parse_owned(user: &str, key: &[u8]) -> Result<String, AuthError> {
    key.strip_prefix(&owned(user, "")[..]).and_then(text).ok_or_else(|| malformed("user's access key"))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

fn malformed(record: &str) -> AuthError {
    AuthError::Corrupt { record: record.to_owned(), reason: "its key is malformed".to_owned() }
}

/// Writes a key's records.
pub(crate) fn put_key(
    txn: &mut dyn Transaction,
    user: &str,
    id: &str,
    stored: &Bytes,
) -> Result<(), AuthError> {
    let created = StoredKey::decode_value(id, stored)?.created();
    txn.put(key(id), stored.clone());
    txn.put(owned(user, id), StoredUser::new(created).encode_value());
    Ok(())
}

/// When a user or a user's key was made.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct StoredUser {
    #[prost(int64, tag = "1")]
    created_seconds: i64,
    #[prost(uint32, tag = "2")]
    created_nanos: u32,
}

impl StoredUser {
    pub(crate) fn new(created: Time) -> Self {
        Self { created_seconds: created.seconds, created_nanos: created.nanos }
    }

    pub(crate) fn created(&self) -> Time {
        Time { seconds: self.created_seconds, nanos: self.created_nanos }
    }

    pub(crate) fn encode_value(&self) -> Bytes {
        encode(self)
    }

    /// Reads the record of the user of this name.
    pub(crate) fn decode_value(name: &str, value: &[u8]) -> Result<Self, AuthError> {
        decode(&format!("user {name}"), value)
    }
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

    pub(crate) fn created(&self) -> Time {
        Time { seconds: self.created_seconds, nanos: self.created_nanos }
    }

    pub(crate) fn encode_value(&self) -> Bytes {
        encode(self)
    }

    /// Reads the record of the key with this id.
    pub(crate) fn decode_value(id: &str, value: &[u8]) -> Result<Self, AuthError> {
        decode(&format!("access key {id}"), value)
    }
}

fn encode(message: &impl Message) -> Bytes {
    let mut value = BytesMut::with_capacity(message.encoded_len() + 1);
    value.put_u8(FORMAT);
    message.encode(&mut value).expect("a growing buffer has room");
    value.freeze()
}

fn decode<M: Message + Default>(record: &str, value: &[u8]) -> Result<M, AuthError> {
    let corrupt = |reason| AuthError::Corrupt { record: record.to_owned(), reason };
    match value.split_first() {
        Some((&FORMAT, message)) => M::decode(message).map_err(|error| corrupt(error.to_string())),
        Some((&found, _)) => Err(AuthError::Format { record: record.to_owned(), found, supported: FORMAT }),
        None => Err(corrupt("it is empty".to_owned())),
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
