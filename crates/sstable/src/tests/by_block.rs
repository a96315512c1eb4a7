//! Read block by block from a tail, a table is what it is read whole; and no block passes for another.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;

use super::craft::{Parts, block, record, records, replace, separator};
use super::round_trip::{options, table_records};
use super::support::{Owned, Records, numbered, open, write};
use crate::stored_block::append_plain;
use crate::{
    BlockEnds, BlockHandle, Compression, Corruption, DataBlock, Defect, FOOTER_LEN, Table, TableIndex, Tail,
    Writer, WriterOptions,
};

/// A file that is read as a store serves it: its last bytes, then spans.
pub(super) struct Remote {
    file: Bytes,
    /// How many bytes were asked for at the end of the file, one read after the other.
    tails: Vec<u64>,
}

impl Remote {
    pub(super) fn new(file: impl Into<Bytes>) -> Self {
        Self { file: file.into(), tails: Vec::new() }
    }

    fn tail(&mut self, len: u64) -> Bytes {
        self.tails.push(len);
        let len = self.file.len().min(len as usize);
        self.file.slice(self.file.len() - len..)
    }

    /// Opens the index, from a tail of at least `len` bytes. As its contract asks, it gives the length that a short read tells.
    pub(super) fn open(&mut self, len: u64) -> Result<TableIndex, Corruption> {
        let mut len = len;
        loop {
            let tail = self.tail(len);
            let file_len = ((tail.len() as u64) < len).then_some(tail.len() as u64);
            match TableIndex::from_tail(tail, file_len)? {
                Tail::Opened(index) => return Ok(index),
                Tail::Short { needed } => {
                    assert!(needed > len && self.tails.len() < 5, "{needed} after {:?}", self.tails);
                    len = needed;
                }
            }
        }
    }

    pub(super) fn block(&self, index: &TableIndex, block: usize) -> Result<DataBlock, Corruption> {
        let span = index.span(block..block + 1);
        let len = self.file.len() as u64;
        index.read(block, &self.file.slice(span.start.min(len) as usize..span.end.min(len) as usize))
    }

    /// All records, block by block.
    pub(super) fn scan(&self, index: &TableIndex) -> Result<Vec<Owned>, Corruption> {
        let mut found = Vec::new();
        for block in 0..index.blocks() {
            let mut cursor = self.block(index, block)?.cursor();
            while let Some((key, value)) = cursor.next()? {
                found.push((key.to_vec(), value.to_vec()));
            }
        }
        Ok(found)
    }

    pub(super) fn get(&self, index: &TableIndex, key: &[u8]) -> Result<Option<Bytes>, Corruption> {
        match index.find(key) {
            Some(block) => self.block(index, block)?.get(key),
            None => Ok(None),
        }
    }
}

/// Reads a file by block in every way, and compares with the records that it is to have.
pub(super) fn check_by_block(file: Bytes, records: &Records) {
    let mut remote = Remote::new(file.clone());
    let index = remote.open(FOOTER_LEN as u64).unwrap();
    assert_eq!(remote.scan(&index).unwrap(), Vec::from_iter(records.clone()));
    let table = Table::open(file).unwrap();
    assert_eq!((index.count(), index.blocks()), (table.count(), table.index().blocks()));
    assert_eq!(index.file_len(), table.file().len() as u64);
    for (key, value) in records {
        assert_eq!(remote.get(&index, key).unwrap().as_deref(), Some(value.as_slice()));
        let after = [key.as_slice(), &[0]].concat();
        let expected = records.get(&after).map(Vec::as_slice);
        assert_eq!(remote.get(&index, &after).unwrap().as_deref(), expected);
        check_seek(&remote, &index, &after, records);
    }
    assert_eq!(remote.get(&index, &[0xff; 20]), Ok(None));
}

/// The first record at or after `key` is in the block found, or starts the next.
fn check_seek(remote: &Remote, index: &TableIndex, key: &[u8], records: &Records) {
    let expected =
        records.range(key.to_vec()..).next().map(|(key, value)| (key.as_slice(), value.as_slice()));
    let Some(block) = index.find(key) else {
        return assert_eq!(expected, None);
    };
    let mut cursor = remote.block(index, block).unwrap().cursor();
    cursor.seek(key).unwrap();
    if cursor.next().unwrap().is_none() && block + 1 < index.blocks() {
        cursor = remote.block(index, block + 1).unwrap().cursor();
        cursor.next().unwrap();
    }
    assert_eq!(cursor.key(), expected.map(|(key, _)| key));
    assert_eq!(cursor.value().as_deref(), expected.map(|(_, value)| value));
}

