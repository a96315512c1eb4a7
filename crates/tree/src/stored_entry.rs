//! Entries as they are stored: lakeFS's protobuf `Entry`.
//!
//! The field numbers are lakeFS's. Maps are written in key order, so that equal entries have equal bytes; unknown
//! fields are ignored.

use std::collections::BTreeMap;

use braid_types::{AddressType, Entry, Time};
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct StoredEntry {
    #[prost(string, tag = "1")]
    address: String,
    #[prost(message, optional, tag = "2")]
    last_modified: Option<Timestamp>,
    #[prost(int64, tag = "3")]
    size: i64,
    #[prost(string, tag = "4")]
    e_tag: String,
    #[prost(btree_map = "string, string", tag = "5")]
    metadata: BTreeMap<String, String>,
    #[prost(int32, tag = "6")]
    address_type: i32,
    #[prost(string, tag = "7")]
    content_type: String,
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Timestamp {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// Sizes beyond the signed 64 bits of the format are held at its greatest, as in the identity.
pub(crate) fn encode(entry: &Entry) -> Vec<u8> {
    let stored = StoredEntry {
        address: entry.address.clone(),
        last_modified: Some(stored_time(entry.mtime)),
        size: i64::try_from(entry.size).unwrap_or(i64::MAX),
        e_tag: entry.checksum.clone(),
        metadata: entry.metadata.clone(),
        address_type: stored_address_type(entry.address_type),
        content_type: entry.content_type.clone(),
    };
    stored.encode_to_vec()
}

pub(crate) fn decode(data: &[u8]) -> Result<Entry, String> {
    let stored = StoredEntry::decode(data).map_err(|error| error.to_string())?;
    Ok(Entry {
        address: stored.address,
        address_type: address_type(stored.address_type)?,
        size: u64::try_from(stored.size).map_err(|_| format!("size {} is negative", stored.size))?,
        checksum: stored.e_tag,
        content_type: stored.content_type,
        metadata: stored.metadata,
        mtime: time(stored.last_modified.unwrap_or_default())?,
    })
}

fn stored_address_type(address_type: AddressType) -> i32 {
    match address_type {
        AddressType::ByPrefix => 0,
        AddressType::Relative => 1,
        AddressType::Full => 2,
    }
}

fn address_type(stored: i32) -> Result<AddressType, String> {
    match stored {
        0 => Ok(AddressType::ByPrefix),
        1 => Ok(AddressType::Relative),
        2 => Ok(AddressType::Full),
        _ => Err(format!("address type {stored} is not 0, 1 or 2")),
    }
}

fn stored_time(time: Time) -> Timestamp {
    let nanos = i32::try_from(time.nanos).expect("nanoseconds are below one second");
    Timestamp { seconds: time.seconds, nanos }
}

fn time(stored: Timestamp) -> Result<Time, String> {
    match u32::try_from(stored.nanos) {
        Ok(nanos) if nanos < 1_000_000_000 => Ok(Time { seconds: stored.seconds, nanos }),
        _ => Err(format!("{} nanoseconds are not part of a second", stored.nanos)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entries() -> impl Strategy<Value = Entry> {
        let text = ".{0,20}";
        let time = (any::<i64>(), 0_u32..1_000_000_000).prop_map(|(seconds, nanos)| Time { seconds, nanos });
        let kind =
            prop::sample::select(vec![AddressType::ByPrefix, AddressType::Relative, AddressType::Full]);
        let metadata = prop::collection::btree_map(text, text, 0..5);
        (text, kind, 0..=i64::MAX as u64, text, text, metadata, time).prop_map(
            |(address, address_type, size, checksum, content_type, metadata, mtime)| Entry {
                address,
                address_type,
                size,
                checksum,
                content_type,
                metadata,
                mtime,
            },
        )
    }

    proptest! {
        #[test]
        fn entries_round_trip(entry in entries()) {
            prop_assert_eq!(decode(&encode(&entry)).unwrap(), entry);
        }
    }

    #[test]
    fn field_numbers_are_those_of_lakefs() {
        let entry = Entry {
            address: "a".into(),
            address_type: AddressType::Full,
            size: 3,
            checksum: "e".into(),
            content_type: "c".into(),
            metadata: BTreeMap::from([("y".into(), "2".into()), ("x".into(), "1".into())]),
            mtime: Time { seconds: 5, nanos: 6 },
        };
        let expected = b"\x0a\x01a\x12\x04\x08\x05\x10\x06\x18\x03\x22\x01e\
            \x2a\x06\x0a\x01x\x12\x011\x2a\x06\x0a\x01y\x12\x012\x30\x02\x3a\x01c";
        assert_eq!(encode(&entry), expected);
    }

    #[test]
    fn unknown_fields_are_ignored_and_impossible_values_refused() {
        assert_eq!(decode(b"\x0a\x01a\x98\x06\x07").unwrap().address, "a");
        for wrong in [&b"\x30\x03"[..], b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", b"\x0a\x05a"] {
            assert!(decode(wrong).is_err(), "{wrong:?}");
        }
        let nanos = Timestamp { seconds: 0, nanos: 1_000_000_000 };
        assert!(time(nanos).is_err());
        assert!(time(Timestamp { nanos: -1, ..nanos }).is_err());
    }
}
