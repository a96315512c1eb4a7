//! What must hold whatever bytes are read: for fuzzing, and for the tests that replay what it came upon. Each function takes any
//! bytes and panics if a promise is broken.

use std::collections::BTreeMap;

use braid_sstable::{RecordHasher, Writer, WriterOptions};
use braid_types::MetarangeId;
use bytes::Bytes;

use crate::range_file::own_properties;
use crate::{Metarange, Value, metarange};

/// Bytes as the value of a record: it is refused, or its entry is, or the entry is one that can be stored.
pub fn any_value(bytes: &[u8]) {
    let Ok(value) = Value::from_bytes(Bytes::copy_from_slice(bytes)) else { return };
    assert!(value.identity().len() + value.data().len() < bytes.len(), "both parts are within the value");
    let (Ok(entry), Ok(view)) = (value.entry(), value.entry_view()) else { return };
    assert_eq!(view.to_entry(), entry, "an entry read in place is the entry");
    let stored = Value::of(&entry);
    assert_eq!(stored.entry().as_ref(), Ok(&entry), "an entry that was read can be stored and read again");
}

/// Bytes as the records of a metarange, whose file and id are sound: it is refused, or its ranges are in order and can be written
/// again. Each record is two lengths, a key and data; an odd length of data has the value unframed.
pub fn any_metarange(bytes: &[u8]) {
    let (id, file) = file(&records(bytes));
    let Ok(read) = Metarange::decode(&id, file) else { return };
    let ranges = read.ranges();
    assert!(ranges.iter().all(|range| range.min_key <= range.max_key && range.count > 0));
    assert!(ranges.windows(2).all(|pair| pair[0].max_key < pair[1].min_key), "ranges do not overlap");
    for range in ranges {
        assert_eq!(read.covering(&range.min_key), Some(range));
    }
    assert!(read.count() >= ranges.len() as u64 || ranges.is_empty());
    let _bytes = read.size();
    if !ranges.is_empty() {
        let (id, file) = metarange::encode(ranges, WriterOptions::default());
        assert_eq!(
            Metarange::decode(&id, file).as_ref(),
            Ok(&read),
            "a metarange that was read can be written"
        );
    }
}

fn records(mut bytes: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut records = BTreeMap::new();
    while let Some((&[key_len, data_len], rest)) = bytes.split_first_chunk() {
        let (key, rest) = rest.split_at(rest.len().min(usize::from(key_len)));
        let (data, rest) = rest.split_at(rest.len().min(usize::from(data_len)));
        let value = match data_len % 2 {
            0 => Value::framed("0a".repeat(32).as_bytes(), data).as_bytes().to_vec(),
            _ => data.to_vec(),
        };
        records.insert(key.to_vec(), value);
        bytes = rest;
    }
    records
}

fn file(records: &BTreeMap<Vec<u8>, Vec<u8>>) -> (MetarangeId, Bytes) {
    let mut writer = Writer::new(WriterOptions::default());
    let mut hasher = RecordHasher::new();
    for (key, value) in records {
        writer.add(key, value).expect("keys ascend and are short");
        hasher.add(key, value);
    }
    let kind = BTreeMap::from([("type".to_owned(), metarange::KIND.as_bytes().to_vec())]);
    let file = writer.finish(&kind).expect("the property is short");
    (MetarangeId::from_bytes(hasher.finish(&own_properties(metarange::KIND, &BTreeMap::new()))), file.into())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn replay(target: &str, check: fn(&[u8])) {
        let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is");
        braid_sstable::testing::replay(Path::new(&package), target, check);
    }

    #[test]
    fn any_value_is_read_or_refused() {
        replay("value", any_value);
    }

    #[test]
    fn any_metarange_is_read_or_refused() {
        replay("metarange", any_metarange);
    }
}
