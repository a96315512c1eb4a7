//! Entries as they are stored: lakeFS's protobuf `Entry`.
//!
//! The field numbers are lakeFS's. Maps are written in key order, so that equal entries have equal bytes; unknown
//! fields are ignored. [`EntryView`](crate::EntryView) reads what is written here.

use std::collections::BTreeMap;

use braid_types::{AddressType, Entry, Time};
use prost::Message;

use crate::protobuf::Fields;

pub(crate) const ADDRESS: u32 = 1;
pub(crate) const LAST_MODIFIED: u32 = 2;
pub(crate) const SIZE: u32 = 3;
pub(crate) const E_TAG: u32 = 4;
pub(crate) const METADATA: u32 = 5;
pub(crate) const ADDRESS_TYPE: u32 = 6;
pub(crate) const CONTENT_TYPE: u32 = 7;

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

/// The size that a stored entry states, in bytes, without reading the rest of it; `None` if it states none that is
/// possible, or its fields cannot be told apart. Data that is an entry always has one.
#[inline]
pub(crate) fn size(data: &[u8]) -> Option<u64> {
    let mut fields = Fields::new(data);
    let mut size = 0;
    while let Some((number, wire_type)) = fields.next().ok()? {
        match number {
            SIZE => size = fields.number(wire_type).ok()?.cast_signed(),
            METADATA => {
                fields.map_entry().ok()?;
            }
            _ => fields.skip(number, wire_type).ok()?,
        }
    }
    u64::try_from(size).ok()
}

fn stored_address_type(address_type: AddressType) -> i32 {
    match address_type {
        AddressType::ByPrefix => 0,
        AddressType::Relative => 1,
        AddressType::Full => 2,
    }
}

fn stored_time(time: Time) -> Timestamp {
    let nanos = i32::try_from(time.nanos).expect("nanoseconds are below one second");
    Timestamp { seconds: time.seconds, nanos }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::EntryView;

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

    fn decode(data: &[u8]) -> Option<Entry> {
        EntryView::parse(data).ok().map(|view| view.to_entry())
    }

    /// What `prost` makes of the bytes.
    fn decode_by_prost(data: &[u8]) -> Option<Entry> {
        let stored = StoredEntry::decode(data).ok()?;
        let time = stored.last_modified.unwrap_or_default();
        let nanos = u32::try_from(time.nanos).ok().filter(|&nanos| nanos < 1_000_000_000)?;
        let kinds = [AddressType::ByPrefix, AddressType::Relative, AddressType::Full];
        Some(Entry {
            address: stored.address,
            address_type: *kinds.get(usize::try_from(stored.address_type).ok()?)?,
            size: u64::try_from(stored.size).ok()?,
            checksum: stored.e_tag,
            content_type: stored.content_type,
            metadata: stored.metadata,
            mtime: Time { seconds: time.seconds, nanos },
        })
    }

    /// Bytes that are often read as fields: keys of all numbers and wire types, short lengths, and other bytes.
    fn field_bytes() -> impl Strategy<Value = Vec<u8>> {
        let key = (0_u8..9, 0_u8..8).prop_map(|(number, wire_type)| number << 3 | wire_type);
        vec(prop_oneof![2 => key, 2 => 0_u8..6, 1 => any::<u8>()], 0..24)
    }

    fn assert_read_alike(data: &[u8]) {
        let expected = decode_by_prost(data);
        assert_eq!(decode(data), expected, "{data:?}");
        if let Some(entry) = expected {
            assert_eq!(size(data), Some(entry.size), "{data:?}");
        }
    }

    proptest! {
        #[test]
        fn entries_round_trip(entry in entries()) {
            let data = encode(&entry);
            prop_assert_eq!(size(&data), Some(entry.size));
            prop_assert_eq!(decode(&data).unwrap(), entry);
        }

        #[test]
        fn damaged_entries_are_read_and_refused_as_by_prost(
            entry in entries(),
            damage in vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let mut data = encode(&entry);
            for (at, byte) in damage {
                let at = at.index(data.len());
                data[at] = byte;
            }
            assert_read_alike(&data);
            assert_read_alike(&data[..cut.index(data.len() + 1)]);
        }

        #[test]
        fn any_bytes_are_read_and_refused_as_by_prost(data in field_bytes()) {
            assert_read_alike(&data);
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
            assert_read_alike(wrong);
            assert_eq!(decode(wrong), None, "{wrong:?}");
        }
        assert_eq!(size(b"\x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), None);
        assert_eq!(size(b"data"), None);
    }

    #[test]
    fn groups_and_numbers_are_read_to_the_same_limits_as_by_prost() {
        for depth in [1, 2, 99, 100, 101, 300] {
            let mut groups = vec![0x43; depth];
            groups.extend(vec![0x44; depth]);
            assert_read_alike(&groups);
            let with_field = [&groups[..depth], b"\x40\x01", &groups[depth..]].concat();
            assert_read_alike(&with_field);
            let mut in_time = vec![0x12, 2 * depth.min(63) as u8];
            in_time.extend(vec![0x43; depth.min(63)]);
            in_time.extend(vec![0x44; depth.min(63)]);
            assert_read_alike(&in_time);
        }
        for last in [0, 1, 2, 0x7f, 0x80] {
            let number = [&[0x18][..], &[0x80; 9], &[last]].concat();
            assert_read_alike(&number);
            assert_read_alike(&[&number[..], &[0x80; 3]].concat());
        }
    }
}
