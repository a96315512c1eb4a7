//! Any table of those a writer writes, with damage.

use std::collections::BTreeMap;

use super::any_file::{scan, scan_by_block};
use crate::{BlockEnds, Compression, Corruption, Table, TableIndex, Tail, Writer, WriterOptions};

type Owned = (Vec<u8>, Vec<u8>);

/// A table whose shape the first five bytes choose, and whose records the rest gives: it reads back, and with one bit flipped, or
/// cut short, it is an error or reads the same. The next four bytes choose the bit.
pub fn any_flipped_bit(bytes: &[u8]) {
    let Some((&[compression, ends, size, one_in, restart], rest)) = bytes.split_first_chunk() else { return };
    let Some((bit, rest)) = rest.split_first_chunk() else { return };
    let blocks = match ends % 2 {
        0 => BlockEnds::Size(8 * usize::from(size)),
        _ => BlockEnds::Content {
            min: usize::from(size),
            max: 8 * usize::from(size),
            one_in: u64::from(one_in % 16),
        },
    };
    let compression = match compression % 3 {
        0 => Compression::None,
        1 => Compression::Snappy,
        _ => Compression::Zstd { level: 1 },
    };
    let options = WriterOptions { blocks, restart_interval: usize::from(restart), compression };
    check_damage(&records(rest), options, u32::from_be_bytes(*bit) as usize);
}

/// Keys and values out of bytes that tell their lengths.
fn records(mut bytes: &[u8]) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let mut records = BTreeMap::new();
    while let Some((&[key_len, value_len], rest)) = bytes.split_first_chunk() {
        let (key, rest) = rest.split_at(rest.len().min(usize::from(key_len)));
        let (value, rest) = rest.split_at(rest.len().min(usize::from(value_len)));
        records.insert(key.to_vec(), value.to_vec());
        bytes = rest;
    }
    records
}

fn check_damage(records: &BTreeMap<Vec<u8>, Vec<u8>>, options: WriterOptions, bit: usize) {
    let mut writer = Writer::new(options);
    for (key, value) in records {
        writer.add(key, value).expect("keys ascend and are short");
    }
    let file = writer.finish(&BTreeMap::new()).expect("there are no properties");
    let expected: Vec<Owned> = records.clone().into_iter().collect();
    assert_eq!(read(file.clone()).as_deref(), Ok(&expected[..]), "what was written is read");
    let by_tail = TableIndex::from_tail(file.clone().into(), None);
    let is_told = matches!(by_tail, Ok(Tail::Opened(index)) if index.file_len() == file.len() as u64);
    assert!(is_told, "the footer tells the length of the file");
    let bit = bit % (8 * file.len());
    let mut damaged = file.clone();
    damaged[bit / 8] ^= 1 << (bit % 8);
    for damaged in [damaged, file[..bit / 8].to_vec(), file[bit / 8 + 1..].to_vec()] {
        if let Ok(found) = read(damaged) {
            assert_eq!(found, expected, "damage is an error or harmless");
        }
    }
}

/// All records, whole and by block.
fn read(file: Vec<u8>) -> Result<Vec<Owned>, Corruption> {
    let table = Table::open(file.into())?;
    let whole = scan(&table)?;
    assert_eq!(scan_by_block(&table)?, whole, "what is read by block is what is read whole");
    Ok(whole)
}
