//! Each defect is told from the others, and named with where it is. Checksums are right here.

use super::craft::{Parts, block, handles, raw_block, record, records, separator};
use super::support::{numbered, open, scan, write};
use crate::block_builder::BlockBuilder;
use crate::stored_block::append_plain;
use crate::{
    BlockEnds, BlockHandle, Compression, Corruption, Defect, FOOTER_LEN, Footer, WriterOptions, decode_block,
    verify,
};

/// What a full check of a file finds.
fn check(file: Vec<u8>) -> Result<(), Corruption> {
    verify(&open(file)?)
}

fn defect(file: Vec<u8>) -> Defect {
    check(file).unwrap_err().what
}

/// What is wrong with a data block of these contents.
fn block_defect(contents: &[u8]) -> Defect {
    let error = check(Parts::of_block(contents, "~", 0).file()).unwrap_err();
    assert_eq!(error.offset, 0, "the block stands first");
    error.what
}

/// What is wrong with an index of these contents.
fn index_defect(contents: Vec<u8>) -> Defect {
    let mut parts = Parts::of_block(&records(&["b"]), "b", 1);
    parts.index = contents;
    let file = parts.file();
    let error = check(file.clone()).unwrap_err();
    assert_eq!(error.offset, parts.blocks.len() as u64, "the index follows the block");
    error.what
}

fn footer_defect(change: impl FnOnce(&mut [u8])) -> Defect {
    let mut file = write(&numbered(1), WriterOptions::default());
    let start = file.len() - FOOTER_LEN;
    change(&mut file[start..]);
    let error = check(file).unwrap_err();
    assert_eq!(error.offset, start as u64);
    error.what
}

#[test]
fn a_file_of_another_kind_is_told_from_a_damaged_one() {
    assert_eq!(defect(Vec::new()), Defect::TooShort { len: 0 });
    assert_eq!(defect(vec![0; FOOTER_LEN]), Defect::Magic { found: 0 });
    assert_eq!(footer_defect(|footer| footer[41] = 5), Defect::FormatVersion { found: 5 });
    assert_eq!(footer_defect(|footer| footer[0] = 4), Defect::ChecksumType { found: 4 });
    assert_eq!(footer_defect(|footer| footer[1..41].fill(0xff)), Defect::FooterHandles);
    assert_eq!(footer_defect(|footer| footer[40] = 1), Defect::FooterPadding);
}

#[test]
fn a_footer_of_a_tail_is_held_against_the_length_of_the_file() {
    let file = write(&numbered(100), WriterOptions::default());
    let tail = &file[file.len() - FOOTER_LEN - 10..];
    let footer = Footer::parse(tail, file.len() as u64).unwrap();
    assert_eq!(Footer::parse(&file, file.len() as u64), Ok(footer));
    assert_eq!(Footer::parse(tail, 10).unwrap_err().what, Defect::TooShort { len: 10 });
    // The metaindex ends where the footer starts; in a file shorter by a byte it would not.
    let limit = (file.len() - 1 - FOOTER_LEN) as u64;
    let outside = Defect::BlockOutside { size: footer.metaindex.size, limit };
    let offset = footer.metaindex.offset;
    assert_eq!(Footer::parse(tail, file.len() as u64 - 1), Err(Corruption::new(offset, outside)));
    let swapped = Footer { metaindex: footer.index, index: footer.metaindex }.encode();
    assert_eq!(Footer::parse(&swapped, file.len() as u64 - 1).unwrap_err().offset, offset);
}

#[test]
fn a_handle_outside_of_the_file_is_refused() {
    for (offset, size) in [(0, 1 << 40), (u64::MAX, 1), (1, u64::MAX), (1 << 40, 0), (u64::MAX - 5, 1)] {
        let mut parts = Parts::of_block(&records(&["b"]), "b", 1);
        parts.index = block(&[(separator("b"), BlockHandle { offset, size }.encode())]);
        let error = check(parts.file()).unwrap_err();
        let limit = (parts.file().len() - FOOTER_LEN) as u64;
        assert_eq!(error, Corruption::new(offset, Defect::BlockOutside { size, limit }));
        let mut parts = Parts::of_block(&records(&["b"]), "b", 1);
        parts.others = vec![("rocksdb.range_del", BlockHandle { offset, size })];
        assert!(matches!(defect(parts.file()), Defect::BlockOutside { .. }));
    }
}

