//! Tables are written with blocks of others: what comes out is what is written record by record, byte for byte.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::round_trip::{options, table_records};
use super::skip::{content_ends, edit};
use super::support::{Records, numbered, open, scan, write};
use crate::{BlockEnds, Checkpoint, Compression, Table, Writer, WriterOptions};

fn finish(writer: Writer) -> Vec<u8> {
    writer.finish(&BTreeMap::from([("type".to_owned(), b"ranges".to_vec())])).unwrap()
}

/// Writes records with all blocks of a table that have the same ones. Also gives how many blocks were taken.
fn rewrite(old: &Table, new: &Records, options: WriterOptions) -> (Vec<u8>, usize) {
    let (mut writer, mut taken, mut behind) = (Writer::new(options), 0, Bound::Unbounded);
    for block in 0..old.index().blocks() {
        let mut inside = Vec::new();
        let mut cursor = old.data_block(block).unwrap().cursor();
        while let Some((key, value)) = cursor.next().unwrap() {
            inside.push((key.to_vec(), value.to_vec()));
        }
        let Some((last, _)) = inside.last().cloned() else { continue };
        let wanted: Vec<_> = new.range((behind, Bound::Included(last.clone()))).collect();
        let is_same = wanted.iter().copied().eq(inside.iter().map(|(key, value)| (key, value)));
        match is_same && writer.add_block(old, block, |_, _| true).unwrap() {
            true => taken += 1,
            false => wanted.into_iter().for_each(|(key, value)| writer.add(key, value).unwrap()),
        }
        behind = Bound::Excluded(last);
    }
    for (key, value) in new.range((behind, Bound::Unbounded)) {
        writer.add(key, value).unwrap();
    }
    (finish(writer), taken)
}