fn two_levels(file: &[u8]) -> Vec<u8> {
    let mut parts = Parts::of(file.to_vec());
    parts.split_index(file.to_vec(), true);
    parts.file()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_table_reads_by_block_as_it_reads_whole(records in table_records(), options in options()) {
        let file = write(&records, options);
        check_by_block(two_levels(&file).into(), &records);
        check_by_block(file.into(), &records);
    }
}

#[test]
fn a_tail_that_has_index_and_properties_is_enough() {
    let records = numbered(3000);
    let file = write(&records, WriterOptions { blocks: BlockEnds::Size(300), ..WriterOptions::default() });
    for file in [file.clone(), two_levels(&file)] {
        let mut short = Remote::new(file.clone());
        let index = short.open(FOOTER_LEN as u64).unwrap();
        let needed = *short.tails.last().unwrap();
        assert!(needed < file.len() as u64 / 2, "the tail leaves most of the data out");
        let tail = |len: u64| short.file.slice(file.len() - len as usize..);
        assert!(matches!(TableIndex::from_tail(tail(needed), None), Ok(Tail::Opened(_))));
        let lacks_a_byte = TableIndex::from_tail(tail(needed - 1), None);
        assert!(matches!(lacks_a_byte, Ok(Tail::Short { needed: asked }) if asked == needed));
        for len in [needed, needed + 1, file.len() as u64, 2 * file.len() as u64] {
            let mut remote = Remote::new(file.clone());
            assert_eq!(remote.open(len).unwrap().blocks(), index.blocks());
            assert_eq!(remote.tails, [len]);
        }
    }
}

#[test]
fn a_tail_of_each_length_is_opened_or_asks_for_more() {
    let file = Bytes::from(write(
        &numbered(12),
        WriterOptions { blocks: BlockEnds::Size(90), ..WriterOptions::default() },
    ));
    for len in 0..=file.len() {
        let tail = file.slice(file.len() - len..);
        for file_len in [None, Some(file.len() as u64)] {
            match TableIndex::from_tail(tail.clone(), file_len).unwrap() {
                Tail::Short { needed } => assert!(needed > len as u64 && needed <= file.len() as u64),
                Tail::Opened(index) => assert_eq!(index.file_len(), file.len() as u64),
            }
        }
        if len < file.len() {
            let cut = TableIndex::from_tail(tail, Some(len as u64));
            assert!(cut.is_err(), "the last {len} bytes are no file");
        }
    }
}

#[test]
fn blocks_are_cut_out_of_any_bytes_that_have_them() {
    let file = Bytes::from(write(
        &numbered(40),
        WriterOptions { blocks: BlockEnds::Size(90), ..WriterOptions::default() },
    ));
    let index = Table::open(file.clone()).unwrap().index().clone();
    assert!(index.blocks() > 5);
    let span = index.span(2..5);
    let bytes = file.slice(span.start as usize..span.end as usize);
    for block in 0..index.blocks() {
        let whole = index.stored(block, &file, 0).unwrap();
        assert_eq!(whole.len() as u64, index.handle(block).size + 5);
        assert!(index.read(block, &whole).is_ok());
        let cut = index.stored(block, &bytes, span.start);
        assert_eq!(cut, (2..5).contains(&block).then_some(whole));
    }
    assert_eq!(index.span(3..3), 0..0);
}

#[test]
fn a_block_in_the_place_of_another_is_found_out() {
    let options = WriterOptions {
        blocks: BlockEnds::Size(90),
        compression: Compression::None,
        ..WriterOptions::default()
    };
    let file = Bytes::from(write(&numbered(200), options));
    let index = Table::open(file).unwrap().index().clone();
    let stored =
        |block| index.stored(block, Table::open(write(&numbered(200), options).into()).unwrap().file(), 0);
    let of_one_size = |one: usize, other: usize| index.handle(one).size == index.handle(other).size;
    let mut swapped = 0;
    for (one, other) in (0..20).flat_map(|one| (0..20).map(move |other| (one, other))) {
        if one != other && of_one_size(one, other) {
            let error = index.read(one, &stored(other).unwrap()).unwrap_err();
            assert_eq!(error, Corruption::new(index.handle(one).offset, Defect::SeparatorBounds));
            swapped += 1;
        }
    }
    assert!(swapped > 20, "{swapped}");
    let (stated, found) = (index.handle(0).size + 5, 3);
    let error = index.read(0, &Bytes::from_static(b"abc")).unwrap_err();
    assert_eq!(error, Corruption::new(0, Defect::BlockLength { stated, found }));
}