#[test]
fn a_stored_block_is_checked_before_it_is_unpacked() {
    let unpack = |payload: &[u8], compression_type: u8| {
        let checksum = crate::checksum::masked(payload, compression_type).to_le_bytes();
        let stored = [payload, &[compression_type], &checksum].concat();
        decode_block(&stored.into(), 7).map_err(|error| (error.offset, error.what))
    };
    assert_eq!(unpack(b"plain", 0).unwrap().as_ref(), b"plain");
    assert_eq!(unpack(b"", 0).unwrap().as_ref(), b"");
    assert_eq!(unpack(b"lz4", 4), Err((7, Defect::CompressionType { found: 4 })));
    assert!(matches!(unpack(b"\x04zstd", 7), Err((7, Defect::Zstd { .. }))));
    let claim = [0xff, 0xff, 0xff, 0xff, 0x0f, 0];
    let refused = Defect::SnappyClaim { claimed: u64::from(u32::MAX), stored: 6 };
    assert_eq!(unpack(&claim, 1), Err((7, refused)));
    assert!(matches!(unpack(&[2, 0xff, 0xff], 1), Err((7, Defect::Snappy { .. }))));
    assert!(matches!(unpack(b"", 1), Err((7, Defect::Snappy { .. }))));
    let short = decode_block(&vec![0; 4].into(), 7).unwrap_err();
    assert_eq!(short, Corruption::new(7, Defect::BlockTooShort { len: 4 }));
}

#[test]
fn snappy_may_claim_as_much_as_it_can_make() {
    let zeros = vec![0; 1 << 20];
    let records = [(b"key".to_vec(), zeros)].into();
    let table = open(write(&records, WriterOptions::default())).unwrap();
    assert!(table.file().len() < 60_000);
    assert_eq!(scan(&table).unwrap(), Vec::from_iter(records));
}

#[test]
fn restart_points_lie_among_the_entries_in_order() {
    let key = record("b");
    let one = |restarts: &[u32]| block_defect(&raw_block(&[(0, &key, "")], restarts));
    assert_eq!(block_defect(&[1, 0]), Defect::RestartCount { count: 0, len: 2 });
    assert_eq!(one(&[]), Defect::RestartCount { count: 0, len: 16 });
    assert_eq!(block_defect(&[0, 0, 0, 0, 2, 0, 0, 0]), Defect::RestartCount { count: 2, len: 8 });
    let most = u32::MAX.to_le_bytes();
    assert_eq!(block_defect(&most), Defect::RestartCount { count: u64::from(u32::MAX), len: 4 });
    assert_eq!(one(&[1]), Defect::RestartOffset { index: 0, at: 1 });
    assert_eq!(one(&[0, 0]), Defect::RestartOffset { index: 1, at: 0 });
    assert_eq!(one(&[0, 12]), Defect::RestartOffset { index: 1, at: 12 });
    assert_eq!(one(&[0, 1, u32::MAX]), Defect::RestartOffset { index: 2, at: u32::MAX as usize });
}

#[test]
fn restart_points_lead_to_entries_with_whole_keys() {
    let (first, second) = (record("ba"), record("bb"));
    let shared = raw_block(&[(0, &first, ""), (1, &second[1..], "")], &[0, 13]);
    assert_eq!(block_defect(&shared), Defect::RestartEntry { at: 13 });
    let between = raw_block(&[(0, &first, ""), (0, &second, "")], &[0, 3]);
    assert_eq!(block_defect(&between), Defect::RestartEntry { at: 3 });
    let entry = BlockHandle { offset: 0, size: 3 }.encode();
    let entry = str::from_utf8(&entry).unwrap();
    assert_eq!(
        index_defect(raw_block(&[(0, &separator("b"), entry)], &[0, 3])),
        Defect::RestartEntry { at: 3 }
    );
    let table = open(Parts::of_block(&shared, "~", 2).file()).unwrap();
    assert_eq!(table.get(b"bb").unwrap_err().what, Defect::RestartEntry { at: 13 });
}

