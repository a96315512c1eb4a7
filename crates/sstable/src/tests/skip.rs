//! Blocks in common are stepped over, and nothing else.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use super::craft::{Parts, block, records, separator};
use super::round_trip::{options, table_records};
use super::support::{Records, numbered, open, write};
use crate::stored_block::append_plain;
use crate::{
    BlockEnds, BlockHandle, Compression, Corruption, Cursor, Defect, Table, WriterOptions, skip_equal_blocks,
};

/// A key with its value in the one table and in the other, which differ.
type Difference = (Vec<u8>, Option<Vec<u8>>, Option<Vec<u8>>);
/// A record that a walk stands at.
type Head = Option<(Vec<u8>, Vec<u8>)>;

/// Walks two tables side by side as a diff does. Also returns how many blocks were stepped over.
fn differences(one: &Table, other: &Table, skip: bool) -> Result<(Vec<Difference>, u64), Corruption> {
    let (mut left, mut right) = (one.cursor(), other.cursor());
    let mut skipped = 0;
    let mut differences = Vec::new();
    let (mut at_left, mut at_right): (Head, Head) = (None, None);
    loop {
        if at_left.is_none() && at_right.is_none() && skip {
            skipped += skip_equal_blocks(&mut left, &mut right)?;
        }
        at_left = at_left.map_or_else(|| step(&mut left), |head| Ok(Some(head)))?;
        at_right = at_right.map_or_else(|| step(&mut right), |head| Ok(Some(head)))?;
        let Some(key) = [&at_left, &at_right].into_iter().flatten().map(|(key, _)| key).min().cloned() else {
            return Ok((differences, skipped));
        };
        let value = at_left.take_if(|head| head.0 == key).map(|head| head.1);
        let other = at_right.take_if(|head| head.0 == key).map(|head| head.1);
        if value != other {
            differences.push((key, value, other));
        }
    }
}

fn step(cursor: &mut Cursor) -> Result<Head, Corruption> {
    Ok(cursor.next()?.map(|(key, value)| (key.to_vec(), value.to_vec())))
}

pub(super) fn content_ends(compression: Compression) -> WriterOptions {
    let blocks = BlockEnds::Content { min: 100, max: 900, one_in: 8 };
    WriterOptions { blocks, compression, ..WriterOptions::default() }
}

fn table(records: &Records) -> Table {
    open(write(records, content_ends(Compression::Snappy))).unwrap()
}

