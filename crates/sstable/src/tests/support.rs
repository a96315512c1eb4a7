//! What the tests share: tables of given records, and everything that can be read of a table.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Corruption, Table, Writer, WriterOptions};

/// Records by key.
pub(super) type Records = BTreeMap<Vec<u8>, Vec<u8>>;
/// A record that does not borrow from a cursor.
pub(super) type Owned = (Vec<u8>, Vec<u8>);

/// The file of a table.
pub(super) fn write(records: &Records, options: WriterOptions) -> Vec<u8> {
    let mut writer = Writer::new(options);
    for (key, value) in records {
        writer.add(key, value).unwrap();
    }
    writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())])).unwrap()
}

pub(super) fn open(file: Vec<u8>) -> Result<Table, Corruption> {
    Table::open(Bytes::from(file))
}

/// All records that a cursor meets.
pub(super) fn scan(table: &Table) -> Result<Vec<Owned>, Corruption> {
    let mut cursor = table.cursor();
    let mut records = Vec::new();
    while let Some((key, value)) = cursor.next()? {
        records.push((key.to_vec(), value.to_vec()));
    }
    Ok(records)
}

/// Looks up and seeks every key and its neighbours, and compares with the records that the table is to have.
pub(super) fn check_lookups(table: &Table, records: &Records) {
    let mut cursor = table.cursor();
    for key in records.keys().flat_map(|key| neighbours(key)).chain([Vec::new(), vec![0xff; 9]]) {
        assert_eq!(table.get(&key).unwrap().as_deref(), records.get(&key).map(Vec::as_slice), "get {key:?}");
        cursor.seek(&key).unwrap();
        let expected =
            records.range(key.clone()..).next().map(|(key, value)| (key.as_slice(), value.as_slice()));
        assert_eq!(cursor.next().unwrap(), expected, "seek {key:?}");
    }
}

/// The key itself, and keys close to it on both sides.
fn neighbours(key: &[u8]) -> Vec<Vec<u8>> {
    let mut lower = key.to_vec();
    let mut raised = key.to_vec();
    if let Some(last) = lower.last_mut() {
        *last = last.wrapping_sub(1);
    }
    if let Some(last) = raised.last_mut() {
        *last = last.wrapping_add(1);
    }
    let shorter = key[..key.len().saturating_sub(1)].to_vec();
    vec![key.to_vec(), [key, &[0]].concat(), [key, &[0xff]].concat(), lower, raised, shorter]
}

/// Records `data/NNNN` with values that compress, one in four empty.
pub(super) fn numbered(count: usize) -> Records {
    let value = |number: usize| format!("value {number} ").repeat(number % 4).into_bytes();
    (0..count).map(|number| (format!("data/{number:04}").into_bytes(), value(number))).collect()
}
