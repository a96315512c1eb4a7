//! The stored form of values: a format byte, then protobuf that only the catalog reads.

use std::collections::BTreeMap;

use braid_types::{Code, CommitId, Error, MetarangeId, Result, StagingToken, Time};
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;

const FORMAT: u8 = 1;

/// The value of `message`.
pub(super) fn encode(message: &impl Message) -> Bytes {
    encode_as(FORMAT, message)
}

/// The value of `message` in a format of its kind's own.
pub(super) fn encode_as(format: u8, message: &impl Message) -> Bytes {
    let mut value = BytesMut::with_capacity(message.encoded_len() + 1);
    value.put_u8(format);
    message.encode(&mut value).expect("a growing buffer has room");
    value.freeze()
}

/// The message in `value`; `what` names the record in errors.
pub(super) fn decode<M: Message + Default>(value: &[u8], what: &str) -> Result<M> {
    decode_up_to(FORMAT, value, what)
}

/// The message in `value`, of a kind whose formats up to `newest` are one message.
pub(super) fn decode_up_to<M: Message + Default>(newest: u8, value: &[u8], what: &str) -> Result<M> {
    match value.split_first() {
        Some((format, message)) if (FORMAT..=newest).contains(format) => {
            M::decode(message).map_err(|error| corrupt(what, &error.to_string()))
        }
        Some((&newer, _)) => {
            let message = format!("{what} is stored in format {newer}; this version reads up to {newest}");
            Err(Error::new(Code::UnsupportedFormat, what, message))
        }
        None => Err(corrupt(what, "it is empty")),
    }
}

/// The error of a record that cannot be what Braid wrote.
pub(super) fn corrupt(what: &str, reason: &str) -> Error {
    Error::new(Code::Corrupt, what, format!("the stored {what} cannot be read: {reason}"))
}

/// A point in time as it is stored.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct StoredTime {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(uint32, tag = "2")]
    nanos: u32,
}

impl From<Time> for StoredTime {
    fn from(time: Time) -> Self {
        Self { seconds: time.seconds, nanos: time.nanos }
    }
}

impl From<StoredTime> for Time {
    fn from(time: StoredTime) -> Self {
        Self { seconds: time.seconds, nanos: time.nanos }
    }
}

/// The time in a field that every writer sets.
pub(super) fn time(field: Option<StoredTime>) -> Time {
    field.map(Time::from).unwrap_or_default()
}

/// The bytes of an optional tree: none for the empty one.
pub(super) fn tree_bytes(tree: Option<MetarangeId>) -> Vec<u8> {
    tree.map(|id| id.as_bytes().to_vec()).unwrap_or_default()
}

/// The tree in a field written by [`tree_bytes`].
pub(super) fn tree(bytes: &[u8], what: &str) -> Result<Option<MetarangeId>> {
    if bytes.is_empty() {
        return Ok(None);
    }
    MetarangeId::from_slice(bytes).map(Some).ok_or_else(|| corrupt(what, "a metarange id has 32 bytes"))
}

/// The commit id in a field.
pub(super) fn commit_id(bytes: &[u8], what: &str) -> Result<CommitId> {
    CommitId::from_slice(bytes).ok_or_else(|| corrupt(what, "a commit id has 32 bytes"))
}

/// The staging token in a field.
pub(super) fn token(bytes: &[u8], what: &str) -> Result<StagingToken> {
    StagingToken::from_slice(bytes).ok_or_else(|| corrupt(what, "a staging token has 16 bytes"))
}

/// Metadata as it is stored.
pub(super) type StoredMap = BTreeMap<String, String>;
