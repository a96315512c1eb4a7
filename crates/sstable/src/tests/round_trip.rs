//! What is written is what is read, in any shape, and by walking, seeking or looking up.

use std::collections::BTreeMap;
use std::ops::Bound;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::craft::Parts;
use super::support::{Records, check_lookups, numbered, open, scan, write};
use crate::{BlockEnds, Compression, Table, Writer, WriterOptions, verify};

/// Keys of all kinds: any bytes, few bytes (so that one key is often a prefix of another), long ones, paths.
fn key() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..12),
        vec(select(vec![0u8, 1, 0xfe, 0xff]), 0..12),
        (any::<u8>(), 200..700usize).prop_map(|(byte, len)| vec![byte; len]),
        (0..4u8, 0..50u8).prop_map(|(folder, file)| format!("lake/{folder}/part-{file}").into_bytes()),
    ]
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        vec(any::<u8>(), 0..40),
        (any::<u8>(), 0..3000usize).prop_map(|(byte, len)| vec![byte; len]),
    ]
}

pub(super) fn table_records() -> impl Strategy<Value = Records> {
    btree_map(key(), value(), 0..60)
}

pub(super) fn options() -> impl Strategy<Value = WriterOptions> {
    let compressions = [Compression::None, Compression::Snappy, Compression::Zstd { level: 1 }];
    let restart_interval = select(vec![0, 1, 2, 16, usize::MAX]);
    (select(compressions.to_vec()), blocks(), restart_interval).prop_map(
        |(compression, blocks, restart_interval)| WriterOptions { blocks, restart_interval, compression },
    )
}

fn blocks() -> impl Strategy<Value = BlockEnds> {
    let length = || select(vec![0, 1, 30, 100, 1000, 4096, usize::MAX]);
    prop_oneof![
        length().prop_map(BlockEnds::Size),
        (length(), length(), select(vec![0, 1, 2, 4, u64::MAX]))
            .prop_map(|(min, max, one_in)| BlockEnds::Content { min, max, one_in }),
    ]
}

#[derive(Debug, Clone)]
enum Step {
    Next,
    Seek(Vec<u8>),
    SeekRecord(Index),
    SeekToFirst,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Next),
        1 => key().prop_map(Step::Seek),
        1 => any::<Index>().prop_map(Step::SeekRecord),
        1 => Just(Step::SeekToFirst),
    ]
}

/// Walks a table and a map side by side.
fn walk(table: &Table, records: &Records, steps: &[Step]) {
    let mut cursor = table.cursor();
    let mut rest = Bound::Unbounded;
    for step in steps {
        let target = match step {
            Step::Next => None,
            Step::Seek(key) => Some(key.clone()),
            Step::SeekRecord(index) if records.is_empty() => Some(vec![index.index(256) as u8]),
            Step::SeekRecord(index) => records.keys().nth(index.index(records.len())).cloned(),
            Step::SeekToFirst => {
                cursor.seek_to_first();
                rest = Bound::Unbounded;
                continue;
            }
        };
        if let Some(target) = target {
            cursor.seek(&target).unwrap();
            assert_eq!((cursor.key(), cursor.value()), (None, None));
            rest = Bound::Included(target);
            continue;
        }
        let expected = records.range((rest.clone(), Bound::Unbounded)).next();
        let expected = expected.map(|(key, value)| (key.as_slice(), value.as_slice()));
        assert_eq!(cursor.next().unwrap(), expected);
        assert_eq!(cursor.key(), expected.map(|(key, _)| key));
        assert_eq!(cursor.value().as_deref(), expected.map(|(_, value)| value));
        if let Some((key, _)) = expected {
            rest = Bound::Excluded(key.to_vec());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_table_reads_back(records in table_records(), options in options(), steps in vec(step(), 0..40)) {
        let table = open(write(&records, options)).unwrap();
        verify(&table).unwrap();
        prop_assert_eq!(table.count(), records.len() as u64);
        check_lookups(&table, &records);
        walk(&table, &records, &steps);
        prop_assert_eq!(scan(&table).unwrap(), Vec::from_iter(records));
    }

    #[test]
    fn an_index_of_two_levels_reads_as_one(records in table_records(), options in options(), steps in vec(step(), 0..40)) {
        let file = write(&records, options);
        let mut parts = Parts::of(file.clone());
        parts.split_index(file, false);
        let table = open(parts.file()).unwrap();
        check_lookups(&table, &records);
        walk(&table, &records, &steps);
        prop_assert_eq!(scan(&table).unwrap(), Vec::from_iter(records));
    }

    #[test]
    fn the_same_records_give_the_same_bytes(records in table_records(), options in options()) {
        prop_assert_eq!(write(&records, options), write(&records, options));
    }

    #[test]
    fn a_writer_counts_what_it_was_given(records in table_records()) {
        let mut writer = Writer::new(WriterOptions::default());
        for (key, value) in &records {
            writer.add(key, value).unwrap();
        }
        let raw: usize = records.iter().map(|(key, value)| key.len() + value.len()).sum();
        prop_assert_eq!((writer.count(), writer.raw_bytes()), (records.len() as u64, raw as u64));
    }
}

#[test]
fn a_large_table_reads_back() {
    let records = numbered(5000);
    let table = open(write(&records, WriterOptions::default())).unwrap();
    verify(&table).unwrap();
    check_lookups(&table, &records);
    assert_eq!(scan(&table).unwrap(), Vec::from_iter(records));
}

#[test]
fn a_partition_may_be_bounded_more_loosely_than_its_blocks() {
    let records = numbered(100);
    let file = write(&records, WriterOptions { blocks: BlockEnds::Size(100), ..WriterOptions::default() });
    let mut parts = Parts::of(file.clone());
    parts.split_index(file, true);
    let table = open(parts.file()).unwrap();
    check_lookups(&table, &records);
    assert_eq!(scan(&table).unwrap(), Vec::from_iter(records));
}

#[test]
fn a_cursor_outlives_the_table_it_came_from_and_stays_at_the_end() {
    let mut cursor = open(write(&numbered(1), WriterOptions::default())).unwrap().cursor();
    assert!(cursor.next().unwrap().is_some());
    assert!(cursor.next().unwrap().is_none());
    assert!(cursor.next().unwrap().is_none());
    assert_eq!(cursor.key(), None);
}

#[test]
fn a_plain_block_is_not_copied() {
    let options = WriterOptions { compression: Compression::None, ..WriterOptions::default() };
    let table = open(write(&numbered(10), options)).unwrap();
    let value = table.get(b"data/0003").unwrap().unwrap();
    let file = table.file().as_ptr_range();
    assert!(file.contains(&value.as_ptr()));
}

#[test]
fn own_properties_stand_among_those_of_the_format() {
    let own = BTreeMap::from([("min_key".to_owned(), vec![0xff, 0]), ("zone".to_owned(), Vec::new())]);
    let table = open(Writer::new(WriterOptions::default()).finish(&own).unwrap()).unwrap();
    let (format, rest): (BTreeMap<_, _>, BTreeMap<_, _>) =
        table.properties().clone().into_iter().partition(|(name, _)| name.starts_with("rocksdb."));
    assert_eq!(rest, own);
    assert_eq!(format.len(), 28);
}
