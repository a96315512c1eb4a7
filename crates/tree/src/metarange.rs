//! Metaranges: the ranges of a whole tree, in key order.

use std::collections::BTreeMap;

use braid_sstable::{RecordHasher, Table, Writer, WriterOptions};
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use prost::Message;

use crate::range_file::{add_labels, hashed_properties, own_properties, user_properties};
use crate::{TreeError, Value};

pub(crate) const KIND: &str = "metaranges";

/// What a descriptor's stored value, which its keys are slices of, has beside those: the id and lengths.
const VALUE_FRAME_BYTES: usize = 90;

/// What a metarange says of one of its ranges.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeDescriptor {
    /// The first key.
    pub min_key: Bytes,
    /// The last key.
    pub max_key: Bytes,
    /// The range's name.
    pub id: RangeId,
    /// Bytes of all its keys and values, uncompressed; only an estimate in what lakeFS wrote.
    pub size: u64,
    /// How many records it has. At least 1.
    pub count: u64,
    /// The sum of its entries' sizes: bytes of the objects that they stand for. `None` in what lakeFS wrote, and where a
    /// record is no entry.
    pub data_bytes: Option<u64>,
}

/// A decoded metarange: descriptors of ranges that do not overlap, in key order. A tree's is in memory whole, with some 45 KiB
/// for a million entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metarange {
    ranges: Vec<RangeDescriptor>,
}

/// lakeFS's protobuf `RangeData`. lakeFS ignores fields that it does not know; ours have numbers that it will hardly come
/// to use.
#[derive(Clone, PartialEq, Message)]
struct StoredDescriptor {
    #[prost(bytes = "bytes", tag = "1")]
    min_key: Bytes,
    #[prost(bytes = "bytes", tag = "2")]
    max_key: Bytes,
    #[prost(uint64, tag = "3")]
    estimated_size: u64,
    #[prost(int64, tag = "4")]
    count: i64,
    #[prost(uint64, optional, tag = "1001")]
    data_bytes: Option<u64>,
}

impl Metarange {
    /// Decodes a metarange's file and checks all of it: that its records hash to `id`, and that its ranges are in
    /// order.
    ///
    /// # Errors
    /// [`TreeError::Corrupt`].
    pub fn decode(id: &MetarangeId, file: Bytes) -> Result<Self, TreeError> {
        let (ranges, found) = read(file).map_err(|what| TreeError::corrupt(*id, what))?;
        if found != *id {
            return Err(TreeError::corrupt(*id, format!("its records hash to '{found}'")));
        }
        Ok(Self { ranges })
    }

    /// The ranges, in key order.
    pub fn ranges(&self) -> &[RangeDescriptor] {
        &self.ranges
    }

    /// Index of the first range that may hold `key` or a key after it; the number of ranges if there is none.
    pub fn position(&self, key: &[u8]) -> usize {
        self.ranges.partition_point(|range| range.max_key < key)
    }

    /// The only range that may hold `key`.
    pub fn covering(&self, key: &[u8]) -> Option<&RangeDescriptor> {
        self.ranges.get(self.position(key)).filter(|range| range.min_key <= key)
    }

    /// How many records the tree has.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|range| range.count).sum()
    }

    /// About how many bytes of memory it takes.
    pub fn memory_bytes(&self) -> usize {
        let keys: usize = self.ranges.iter().map(|range| range.min_key.len() + range.max_key.len()).sum();
        keys + self.ranges.len() * (size_of::<RangeDescriptor>() + VALUE_FRAME_BYTES)
    }

    /// Bytes of all keys and values of the tree.
    pub fn size(&self) -> u64 {
        self.ranges.iter().map(|range| range.size).sum()
    }
}

/// Writes the metarange of these ranges, which must be in key order and not none: the empty tree has no metarange.
pub(crate) fn encode(ranges: &[RangeDescriptor], options: WriterOptions) -> (MetarangeId, Bytes) {
    assert!(!ranges.is_empty(), "the empty tree has no metarange");
    encode_labelled(ranges, &BTreeMap::new(), options)
}

/// The same with labels that are part of its id, of any number of ranges.
pub(crate) fn encode_labelled(
    ranges: &[RangeDescriptor],
    labels: &BTreeMap<String, String>,
    options: WriterOptions,
) -> (MetarangeId, Bytes) {
    let mut writer = Writer::new(options);
    let mut hasher = RecordHasher::new();
    for range in ranges {
        let value = stored_value(range);
        hasher.add(&range.max_key, value.as_bytes());
        writer
            .add(&range.max_key, value.as_bytes())
            .expect("keys of ranges ascend, and descriptors are within the limits of records");
    }
    let key = |range: Option<&RangeDescriptor>| range.map(|range| range.max_key.clone()).unwrap_or_default();
    let (first, last) = (key(ranges.first()), key(ranges.last()));
    let mut properties = user_properties(KIND, &first, &last, writer.count(), writer.raw_bytes());
    add_labels(&mut properties, labels);
    let file = writer.finish(&properties).expect("properties are short");
    (MetarangeId::from_bytes(hasher.finish(&own_properties(KIND, labels))), file.into())
}