#[test]
fn entries_end_within_their_block() {
    assert_eq!(block_defect(&[0, 0x80, 0, 0, 0, 0, 1, 0, 0, 0]), Defect::EntryLengths { at: 0 });
    let mut overflow = vec![0xff; 12];
    overflow.extend([0, 0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(block_defect(&overflow), Defect::EntryLengths { at: 0 });
    for (unshared, value) in [(9, 1), (10, 0), (0, 10), (127, 127)] {
        let mut contents = vec![0, unshared, value];
        contents.extend(record("b"));
        contents.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(block_defect(&contents), Defect::EntryEnd { at: 0 }, "{unshared} {value}");
    }
}

#[test]
fn a_key_shares_no_more_than_there_is() {
    let (first, second) = (record("b"), record("c"));
    let at_start = raw_block(&[(1, &first, "")], &[0]);
    assert_eq!(block_defect(&at_start), Defect::SharedPrefix { at: 0, shared: 1, previous: 0 });
    let later = raw_block(&[(0, &first, ""), (10, &second, "")], &[0]);
    assert_eq!(block_defect(&later), Defect::SharedPrefix { at: 12, shared: 10, previous: 9 });
}

#[test]
fn the_first_key_of_a_block_shares_nothing_with_the_block_before() {
    let mut parts = Parts::of_block(&records(&["b"]), "b", 2);
    let first = BlockHandle { offset: 0, size: parts.blocks.len() as u64 - 5 };
    let second = append_plain(&raw_block(&[(1, &record("c"), "")], &[0]), &mut parts.blocks);
    parts.index = block(&[(separator("b"), first.encode()), (separator("~"), second.encode())]);
    let error = check(parts.file()).unwrap_err();
    assert_eq!(error, Corruption::new(second.offset, Defect::SharedPrefix { at: 0, shared: 1, previous: 0 }));
    assert!(scan(&open(parts.file()).unwrap()).is_err());
}

#[test]
fn a_key_has_room_for_its_trailer() {
    assert_eq!(block_defect(&raw_block(&[(0, b"1234567", "")], &[0])), Defect::KeyLength { at: 0, len: 7 });
    assert_eq!(index_defect(raw_block(&[(0, b"1234567", "")], &[0])), Defect::KeyLength { at: 0, len: 7 });
}

#[test]
fn keys_ascend_within_a_block() {
    for (first, second) in [("b", "b"), ("c", "b"), ("bb", "b"), ("b\u{1}", "b"), ("b", "")] {
        let contents = raw_block(&[(0, &record(first), ""), (0, &record(second), "")], &[0]);
        let at = 11 + first.len();
        assert_eq!(block_defect(&contents), Defect::KeyOrder { at }, "{first:?} {second:?}");
        let mut shared = BlockBuilder::new(16);
        shared.add(&record(first), b"");
        shared.add(&record(second), b"");
        assert_eq!(
            block_defect(&shared.finish(<[u8]>::to_vec)),
            Defect::KeyOrder { at },
            "{first:?} {second:?}"
        );
    }
}

#[test]
fn keys_that_share_parts_of_trailers_ascend() {
    for (first, second) in
        [("", "\u{1}"), ("b", "b\0"), ("b", "b\u{1}"), ("b", "b\u{1}\0\0\0\0\0\0\0\0"), ("b", "c")]
    {
        let mut contents = BlockBuilder::new(16);
        contents.add(&record(first), b"");
        contents.add(&record(second), b"");
        let parts = Parts::of_block(&contents.finish(<[u8]>::to_vec), "~", 2);
        assert_eq!(scan(&open(parts.file()).unwrap()).unwrap().len(), 2, "{first:?} {second:?}");
    }
}

#[test]
fn keys_ascend_from_block_to_block() {
    let mut parts = Parts::of_block(&records(&["b", "c"]), "c", 3);
    let first = BlockHandle { offset: 0, size: parts.blocks.len() as u64 - 5 };
    let second = append_plain(&records(&["c"]), &mut parts.blocks);
    parts.index = block(&[(separator("c"), first.encode()), (separator("d"), second.encode())]);
    let error = scan(&open(parts.file()).unwrap()).unwrap_err();
    assert_eq!(error, Corruption::new(second.offset, Defect::KeyOrder { at: 0 }));
}

#[test]
fn records_are_plain_values() {
    let deletion = [b"b".as_slice(), &[0; 8]].concat();
    assert_eq!(block_defect(&block(&[(deletion, Vec::new())])), Defect::RecordKind { at: 0, kind: 0 });
    let newer = [b"b".as_slice(), &[1, 9, 0, 0, 0, 0, 0, 0]].concat();
    let table = open(Parts::of_block(&block(&[(newer, b"value".to_vec())]), "~", 1).file()).unwrap();
    assert_eq!(table.get(b"b").unwrap().as_deref(), Some(b"value".as_slice()));
}

#[test]
fn an_index_entry_is_one_handle_and_no_block_overlaps_another() {
    let handle = BlockHandle { offset: 0, size: 3 }.encode();
    assert_eq!(index_defect(block(&[(separator("b"), Vec::new())])), Defect::IndexValue { at: 0 });
    let longer = [handle.as_slice(), &[0]].concat();
    assert_eq!(index_defect(block(&[(separator("b"), longer)])), Defect::IndexValue { at: 0 });
    let twice = block(&[(separator("b"), handle.clone()), (separator("c"), handle.clone())]);
    assert_eq!(index_defect(twice), Defect::IndexOverlap { at: 14 });
    let unordered = raw_block(&[(0, &separator("c"), "\0\u{3}"), (0, &separator("b"), "\u{8}\u{3}")], &[0]);
    assert_eq!(index_defect(unordered), Defect::KeyOrder { at: 14 });
}

#[test]
fn separators_bound_their_blocks() {
    let below = Parts::of_block(&records(&["b", "d"]), "c", 2).file();
    assert_eq!(check(below), Err(Corruption::new(0, Defect::SeparatorBounds)));
    let mut above = Parts::of_block(&records(&["b"]), "c", 2);
    let first = BlockHandle { offset: 0, size: above.blocks.len() as u64 - 5 };
    let second = append_plain(&records(&["bb"]), &mut above.blocks);
    above.index = block(&[(separator("c"), first.encode()), (separator("d"), second.encode())]);
    let bounds = Corruption::new(second.offset, Defect::SeparatorBounds);
    assert_eq!(check(above.file()), Err(bounds.clone()));
    let mut cursor = open(above.file()).unwrap().cursor();
    assert_eq!(cursor.seek(b"bc"), Err(bounds));
}

/// RocksDB would not find the last record of such a block, though it scans it.
#[test]
fn a_separator_is_not_before_the_last_record_even_by_its_trailer() {
    let mut parts = Parts::of_block(&records(&["b"]), "b", 1);
    let handle = BlockHandle { offset: 0, size: parts.blocks.len() as u64 - 5 };
    let before = [b"b".as_slice(), &[0xff; 8]].concat();
    parts.index = block(&[(before, handle.encode())]);
    assert_eq!(check(parts.file()), Err(Corruption::new(0, Defect::SeparatorBounds)));
}

#[test]
fn separators_of_partitions_are_bounded_by_those_above() {
    let options = WriterOptions { blocks: BlockEnds::Size(1), ..WriterOptions::default() };
    let plain = write(&numbered(6), options);
    let mut parts = Parts::of(plain.clone());
    parts.split_index(plain, false);
    assert_eq!(check(parts.file()), Ok(()));
    let partitions = Vec::from_iter(entries(&parts.index));
    let lowered = partitions.iter().map(|(_, handle)| handle.clone());
    let lowered = lowered.zip(["data/0000", "data/0002", "data/0005"]);
    parts.index = block(&Vec::from_iter(lowered.map(|(handle, last)| (separator(last), handle))));
    assert_eq!(defect(parts.file()), Defect::SeparatorBounds);
}

/// The entries of a block built with `block`.
fn entries(contents: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
    use crate::block_cursor::{BlockCursor, KeyForm};
    let block = crate::block::Block::parse(contents.to_vec().into(), 0).unwrap();
    let mut cursor = BlockCursor::new(block, KeyForm::Bound);
    let mut entries = Vec::new();
    while cursor.advance().unwrap() {
        entries.push((cursor.key().to_vec(), cursor.value().to_vec()));
    }
    entries
}

#[test]
fn a_partition_is_checked_as_the_index_is() {
    let plain = write(&numbered(1), WriterOptions::default());
    let mut parts = Parts::of(plain.clone());
    parts.split_index(plain, false);
    let whole = parts.file();
    let data = handles(&whole)[0];
    let wrong = raw_block(&[(0, &separator("data/0000"), "\0\u{20}")], &[0, 1]);
    let partition = append_plain(&wrong, &mut parts.blocks);
    parts.index = block(&[(separator("data/0000"), partition.encode())]);
    assert_eq!(check(parts.file()).unwrap_err().offset, partition.offset);
    assert_eq!(data.offset, 0);
}

#[test]
fn properties_that_change_how_a_table_is_read_are_obeyed_or_refused() {
    let with = |name: &str, value: &[u8]| {
        let mut parts = Parts::of_block(&records(&["b"]), "b", 1);
        parts.set(name, value);
        open(parts.file()).unwrap_err().what
    };
    for (name, value) in [
        ("rocksdb.comparator", b"rocksdb.ReverseBytewiseComparator".as_slice()),
        ("rocksdb.index.key.is.user.key", &[1]),
        ("rocksdb.index.value.is.delta.encoded", &[1]),
        ("rocksdb.block.based.table.index.type", &[1, 0, 0, 0]),
        ("rocksdb.num.entries", &[0x80]),
        ("rocksdb.num.entries", &[1, 1]),
    ] {
        assert_eq!(with(name, value), Defect::PropertyValue { name, value: value.to_vec() });
    }
}

#[test]
fn properties_that_reading_needs_are_there() {
    for name in ["rocksdb.num.entries", "rocksdb.block.based.table.index.type"] {
        let mut parts = Parts::of_block(&records(&["b"]), "b", 1);
        parts.properties.remove(name);
        assert_eq!(open(parts.file()).unwrap_err().what, Defect::PropertyAbsent { name });
    }
    let mut file = write(&numbered(1), WriterOptions::default());
    let metaindex = *handles(&file).last().unwrap();
    let other = block(&[(b"rocksdb.propertieS".to_vec(), handles(&file)[2].encode())]);
    super::craft::replace(&mut file, metaindex, &other);
    assert_eq!(check(file), Err(Corruption::new(metaindex.offset, Defect::NoProperties)));
}

#[test]
fn a_property_has_a_name_that_is_text() {
    let mut file = write(&numbered(1), WriterOptions::default());
    let properties = handles(&file)[2];
    let mut contents = super::craft::contents(&file, properties);
    // The first name starts after three lengths.
    contents[3] = 0xff;
    super::craft::replace(&mut file, properties, &contents);
    assert_eq!(check(file), Err(Corruption::new(properties.offset, Defect::PropertyName { at: 0 })));
}

#[test]
fn properties_count_what_is_there() {
    let options = WriterOptions { compression: Compression::None, ..WriterOptions::default() };
    for (name, found) in [
        ("rocksdb.num.entries", 5),
        ("rocksdb.num.data.blocks", 1),
        ("rocksdb.raw.key.size", 5 * 17),
        ("rocksdb.raw.value.size", 8 + 16 + 24),
    ] {
        let mut parts = Parts::of(write(&numbered(5), options));
        assert_eq!(check(parts.file()), Ok(()));
        parts.set(name, &[9]);
        let stated = 9;
        assert_eq!(defect(parts.file()), Defect::PropertyCount { name, stated, found });
    }
}

#[test]
fn range_deletions_are_refused_if_they_may_hide_records() {
    let with = |sequence_number: u8| {
        let mut parts = Parts::of(write(&numbered(5), WriterOptions::default()));
        let start = [b"data/0001".as_slice(), &[15, sequence_number, 0, 0, 0, 0, 0, 0]].concat();
        let contents = block(&[(start, b"data/0003".to_vec())]);
        parts.others = vec![("rocksdb.range_del2", append_plain(&contents, &mut parts.blocks))];
        parts
    };
    assert_eq!(open(with(1).file()).unwrap_err().what, Defect::RangeDeletion { at: 0 });
    let mut harmless = with(0);
    // RocksDB counts them among the entries, and their keys and values among the rest.
    harmless.set("rocksdb.num.entries", &[6]);
    harmless.set("rocksdb.raw.key.size", &[6 * 17]);
    harmless.set("rocksdb.raw.value.size", &[48 + 9]);
    assert_eq!(check(harmless.file()), Ok(()));
    assert_eq!(open(harmless.file()).unwrap().count(), 5);
    harmless.set("rocksdb.num.entries", &[0]);
    let what = Defect::PropertyCount { name: "rocksdb.num.entries", stated: 0, found: 1 };
    assert_eq!(open(harmless.file()).unwrap_err().what, what);
}

#[test]
fn a_corruption_says_where_and_what() {
    let error = Corruption::new(4100, Defect::Checksum { stored: 1, computed: 0xabcd });
    assert_eq!(
        error.to_string(),
        "corrupted table at offset 4100: checksum 0x00000001 is stored, the bytes have 0x0000abcd"
    );
}