/// Two blocks, of which the second has these keys; the separators are `c` and `f`.
fn with_second_block(keys: &[&str]) -> Result<DataBlock, Corruption> {
    let mut parts = Parts::of_block(&records(&["b"]), "c", 2);
    let first = BlockHandle { offset: 0, size: parts.blocks.len() as u64 - 5 };
    let second = append_plain(&records(keys), &mut parts.blocks);
    parts.index = block(&[(separator("c"), first.encode()), (separator("f"), second.encode())]);
    open(parts.file()).unwrap().data_block(1)
}

#[test]
fn the_first_and_the_last_key_are_within_the_separators() {
    for keys in [&["d"], &["c\0"], &["f"]] {
        assert!(with_second_block(keys).is_ok());
    }
    assert!(with_second_block(&["d", "e", "f"]).is_ok());
    for keys in [&["c"] as &[&str], &["b", "e"], &["d", "f\0"], &["g"], &[]] {
        assert_eq!(with_second_block(keys).unwrap_err().what, Defect::SeparatorBounds, "{keys:?}");
    }
}

#[test]
fn a_block_without_records_is_one_of_an_empty_table() {
    let file = Bytes::from(write(&Records::new(), WriterOptions::default()));
    let table = Table::open(file).unwrap();
    let block = table.data_block(0).unwrap();
    assert_eq!((block.get(b""), block.cursor().next()), (Ok(None), Ok(None)));
    let other = Parts::of_block(&records(&[]), "c", 1);
    assert_eq!(open(other.file()).unwrap().data_block(0).unwrap_err().what, Defect::SeparatorBounds);
}

#[test]
fn a_block_cursor_stays_at_the_end_and_fails_until_it_seeks_again() {
    let table = open(write(&numbered(3), WriterOptions::default())).unwrap();
    let mut cursor = table.data_block(0).unwrap().cursor();
    for _ in 0..3 {
        assert!(cursor.next().unwrap().is_some());
    }
    assert_eq!(cursor.next(), Ok(None));
    assert_eq!(cursor.next(), Ok(None));
    assert_eq!(cursor.key(), None);
    cursor.seek_to_first();
    assert_eq!(cursor.next().unwrap().map(|(key, _)| key), Some(&b"data/0000"[..]));
    let unordered = block(&["b", "a", "c"].map(|key| (record(key), Vec::new())));
    let mut cursor =
        open(Parts::of_block(&unordered, "d", 3).file()).unwrap().data_block(0).unwrap().cursor();
    assert!(cursor.next().unwrap().is_some());
    let error = cursor.next().unwrap_err();
    assert_eq!(error.what, Defect::KeyOrder { at: 12 });
    assert_eq!(cursor.next(), Err(error));
    assert_eq!(cursor.key(), None);
    cursor.seek(b"c").unwrap();
    assert_eq!(cursor.next().unwrap().map(|(key, _)| key), Some(&b"c"[..]));
}

#[test]
fn own_properties_come_with_the_index_and_the_formats_do_not() {
    let own =
        BTreeMap::from([("min_key".to_owned(), vec![0xff, 0]), ("type".to_owned(), b"ranges".to_vec())]);
    let file = Bytes::from(Writer::new(WriterOptions::default()).finish(&own).unwrap());
    let Tail::Opened(index) = TableIndex::from_tail(file, None).unwrap() else { panic!("all is there") };
    assert_eq!(index.properties(), &own);
}

/// Twelve data blocks of a lake's paths take what their separators differ by, and eight bytes each.
#[test]
fn an_index_takes_little_more_than_what_separators_differ_by() {
    let records: Records = (0..6000)
        .map(|number| (format!("lake/events/day=2024-06-01/part-{number:06}").into_bytes(), vec![7; 90]))
        .collect();
    let table =
        open(write(&records, WriterOptions { compression: Compression::None, ..WriterOptions::default() }))
            .unwrap();
    let index = table.index();
    let a_block = (index.memory_bytes() - size_of::<TableIndex>()) / index.blocks();
    assert!(index.blocks() > 100);
    assert!((12..20).contains(&a_block), "{a_block} bytes a block");
}