/// Where the blocks of a table end.
fn checkpoints(records: &Records, options: WriterOptions) -> Vec<Checkpoint> {
    let (mut writer, mut found) = (Writer::new(options), Vec::new());
    for (key, value) in records {
        let blocks = writer.blocks();
        writer.add(key, value).unwrap();
        if writer.blocks() > blocks {
            found.push(writer.checkpoint().unwrap().clone());
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn blocks_that_are_taken_over_make_no_difference(edits in vec((any::<Index>(), any::<u8>()), 0..8)) {
        for compression in [Compression::None, Compression::Snappy, Compression::Zstd { level: 1 }] {
            let mut records = numbered(400);
            let old = open(write(&records, content_ends(compression))).unwrap();
            edit(&mut records, &edits);
            let (file, taken) = rewrite(&old, &records, content_ends(compression));
            prop_assert_eq!(file, write(&records, content_ends(compression)));
            prop_assert!(taken + 1 + 3 * edits.len() >= old.index().blocks(), "{} of {}", taken, old.index().blocks());
        }
    }

    #[test]
    fn tables_of_any_shape_keep_their_records(
        before in table_records(), from in options(), to in options(), edits in vec((any::<Index>(), any::<u8>()), 0..4),
    ) {
        let mut after = before.clone();
        edit(&mut after, &edits);
        let (file, _) = rewrite(&open(write(&before, from)).unwrap(), &after, to);
        let found = scan(&open(file).unwrap()).unwrap();
        prop_assert_eq!(found, after.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_table_goes_on_at_any_checkpoint(at: Index, edits in vec((any::<Index>(), any::<u8>()), 0..4)) {
        let (before, options) = (numbered(400), content_ends(Compression::Snappy));
        let table = open(write(&before, options)).unwrap();
        let checkpoints = checkpoints(&before, options);
        let checkpoint = at.get(&checkpoints);
        let mut writer = Writer::resume(options, &table, checkpoint).unwrap().unwrap();
        let last = writer.last_key().unwrap().to_vec();
        let mut rest = before.clone().split_off(&last);
        rest.remove(&last);
        edit(&mut rest, &edits);
        rest.iter().for_each(|(key, value)| writer.add(key, value).unwrap());
        let mut after = before;
        after.retain(|key, _| *key <= last);
        after.extend(rest);
        prop_assert_eq!(finish(writer), write(&after, options));
    }

    #[test]
    fn steps_to_keys_find_what_seeks_find(keys in vec(0..420_u32, 1..12), options in options()) {
        let table = open(write(&numbered(400), options)).unwrap();
        let (mut steps, mut seeks) = (table.cursor(), table.cursor());
        let mut keys: Vec<Vec<u8>> = keys.into_iter().map(|key| format!("data/{key:04}").into_bytes()).collect();
        keys.sort();
        keys.dedup();
        for key in keys {
            let found = steps.step_to(&key).unwrap();
            seeks.seek(&key).unwrap();
            prop_assert_eq!(steps.record(), seeks.next().unwrap());
            prop_assert_eq!(found, steps.record().is_some());
        }
    }
}

#[test]
fn blocks_of_another_shape_are_not_taken() {
    let records = numbered(400);
    let small = WriterOptions { blocks: BlockEnds::Size(300), ..WriterOptions::default() };
    let old = open(write(&records, small)).unwrap();
    let (file, taken) = rewrite(&old, &records, content_ends(Compression::Snappy));
    assert_eq!(file, write(&records, content_ends(Compression::Snappy)));
    assert!(taken < old.index().blocks() / 2, "{taken} blocks happen to end where others do");
    for checkpoint in checkpoints(&records, content_ends(Compression::Snappy)) {
        assert!(Writer::resume(small, &old, &checkpoint).unwrap().is_none());
    }
}

#[test]
fn a_refused_block_leaves_the_table_as_it_was() {
    let (records, options) = (numbered(400), content_ends(Compression::Snappy));
    let old = open(write(&records, options)).unwrap();
    let mut writer = Writer::new(options);
    let mut seen = 0;
    let taken = writer.add_block(&old, 0, |_, _| {
        seen += 1;
        seen < 3
    });
    assert_eq!((taken, writer.count()), (Ok(false), 0));
    records.iter().for_each(|(key, value)| writer.add(key, value).unwrap());
    assert_eq!(writer.add_block(&old, 0, |_, _| true), Ok(false), "its keys come before");
    assert_eq!(finish(writer), write(&records, options));
}

#[test]
fn damage_in_blocks_that_are_taken_over_is_found() {
    let (records, options) = (numbered(400), content_ends(Compression::None));
    let mut file = write(&records, options);
    let third = open(file.clone()).unwrap().index().handle(2);
    file[third.offset as usize + 4] ^= 1;
    let damaged = Table::open(Bytes::from(file)).unwrap();
    for checkpoint in checkpoints(&records, options) {
        let resumed = Writer::resume(options, &damaged, &checkpoint);
        match checkpoint.blocks() {
            1 | 2 => assert!(resumed.unwrap().is_some()),
            _ => assert_eq!(resumed.unwrap_err().offset, third.offset),
        }
    }
    let mut writer = Writer::new(options);
    assert_eq!(writer.add_block(&damaged, 0, |_, _| true), Ok(true));
    assert_eq!(writer.add_block(&damaged, 1, |_, _| true), Ok(true));
    assert_eq!(writer.add_block(&damaged, 2, |_, _| true).unwrap_err().offset, third.offset);
}

#[test]
fn steps_to_a_key_do_not_read_what_lies_before() {
    let mut file = write(&numbered(400), content_ends(Compression::None));
    let table = open(file.clone()).unwrap();
    let third = table.index().handle(2);
    file[third.offset as usize + 4] ^= 1;
    let mut cursor = Table::open(Bytes::from(file)).unwrap().cursor();
    cursor.next().unwrap();
    assert_eq!(cursor.step_to(b"data/0390"), Ok(true));
    assert_eq!(cursor.key(), Some(&b"data/0390"[..]));
    assert_eq!(cursor.step_to(b"data/9"), Ok(false));
}
