//! What a writer refuses, and the shape of what it writes.

use std::collections::BTreeMap;

use super::craft::{contents, handles};
use super::support::{Records, numbered, open, scan, write};
use crate::{
    BlockEnds, BlockHandle, Compression, MAX_KEY_BYTES, MAX_PROPERTIES_BYTES, MAX_VALUE_BYTES, WriteError,
    Writer, WriterOptions, verify,
};

/// The data blocks of a file.
fn data_blocks(file: &[u8]) -> Vec<BlockHandle> {
    let mut handles = handles(file);
    handles.truncate(handles.len() - 3);
    handles
}

fn compression_type(file: &[u8], handle: BlockHandle) -> u8 {
    file[(handle.offset + handle.size) as usize]
}

#[test]
fn a_refused_record_leaves_no_trace() {
    let mut writer = Writer::new(WriterOptions::default());
    let long = vec![b'x'; MAX_KEY_BYTES + 1];
    let start = long[..64].to_vec();
    let too_long = WriteError::KeyTooLong { start, len: MAX_KEY_BYTES + 1, limit: MAX_KEY_BYTES };
    assert_eq!(writer.add(&long, b""), Err(too_long));
    writer.add(b"b", b"value").unwrap();
    for key in [b"b".as_slice(), b"a", b""] {
        let refused = WriteError::KeyOrder { previous: b"b".to_vec(), key: key.to_vec() };
        assert_eq!(writer.add(key, b"other"), Err(refused));
    }
    let value = vec![0; MAX_VALUE_BYTES + 1];
    let too_long =
        WriteError::ValueTooLong { key: b"c".to_vec(), len: MAX_VALUE_BYTES + 1, limit: MAX_VALUE_BYTES };
    assert_eq!(writer.add(b"c", &value), Err(too_long));
    assert_eq!((writer.count(), writer.raw_bytes()), (1, 6));
    let table = open(writer.finish(&BTreeMap::new()).unwrap()).unwrap();
    assert_eq!(scan(&table).unwrap(), [(b"b".to_vec(), b"value".to_vec())]);
}

#[test]
fn the_longest_record_is_written() {
    let records: Records = [(vec![b'x'; MAX_KEY_BYTES], vec![7; MAX_VALUE_BYTES])].into();
    let table = open(write(&records, WriterOptions::default())).unwrap();
    assert!(scan(&table).unwrap() == Vec::from_iter(records));
}

#[test]
fn keys_ascend_from_block_to_block() {
    let mut writer = Writer::new(WriterOptions { blocks: BlockEnds::Size(1), ..WriterOptions::default() });
    writer.add(b"a", b"").unwrap();
    writer.add(b"b", b"").unwrap();
    assert!(writer.add(b"b", b"").is_err());
    assert!(writer.add(b"a", b"").is_err());
}

#[test]
fn properties_are_limited_and_may_not_pose_as_the_formats_own() {
    let finish = |name: &str, len: usize| {
        let properties = BTreeMap::from([(name.to_owned(), vec![0; len])]);
        Writer::new(WriterOptions::default()).finish(&properties).err()
    };
    let name = "rocksdb.num.entries".to_owned();
    assert_eq!(finish(&name, 1), Some(WriteError::ReservedProperty { name }));
    assert_eq!(finish("name", MAX_PROPERTIES_BYTES - 4), None);
    let (len, limit) = (MAX_PROPERTIES_BYTES + 1, MAX_PROPERTIES_BYTES);
    assert_eq!(finish("name", MAX_PROPERTIES_BYTES - 3), Some(WriteError::PropertiesTooLong { len, limit }));
}

#[test]
fn blocks_are_nearly_full_and_not_longer_than_asked_for() {
    let options = WriterOptions { compression: Compression::None, ..WriterOptions::default() };
    let file = write(&numbered(5000), options);
    let mut blocks = data_blocks(&file);
    blocks.pop();
    assert!(blocks.len() > 10);
    for block in blocks {
        assert!((3686..=4096).contains(&block.size), "{block:?}");
    }
}

#[test]
fn a_block_is_compressed_if_that_saves_more_than_an_eighth() {
    // `repeated` times the same, then bytes without repetition: 30 save less than an eighth of the whole.
    let types = [0usize, 30, 400].map(|repeated| {
        let value = [vec![b'x'; repeated], Vec::from_iter(0..=255u8)].concat();
        let file = write(&[(b"key".to_vec(), value)].into(), WriterOptions::default());
        compression_type(&file, data_blocks(&file)[0])
    });
    assert_eq!(types, [0, 0, 1]);
    for (compression, found) in
        [(Compression::None, 0), (Compression::Snappy, 1), (Compression::Zstd { level: 3 }, 7)]
    {
        let options = WriterOptions { compression, ..WriterOptions::default() };
        let file = write(&numbered(100), options);
        assert_eq!(compression_type(&file, data_blocks(&file)[0]), found);
    }
}

#[test]
fn every_nth_key_is_stored_whole() {
    for (restart_interval, restarts) in [(4, 3), (1, 10), (0, 10), (usize::MAX, 1)] {
        let options =
            WriterOptions { restart_interval, compression: Compression::None, ..WriterOptions::default() };
        let table = open(write(&numbered(10), options)).unwrap();
        let block = table.read_block(data_blocks(table.file())[0]).unwrap();
        assert_eq!(block.restarts(), restarts, "every {restart_interval}th");
        verify(&table).unwrap();
    }
}

#[test]
fn a_table_without_records_has_one_block_without_entries() {
    let file = write(&Records::new(), WriterOptions::default());
    let blocks = data_blocks(&file);
    assert_eq!(blocks, [BlockHandle { offset: 0, size: 8 }]);
    assert_eq!(contents(&file, blocks[0]), [0, 0, 0, 0, 1, 0, 0, 0]);
}

/// Files stay readable by those who read them today only if these bytes stay as they are.
#[test]
fn a_small_file_is_this_to_the_byte() {
    let mut writer =
        Writer::new(WriterOptions { compression: Compression::None, ..WriterOptions::default() });
    writer.add(b"a/b/c/no", b"first").unwrap();
    writer.add(b"a/b/c/yes", b"second").unwrap();
    let file = writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())])).unwrap();
    let data =
        b"\0\x10\x05a/b/c/no\x01\0\0\0\0\0\0\0first\x06\x0b\x06yes\x01\0\0\0\0\0\0\0second\0\0\0\0\x01\0\0\0";
    assert_eq!(&file[..data.len()], data);
    let index = b"\0\x09\x02b\0\0\0\0\0\0\0\0\0\x34\0\0\0\0\x01\0\0\0";
    assert_eq!(&file[data.len() + 5..][..index.len()], index);
    assert_eq!(&file[file.len() - 12..], b"\x02\0\0\0\xf7\xcf\xf4\x85\xb7\x41\xe2\x88");
    assert_eq!(hex::encode(crc32c::crc32c(&file).to_be_bytes()), "7707a0a6");
}

#[test]
fn refusals_quote_what_is_refused() {
    let error = WriteError::KeyOrder { previous: b"b\xff".to_vec(), key: b"a\"".to_vec() };
    assert_eq!(error.to_string(), "key \"a\\\"\" does not come after \"b\\xff\"");
}
