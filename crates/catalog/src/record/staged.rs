//! Staged entries: `s | token | 0 | lane` → fence stripe; `s | token | 1 | path` → entry or tombstone.
//!
//! Beside them, `s | token | 2 | …` is the [change log](super::path_change).
//!
//! An entry is kept in the form that ranges hold, so that folding copies bytes and decodes nothing.

use braid_kv::KeyRange;
use braid_tree::Value;
use braid_types::{Code, Error, Result, StagingToken};
use bytes::{BufMut, Bytes, BytesMut};

use super::key::{self, Table};
use super::value;

const WHAT: &str = "staged entry";
const FENCE: u8 = 0;
const ENTRY: u8 = 1;
const TOMBSTONE: u8 = 0;
const PUT: u8 = 1;

/// Encodes a put.
pub(crate) fn encode_put(value: &Value) -> Bytes {
    let framed = value.as_bytes();
    let mut bytes = BytesMut::with_capacity(framed.len() + 1);
    bytes.put_u8(PUT);
    bytes.put_slice(framed);
    bytes.freeze()
}

/// Encodes a delete.
pub(crate) fn encode_tombstone() -> Bytes {
    Bytes::from_static(&[TOMBSTONE])
}

/// The value that was put, or `None` for a tombstone.
pub(crate) fn decode(bytes: &Bytes) -> Result<Option<Value>> {
    match bytes.first() {
        Some(&TOMBSTONE) if bytes.len() == 1 => Ok(None),
        Some(&PUT) => match Value::from_bytes(bytes.slice(1..)) {
            Ok(value) => Ok(Some(value)),
            Err(reason) => Err(value::corrupt(WHAT, &reason.to_string())),
        },
        Some(&other) => {
            let message = format!("{WHAT} is stored as kind {other}, which this version does not know");
            Err(Error::new(Code::UnsupportedFormat, WHAT, message))
        }
        None => Err(value::corrupt(WHAT, "it is empty")),
    }
}

pub(crate) fn key(token: &StagingToken, path: &[u8]) -> Bytes {
    key::key(Table::Staging, &[token.as_bytes(), &[ENTRY], path])
}

/// Every staged entry of a token.
pub(crate) fn range(token: &StagingToken) -> KeyRange {
    KeyRange::prefix(&key(token, &[]))
}

/// The staged entries of a token whose paths are `from` or after it, and before `until` if that is given.
pub(crate) fn range_between(token: &StagingToken, from: &[u8], until: Option<&[u8]>) -> KeyRange {
    let end = until.map_or_else(|| range(token).end, |until| key(token, until));
    KeyRange::new(key(token, from), end)
}

/// The path in a key made by [`key()`].
pub(crate) fn parse_key(token: &StagingToken, key: &Bytes) -> Result<Bytes> {
    let path = key::rest(key, Table::Staging, token.as_bytes()).and_then(|rest| rest.strip_prefix(&[ENTRY]));
    let path = path.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))?;
    Ok(key.slice_ref(path))
}

/// Where the stripes of a token's fence lie.
pub(crate) fn fence_prefix(token: &StagingToken) -> Bytes {
    key::key(Table::Staging, &[token.as_bytes(), &[FENCE]])
}

/// Where a token's fence lies.
pub(crate) fn fence_range(token: &StagingToken) -> KeyRange {
    KeyRange::prefix(&fence_prefix(token))
}

/// Everything under a token but its fence.
pub(crate) fn content_range(token: &StagingToken) -> KeyRange {
    let all = KeyRange::prefix(&key::key(Table::Staging, &[token.as_bytes()]));
    KeyRange::new(fence_range(token).end, all.end)
}
