//! Values of records: an identity and data, each with its length in front.
//!
//! The framing is lakeFS's: `varint(len) identity varint(len) data`, where the varints are zigzag. What follows the
//! data is ignored. In a range the data is an entry, in a metarange the description of a range.

use braid_types::Entry;
use bytes::{BufMut, Bytes, BytesMut};

use crate::{EntryView, stored_entry};

/// The most bytes an identity, or data, may have.
pub const MAX_PART_BYTES: usize = 41_943_040;

/// Why bytes are not a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// The bytes end inside the framing, the identity or the data.
    #[error("{len} bytes end before the {part}")]
    Truncated {
        /// How many bytes there are.
        len: usize,
        /// The part that is not there in full.
        part: &'static str,
    },
    /// A length is negative, above [`MAX_PART_BYTES`], or not a varint.
    #[error("length of the {part} is not a length up to {MAX_PART_BYTES}")]
    Length {
        /// The part it is the length of.
        part: &'static str,
    },
    /// The data is not an entry.
    #[error("data is not an entry: {what}")]
    NotAnEntry {
        /// What is wrong with it.
        what: String,
    },
}

/// A value in its stored form. Always well framed; clones share the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Value(Bytes);

impl Value {
    /// The value that an entry is stored as.
    pub fn of(entry: &Entry) -> Self {
        Self::framed(&entry.identity(), &stored_entry::encode(entry))
    }

    /// Frames an identity and data. Both must be at most [`MAX_PART_BYTES`] long.
    pub fn framed(identity: &[u8], data: &[u8]) -> Self {
        assert!(identity.len().max(data.len()) <= MAX_PART_BYTES, "callers keep to the limits of entries");
        let mut bytes = BytesMut::with_capacity(identity.len() + data.len() + 10);
        put_part(&mut bytes, identity);
        put_part(&mut bytes, data);
        Self(bytes.freeze())
    }

    /// Takes stored bytes as a value.
    pub fn from_bytes(bytes: Bytes) -> Result<Self, ValueError> {
        split(&bytes)?;
        Ok(Self(bytes))
    }

    /// The stored bytes.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }

    /// What makes two values the same content: an entry's identity hash.
    pub fn identity(&self) -> &[u8] {
        self.parts().0
    }

    /// The data that the identity stands for.
    pub fn data(&self) -> &[u8] {
        self.parts().1
    }

    /// Decodes the data as an entry.
    pub fn entry(&self) -> Result<Entry, ValueError> {
        self.entry_view().map(|view| view.to_entry())
    }

    /// Reads the data as an entry in place.
    pub fn entry_view(&self) -> Result<EntryView<'_>, ValueError> {
        EntryView::parse(self.data())
    }

    fn parts(&self) -> (&[u8], &[u8]) {
        split(&self.0).expect("the framing was checked when the value was made")
    }
}

/// The identity in a value's stored bytes.
pub(crate) fn identity(value: &[u8]) -> Result<&[u8], ValueError> {
    Ok(take_part(value, "identity")?.0)
}

/// The data in a value's stored bytes.
pub(crate) fn data(value: &[u8]) -> Result<&[u8], ValueError> {
    Ok(split(value)?.1)
}

/// The size of the object that a value's stored bytes are the entry of, in bytes; `None` if they are not an entry's.
pub(crate) fn entry_size(value: &[u8]) -> Option<u64> {
    stored_entry::size(data(value).ok()?)
}

fn split(value: &[u8]) -> Result<(&[u8], &[u8]), ValueError> {
    let (identity, rest) = take_part(value, "identity")?;
    let (data, _ignored) = take_part(rest, "data")?;
    Ok((identity, data))
}

fn take_part<'a>(bytes: &'a [u8], part: &'static str) -> Result<(&'a [u8], &'a [u8]), ValueError> {
    let (length, rest) = take_length(bytes, part)?;
    rest.split_at_checked(length).ok_or(ValueError::Truncated { len: bytes.len(), part })
}

fn take_length<'a>(bytes: &'a [u8], part: &'static str) -> Result<(usize, &'a [u8]), ValueError> {
    let mut zigzag = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        zigzag |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            let length = usize::try_from(zigzag >> 1).unwrap_or(usize::MAX);
            let negative = zigzag & 1 == 1;
            if negative || length > MAX_PART_BYTES {
                return Err(ValueError::Length { part });
            }
            return Ok((length, &bytes[index + 1..]));
        }
    }
    // Five bytes hold any length that is allowed.
    match bytes.len() {
        0..5 => Err(ValueError::Truncated { len: bytes.len(), part }),
        _ => Err(ValueError::Length { part }),
    }
}

fn put_part(bytes: &mut BytesMut, part: &[u8]) {
    let mut zigzag = (part.len() as u64) << 1;
    while zigzag >= 0x80 {
        bytes.put_u8(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    bytes.put_u8(zigzag as u8);
    bytes.put_slice(part);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_identity_of_32_bytes_begins_with_0x40() {
        assert_eq!(Value::framed(&[9; 32], b"data").as_bytes()[0], 0x40);
    }

    #[test]
    fn what_follows_the_data_is_ignored() {
        let value = Value::from_bytes(Bytes::from_static(b"\x02i\x04dd-more")).unwrap();
        assert_eq!((value.identity(), value.data()), (&b"i"[..], &b"dd"[..]));
    }

    #[test]
    fn lengths_that_are_negative_too_large_or_endless_are_refused() {
        let negative = Value::from_bytes(Bytes::from_static(b"\x01i\x00")).unwrap_err();
        assert_eq!(negative, ValueError::Length { part: "identity" });
        let large = Value::from_bytes(Bytes::from_static(b"\x00\xfe\xff\xff\xff\x0f")).unwrap_err();
        assert_eq!(large, ValueError::Length { part: "data" });
        let endless = Value::from_bytes(Bytes::from_static(&[0x80; 12])).unwrap_err();
        assert_eq!(endless, ValueError::Length { part: "identity" });
    }

    proptest! {
        #[test]
        fn framing_round_trips_and_no_prefix_of_it_is_a_value(
            identity in prop::collection::vec(any::<u8>(), 0..200),
            data in prop::collection::vec(any::<u8>(), 0..200),
        ) {
            let value = Value::framed(&identity, &data);
            prop_assert_eq!(value.identity(), &identity[..]);
            prop_assert_eq!(value.data(), &data[..]);
            for len in 0..value.as_bytes().len() {
                prop_assert!(Value::from_bytes(value.as_bytes().slice(..len)).is_err());
            }
        }
    }
}