fn stored_value(range: &RangeDescriptor) -> Value {
    let data = StoredDescriptor {
        min_key: range.min_key.clone(),
        max_key: range.max_key.clone(),
        estimated_size: range.size,
        count: i64::try_from(range.count).expect("a range in memory has fewer than 2^63 records"),
        data_bytes: range.data_bytes,
    };
    Value::framed(range.id.to_hex().as_bytes(), &data.encode_to_vec())
}

fn read(file: Bytes) -> Result<(Vec<RangeDescriptor>, MetarangeId), String> {
    let table = Table::open(file).map_err(|corruption| corruption.to_string())?;
    let properties = hashed_properties(table.properties(), KIND)?;
    let mut hasher = RecordHasher::new();
    let mut ranges: Vec<RangeDescriptor> = Vec::new();
    let mut cursor = table.cursor();
    while let Some((key, value)) = cursor.next().map_err(|corruption| corruption.to_string())? {
        hasher.add(key, value);
        let range = descriptor(key, Bytes::copy_from_slice(value))
            .map_err(|what| format!("range up to '{}': {what}", key.escape_ascii()))?;
        if ranges.last().is_some_and(|previous| previous.max_key >= range.min_key) {
            return Err(format!("range up to '{}' overlaps the one before it", key.escape_ascii()));
        }
        ranges.push(range);
    }
    if !can_be_added_up(&ranges) {
        return Err("its ranges together are larger than any tree".to_owned());
    }
    Ok((ranges, MetarangeId::from_bytes(hasher.finish(&properties))))
}

/// Whether counts and sizes fit 64 bits together, so that whoever adds up any of them need not ask. Bytes of data are what
/// entries claim, which a tree may hold whatever they are; who adds them up minds that.
fn can_be_added_up(ranges: &[RangeDescriptor]) -> bool {
    let add = |[count, size]: [u64; 2], range: &RangeDescriptor| {
        Some([count.checked_add(range.count)?, size.checked_add(range.size)?])
    };
    ranges.iter().try_fold([0; 2], add).is_some()
}

/// What a record of a metarange says.
pub(crate) fn descriptor(key: &[u8], value: Bytes) -> Result<RangeDescriptor, String> {
    let value = Value::from_bytes(value).map_err(|error| error.to_string())?;
    // Its keys are slices of the value, so that a descriptor is one allocation.
    let data = value.as_bytes().slice_ref(value.data());
    let stored = StoredDescriptor::decode(data).map_err(|error| error.to_string())?;
    let id = std::str::from_utf8(value.identity()).ok().and_then(|hex| hex.parse().ok());
    let range = RangeDescriptor {
        id: id.ok_or("its identity is not a range id")?,
        count: u64::try_from(stored.count).unwrap_or(0),
        size: stored.estimated_size,
        data_bytes: stored.data_bytes,
        min_key: stored.min_key,
        max_key: stored.max_key,
    };
    if range.count == 0 || range.min_key > range.max_key || range.max_key != key {
        return Err("its count or its bounds are impossible".to_owned());
    }
    Ok(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(min_key: &'static str, max_key: &'static str, count: u64) -> RangeDescriptor {
        let id = RangeId::from_bytes([count as u8; 32]);
        let (min_key, max_key) = (min_key.into(), max_key.into());
        RangeDescriptor { min_key, max_key, id, size: 10, count, data_bytes: None }
    }

    fn decoded(ranges: &[RangeDescriptor]) -> Result<Metarange, TreeError> {
        let (id, file) = encode(ranges, WriterOptions::default());
        Metarange::decode(&id, file)
    }

    #[test]
    fn ranges_round_trip_and_are_found_by_key() {
        let ranges = [range("b", "d", 3), range("f", "f", 1), range("g", "k", 9)];
        let metarange = decoded(&ranges).unwrap();
        assert_eq!(metarange.ranges(), ranges);
        assert_eq!((metarange.count(), metarange.size()), (13, 30));
        for (key, covering) in
            [("a", None), ("b", Some(0)), ("d", Some(0)), ("e", None), ("f", Some(1)), ("z", None)]
        {
            assert_eq!(
                metarange.covering(key.as_bytes()),
                covering.map(|index: usize| &ranges[index]),
                "{key}"
            );
        }
    }

    #[test]
    fn bytes_of_data_are_one_more_field_that_lakefs_does_not_know() {
        let without = range("b", "d", 3);
        let with = RangeDescriptor { data_bytes: Some(300), ..without.clone() };
        let none = RangeDescriptor { data_bytes: Some(0), ..without.clone() };
        let stored = stored_value(&without).data().to_vec();
        assert_eq!(stored, b"\x0a\x01b\x12\x01d\x18\x0a\x20\x03");
        assert_eq!(stored_value(&with).data(), [&stored[..], b"\xc8\x3e\xac\x02"].concat());
        for ranges in [[without], [with], [none]] {
            assert_eq!(decoded(&ranges).unwrap().ranges(), ranges);
        }
    }

    #[test]
    fn ranges_that_no_fold_can_have_written_are_corruption() {
        let most = i64::MAX as u64;
        for ranges in [
            &[range("b", "d", most), range("e", "f", most), range("g", "h", most)][..],
            &[range("b", "d", 3), range("d", "e", 1)],
            &[range("b", "d", 3), range("a", "e", 1)],
            &[range("b", "a", 3)],
            &[range("b", "d", 0)],
        ] {
            assert!(matches!(decoded(ranges), Err(TreeError::Corrupt { .. })), "{ranges:?}");
        }
    }
}