/// Edits of records: changed, deleted, or with a new one behind.
pub(super) fn edit(records: &mut Records, edits: &[(Index, u8)]) {
    for (at, kind) in edits {
        let Some(key) = records.keys().nth(at.index(records.len().max(1))).cloned() else { return };
        match kind % 3 {
            0 => records.insert(key, vec![*kind; 3]),
            1 => records.remove(&key),
            _ => records.insert([key, b"+".to_vec()].concat(), vec![*kind]),
        };
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_diff_that_skips_finds_what_one_that_does_not_finds(edits in vec((any::<Index>(), any::<u8>()), 0..8)) {
        let mut records = numbered(400);
        let before = table(&records);
        edit(&mut records, &edits);
        let after = table(&records);
        let (found, skipped) = differences(&before, &after, true).unwrap();
        prop_assert_eq!(&found, &differences(&before, &after, false).unwrap().0);
        prop_assert!(skipped > 0 || before.index().blocks() < 8 * edits.len());
    }

    #[test]
    fn tables_of_any_shape_skip_nothing_that_differs(
        before in table_records(), options in options(), edits in vec((any::<Index>(), any::<u8>()), 0..4),
    ) {
        let mut after = before.clone();
        edit(&mut after, &edits);
        let (before, after) = (open(write(&before, options)).unwrap(), open(write(&after, options)).unwrap());
        let (found, _) = differences(&before, &after, true).unwrap();
        prop_assert_eq!(found, differences(&before, &after, false).unwrap().0);
    }
}

#[test]
fn most_blocks_around_a_change_are_skipped() {
    let mut records = numbered(1000);
    let before = table(&records);
    records.insert(b"data/0500".to_vec(), b"changed".to_vec());
    let after = table(&records);
    let (found, skipped) = differences(&before, &after, true).unwrap();
    assert_eq!(found.len(), 1);
    let blocks = before.index().blocks() as u64;
    assert!(blocks > 50 && skipped + 3 >= blocks, "{skipped} of {blocks}");
}

#[test]
fn equal_tables_are_skipped_to_their_end() {
    let (one, other) = (table(&numbered(300)), table(&numbered(300)));
    let (mut one_cursor, mut other_cursor) = (one.cursor(), other.cursor());
    let skipped = skip_equal_blocks(&mut one_cursor, &mut other_cursor);
    assert_eq!(skipped, Ok(one.index().blocks() as u64));
    assert_eq!((one_cursor.next(), other_cursor.next()), (Ok(None), Ok(None)));
    assert_eq!(skip_equal_blocks(&mut one_cursor, &mut other_cursor), Ok(0));
}

#[test]
fn nothing_is_skipped_from_within_a_block_and_a_seek_may_stand_at_a_start() {
    let (one, other) = (table(&numbered(300)), table(&numbered(300)));
    let blocks = one.index().blocks() as u64;
    let (mut left, mut right) = (one.cursor(), other.cursor());
    left.next().unwrap();
    assert_eq!(skip_equal_blocks(&mut left, &mut right), Ok(0));
    right.next().unwrap();
    assert_eq!(skip_equal_blocks(&mut left, &mut right), Ok(0));
    assert_eq!(left.key(), Some(&b"data/0000"[..]), "nothing has moved");
    right.seek(b"data/0000").unwrap();
    left.seek_to_first();
    assert_eq!(skip_equal_blocks(&mut left, &mut right), Ok(blocks));
    left.seek(b"data/0001").unwrap();
    right.seek(b"data/0001").unwrap();
    assert_eq!(skip_equal_blocks(&mut left, &mut right), Ok(0));
    assert_eq!(left.next().unwrap(), right.next().unwrap());
}

/// Damage that both tables have alike, as when one was made of the other's bytes.
#[test]
fn damage_in_a_block_that_is_skipped_is_found() {
    let mut file = write(&numbered(300), content_ends(Compression::None));
    let third = open(file.clone()).unwrap().index().handle(2);
    file[third.offset as usize + 4] ^= 1;
    let file = Bytes::from(file);
    let (mut one, mut other) =
        (Table::open(file.clone()).unwrap().cursor(), Table::open(file).unwrap().cursor());
    let error = skip_equal_blocks(&mut one, &mut other).unwrap_err();
    assert_eq!(error.offset, third.offset);
    assert!(matches!(error.what, Defect::Checksum { .. }));
    assert_eq!(one.next(), Err(error.clone()), "both stand before it");
    assert_eq!(other.next(), Err(error));
}

/// Blocks of the keys `b`, `c` and the one given, with separators `b`, `c` and `d`.
fn three_blocks(last: &str) -> Table {
    let mut parts = Parts::of_block(&records(&["b"]), "b", 3);
    let first = BlockHandle { offset: 0, size: parts.blocks.len() as u64 - 5 };
    let second = append_plain(&records(&["c"]), &mut parts.blocks);
    let third = append_plain(&records(&[last]), &mut parts.blocks);
    parts.index = block(
        &[("b", first), ("c", second), ("d", third)].map(|(key, handle)| (separator(key), handle.encode())),
    );
    open(parts.file()).unwrap()
}

#[test]
fn the_order_of_keys_is_checked_across_what_was_skipped() {
    for (last, is_ordered) in [("c", false), ("a", false), ("c\0", true), ("d", true)] {
        let (mut one, mut other) = (three_blocks(last).cursor(), three_blocks("ca").cursor());
        assert_eq!(skip_equal_blocks(&mut one, &mut other), Ok(2));
        assert!(other.next().unwrap().is_some());
        match one.next() {
            Ok(found) => assert!(is_ordered && found.is_some(), "{last}"),
            Err(error) => assert!(!is_ordered && error.what == Defect::KeyOrder { at: 0 }, "{last}: {error}"),
        }
    }
}