#[test]
fn a_flipped_bit_in_a_file_read_by_block_is_an_error_or_harmless() {
    let records = numbered(12);
    let options =
        WriterOptions { blocks: BlockEnds::Size(90), restart_interval: 2, ..WriterOptions::default() };
    let file = write(&records, options);
    for file in [file.clone(), two_levels(&file)] {
        let data_end = open(file.clone()).unwrap().index().span(0..1).end as usize;
        let mut noticed = 0;
        for bit in 0..8 * file.len() {
            let mut damaged = file.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let mut remote = Remote::new(damaged);
            match remote.open(300).and_then(|index| remote.scan(&index)) {
                Err(_) => noticed += 1,
                Ok(found) => assert_eq!(found, Vec::from_iter(records.clone()), "bit {bit}"),
            }
        }
        assert!(noticed >= 8 * data_end, "{noticed}");
        assert_eq!(noticed, 8 * file.len(), "no bit of a file is unused");
    }
}

#[test]
fn a_footer_that_leaves_no_room_for_the_tail_is_refused() {
    let file = write(&numbered(12), WriterOptions::default());
    let longer = [&b"more"[..], &file].concat();
    let error = TableIndex::from_tail(longer.clone().into(), None).unwrap_err();
    let (stated, found) = (file.len() as u64, longer.len() as u64);
    assert_eq!(error.what, Defect::FileLength { stated, found });
    assert!(TableIndex::from_tail(file.clone().into(), Some(10)).is_err());
    let error = TableIndex::from_tail(vec![1; 9].into(), Some(9)).unwrap_err();
    assert_eq!(error.what, Defect::TooShort { len: 9 });
    // No more of such a file could be read.
    assert!(TableIndex::from_tail(Bytes::new(), Some(FOOTER_LEN as u64 - 1)).is_err());
}

/// A kilobyte of index could otherwise become any number of gigabytes.
#[test]
fn an_index_whose_separators_unfold_without_end_is_refused() {
    let long = [b'x'; 60_000];
    let mut contents = Vec::new();
    let mut put = |shared: u64, suffix: &[u8], handle: BlockHandle| {
        for len in [shared, suffix.len() as u64, handle.encode().len() as u64] {
            crate::varint::put(&mut contents, len);
        }
        contents.extend_from_slice(suffix);
        contents.extend_from_slice(&handle.encode());
    };
    put(0, &[b"a".as_slice(), &[0; 8]].concat(), BlockHandle { offset: 0, size: 0 });
    put(0, &[&long[..], &[0; 8]].concat(), BlockHandle { offset: 5, size: 0 });
    for number in 2..3000u64 {
        let suffix = [&(number as u32).to_be_bytes()[..], &[0; 8]].concat();
        put(long.len() as u64, &suffix, BlockHandle { offset: 5 * number, size: 0 });
    }
    contents.extend([0, 0, 0, 0, 1, 0, 0, 0]);
    let mut parts = Parts::of_block(&records(&["b"]), "c", 1);
    parts.blocks = vec![0; 5 * 3000];
    parts.index = contents;
    assert_eq!(open(parts.file()).unwrap_err().what, Defect::IndexTooLong { limit: 64 << 20 });
}

#[test]
fn properties_that_unfold_without_end_are_refused() {
    let mut parts = Parts::of_block(&records(&["b"]), "c", 1);
    for number in 0..40 {
        parts.set(&format!("{}{number:02}", "long/".repeat(6000)), b"");
    }
    let error = open(parts.file()).unwrap_err();
    assert!(matches!(error.what, Defect::PropertiesTooLong { .. }), "{error}");
}

#[test]
fn a_stored_block_of_another_content_is_refused_by_its_checksum() {
    let mut file =
        write(&numbered(5), WriterOptions { compression: Compression::None, ..WriterOptions::default() });
    let index = open(file.clone()).unwrap().index().clone();
    let handle = index.handle(0);
    let mut stored = index.stored(0, &file.clone().into(), 0).unwrap().to_vec();
    stored[3] ^= 1;
    assert!(matches!(index.read(0, &stored.into()).unwrap_err().what, Defect::Checksum { .. }));
    replace(&mut file, handle, &vec![0; handle.size as usize]);
    assert!(open(file).unwrap().data_block(0).is_err());
}
