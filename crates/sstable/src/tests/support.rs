//! What the tests share: tables of given records, and everything that can be read of a table.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Corruption, Table, Writer, WriterOptions};

/// Records by key.
pub(super) type Records = BTreeMap<Vec<u8>, Vec<u8>>;

/// The file of a table.
pub(super) fn write(records: &Records, options: WriterOptions) -> Vec<u8> {
    let mut writer = Writer::new(options);
    for (key, value) in records {
        writer.add(key, value).unwrap();
    }
    writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())])).unwrap()
}

/// A record that does not borrow from a cursor.
pub(super) type Owned = (Vec<u8>, Vec<u8>);

/// All records that a cursor meets.
pub(super) fn scan(table: &Table) -> Result<Vec<Owned>, Corruption> {
    let mut cursor = table.cursor();
    let mut records = Vec::new();
    while let Some((key, value)) = cursor.next()? {
        records.push((key.to_vec(), value.to_vec()));
    }
    Ok(records)
}

pub(super) fn open(file: Vec<u8>) -> Result<Table, Corruption> {
    Table::open(Bytes::from(file))
}

/// Records `data/NNNN` with values that compress, one in four empty.
pub(super) fn numbered(count: usize) -> Records {
    let value = |number: usize| format!("value {number} ").repeat(number % 4).into_bytes();
    (0..count).map(|number| (format!("data/{number:04}").into_bytes(), value(number))).collect()
}
