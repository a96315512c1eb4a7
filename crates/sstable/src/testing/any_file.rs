//! Any bytes as a file.

use bytes::Bytes;

use super::repair::repair;
use crate::{Corruption, FOOTER_LEN, Footer, Table, TableIndex, Tail, verify};

/// A record that does not borrow from a cursor.
type Owned = (Vec<u8>, Vec<u8>);

/// Not more than so many bytes of records are held against each other: a small file can hold many.
const COMPARED_BYTES: usize = 1 << 20;
/// Of how many records the keys are looked up.
const SOUGHT: usize = 100;

/// Bytes as a file, and as one whose checksums are right: read whole and by block, in every way.
pub fn any_file(bytes: &[u8]) {
    read_file(&bytes.to_vec().into());
    let repaired = repair(bytes);
    if repaired != bytes {
        read_file(&repaired.into());
    }
}

/// The last bytes of a file; the first three bytes say how many, and whether the file's length is told.
pub fn any_tail(bytes: &[u8]) {
    let Some((&[high, low, told], file)) = bytes.split_first_chunk() else { return };
    let file = Bytes::from(repair(file));
    let len = usize::from(u16::from_be_bytes([high, low])).min(file.len());
    let tail = file.slice(file.len() - len..);
    let file_len = (told % 2 == 1).then_some(file.len() as u64);
    match TableIndex::from_tail(tail.clone(), file_len) {
        Ok(Tail::Short { needed }) => {
            assert!(needed > len as u64, "{needed} bytes are asked for, there are {len}");
            assert!(
                file_len.is_none_or(|file_len| needed <= file_len),
                "more is asked for than the file has"
            );
        }
        Ok(Tail::Opened(index)) => read_tail(&index, &tail, &file),
        Err(_) => {}
    }
}

/// The last bytes of a file as its footer.
pub fn any_footer(bytes: &[u8]) {
    for file_len in [bytes.len() as u64, 4096, u64::MAX] {
        if let Ok(footer) = Footer::parse(bytes, file_len) {
            let end = file_len - FOOTER_LEN as u64;
            assert!([footer.metaindex, footer.index].iter().all(|block| block.end() <= Some(end)));
            assert_eq!(footer.encode(), bytes[bytes.len() - FOOTER_LEN..], "each footer has one form");
        }
    }
}

fn read_tail(index: &TableIndex, tail: &Bytes, file: &Bytes) {
    assert!(index.file_len() >= tail.len() as u64);
    if index.file_len() == file.len() as u64 {
        let whole = Table::open(file.clone()).expect("what a tail says, the whole file says");
        assert_eq!(index.blocks(), whole.index().blocks());
        assert_eq!((index.count(), index.properties()), (whole.count(), whole.index().properties()));
    }
    for block in 0..index.blocks() {
        if let Some(stored) = index.stored(block, tail, index.file_len() - tail.len() as u64) {
            let _ = index.read(block, &stored).map(|data| assert!(data.memory_bytes() > 0));
        }
    }
}

fn read_file(file: &Bytes) {
    let Ok(table) = Table::open(file.clone()) else {
        let by_tail = TableIndex::from_tail(file.clone(), Some(file.len() as u64));
        return assert!(by_tail.is_err(), "what the whole file does not say, no tail says");
    };
    let whole = scan(&table);
    let by_block = scan_by_block(&table);
    if let Ok(records) = &whole {
        assert!(records.is_sorted_by(|one, next| one.0 < next.0), "records ascend");
    }
    if by_block.is_ok() {
        assert_eq!(whole, by_block, "what is read by block is what is read whole");
    }
    if verify(&table).is_ok() {
        let records = by_block.expect("a table that was verified is read by block");
        records.iter().take(SOUGHT).for_each(|record| look_up(&table, record));
    }
    // What a damaged table holds is not known; it must be in order all the same.
    for (key, _) in whole.unwrap_or_default().iter().take(SOUGHT) {
        let mut cursor = table.cursor();
        if cursor.seek(key).is_ok() {
            assert!(
                !matches!(cursor.next(), Ok(Some((found, _))) if found < key.as_slice()),
                "a seek goes back"
            );
        }
    }
}

fn look_up(table: &Table, (key, value): &Owned) {
    let found = table.get(key).expect("a table that was verified is read");
    assert_eq!(found.as_deref(), Some(value.as_slice()), "a record is found by its key");
    let block = table.index().find(key).expect("a separator bounds each record");
    let found = table.data_block(block).and_then(|block| block.get(key));
    assert_eq!(found.expect("a block that was read is read again").as_deref(), Some(value.as_slice()));
    let mut cursor = table.cursor();
    cursor.seek(key).expect("a table that was verified is read");
    assert_eq!(cursor.next(), Ok(Some((key.as_slice(), value.as_slice()))));
}

/// The first records.
pub(super) fn scan(table: &Table) -> Result<Vec<Owned>, Corruption> {
    let mut cursor = table.cursor();
    let mut records = Vec::new();
    let mut bytes = 0;
    while let Some((key, value)) = cursor.next()? {
        bytes += key.len() + value.len();
        if bytes <= COMPARED_BYTES {
            records.push((key.to_vec(), value.to_vec()));
        }
    }
    Ok(records)
}

/// The first records, each block read alone.
pub(super) fn scan_by_block(table: &Table) -> Result<Vec<Owned>, Corruption> {
    let mut records = Vec::new();
    let mut bytes = 0;
    for block in 0..table.index().blocks() {
        let mut cursor = table.data_block(block)?.cursor();
        while let Some((key, value)) = cursor.next()? {
            bytes += key.len() + value.len();
            if bytes <= COMPARED_BYTES {
                records.push((key.to_vec(), value.to_vec()));
            }
        }
    }
    Ok(records)
}
