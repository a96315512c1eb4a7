//! Blocks that end where the content says so.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use xxhash_rust::xxh3::xxh3_64;

use super::round_trip::table_records;
use super::support::{Records, numbered, open, write};
use crate::{BlockEnds, Compression, Table, WriterOptions};

const ENDS: BlockEnds = BlockEnds::Content { min: 200, max: 1200, one_in: 8 };

fn options(compression: Compression) -> WriterOptions {
    WriterOptions { blocks: ENDS, compression, ..WriterOptions::default() }
}

fn table(records: &Records) -> Table {
    open(write(records, options(Compression::Snappy))).unwrap()
}

/// The last key of each block, and the length of the block.
fn ends(table: &Table) -> Vec<(Vec<u8>, usize)> {
    let blocks = (0..table.index().blocks()).map(|block| {
        let len = table.read_data(block).unwrap().contents().len();
        let mut cursor = table.data_block(block).unwrap().cursor();
        let mut last = Vec::new();
        while let Some((key, _)) = cursor.next().unwrap() {
            last = key.to_vec();
        }
        (last, len)
    });
    blocks.collect()
}

/// The data blocks of a table as they are stored.
fn stored(table: &Table) -> Vec<Vec<u8>> {
    (0..table.index().blocks()).map(|block| table.stored_data(block).unwrap().to_vec()).collect()
}

#[test]
fn a_block_ends_at_a_chosen_key_from_the_minimum_on_and_at_any_key_from_the_maximum_on() {
    let mut ends = ends(&table(&numbered(5000)));
    assert_eq!(ends.pop().unwrap().0, b"data/4999");
    let (chosen, other): (Vec<_>, Vec<_>) =
        ends.into_iter().partition(|(last, _)| xxh3_64(last).is_multiple_of(8));
    assert!(chosen.len() > 100 && !other.is_empty());
    assert!(chosen.iter().all(|(_, len)| *len >= 200));
    assert!(other.iter().all(|(_, len)| (1200..1300).contains(len)), "{other:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// The ends before a change stay, and those behind it come back to where they were.
    #[test]
    fn a_change_leaves_the_blocks_before_and_behind_it_as_they_are(at in any::<Index>(), value in prop::option::of(0..500usize)) {
        let mut records = numbered(2000);
        let before = stored(&table(&records));
        let key = records.keys().nth(at.index(records.len())).unwrap().clone();
        match value {
            Some(len) => records.insert(key, vec![9; len]),
            None => records.remove(&key),
        };
        let after = stored(&table(&records));
        let common: BTreeSet<_> = before.iter().collect();
        let new = after.iter().filter(|block| !common.contains(block)).count();
        prop_assert!(new <= 20, "{new} of {} blocks are new", after.len());
        prop_assert!(before.len() > 60);
    }

    #[test]
    fn where_blocks_end_does_not_depend_on_compression(records in table_records()) {
        let ends = |compression| {
            let table = open(write(&records, options(compression))).unwrap();
            ends(&table)
        };
        prop_assert_eq!(ends(Compression::None), ends(Compression::Zstd { level: 1 }));
    }
}

#[test]
fn a_table_shares_its_unchanged_blocks_with_the_one_before() {
    for compression in [Compression::None, Compression::Snappy, Compression::Zstd { level: 1 }] {
        let mut records = numbered(2000);
        let before = open(write(&records, options(compression))).unwrap();
        records.insert(b"data/0007".to_vec(), b"another".to_vec());
        let after = open(write(&records, options(compression))).unwrap();
        let (before, after) = (stored(&before), stored(&after));
        let common =
            before.iter().rev().zip(after.iter().rev()).take_while(|(one, other)| one == other).count();
        assert!(common + 8 > before.len(), "{common} of {}", before.len());
    }
}
