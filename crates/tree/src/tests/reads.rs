//! What lookups, cursors and listings read.

use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;

use super::support::*;
use crate::testing::Counts;
use crate::{
    Cursor, ListQuery, Metarange, Pending, RangeStore, TreeCursor, TreeFormat, TreeId, Wanted, key_after,
    list_page, lookup,
};

const ITEM: Item = Item { content: 0, place: 0 };

fn metarange(stored: &Stored, tree: TreeId) -> Arc<Metarange> {
    block_on(stored.memory.metarange(&tree.unwrap())).unwrap()
}

/// A tree of one range of many blocks.
fn one_range(count: u32) -> (Stored, TreeId) {
    let stored = Stored::new();
    let format = TreeFormat { min_bytes: 100 << 20, max_bytes: 200 << 20, ..small_format() };
    let tree = stored.build(&format, &numbered(count));
    assert_eq!(metarange(&stored, tree).ranges().len(), 1);
    stored.counting.take();
    (stored, tree)
}

fn take(cursor: &mut TreeCursor, count: u32) -> Vec<Bytes> {
    (0..count).map_while(|_| block_on(cursor.next()).unwrap()).map(|record| record.key).collect()
}

#[test]
fn a_lookup_reads_one_metarange_one_index_and_one_block() {
    let stored = Stored::new();
    let model = numbered(300);
    let tree = stored.build(&small_format(), &model);
    let one =
        Counts { metaranges_read: 1, indexes_read: 1, block_reads: 1, blocks_read: 1, ..Counts::default() };
    for number in 0..300 {
        stored.counting.take();
        let found = block_on(lookup(&*stored.store, tree, &path(number))).unwrap();
        assert_eq!(found, Some(record(&path(number), model[&path(number)])));
        assert_eq!(stored.counting.take(), one);
    }
    for absent in [&b"a"[..], b"path/000007x", b"q", b""] {
        assert_eq!(block_on(lookup(&*stored.store, tree, absent)).unwrap(), None);
    }
    assert_eq!(block_on(lookup(&*stored.store, None, b"a")).unwrap(), None);
    let between = &metarange(&stored, tree).ranges()[0].max_key.clone();
    stored.counting.take();
    block_on(lookup(&*stored.store, tree, &[between, &b"x"[..]].concat())).unwrap();
    let counts = stored.counting.take();
    assert_eq!(
        counts,
        Counts { metaranges_read: 1, ..Counts::default() },
        "no range holds keys between two of them"
    );
}

#[test]
fn a_seek_reads_nothing_and_the_next_record_one_block() {
    let stored = Stored::new();
    let tree = stored.build(&small_format(), &numbered(300));
    let metarange = metarange(&stored, tree);
    stored.counting.take();
    let mut cursor = stored.cursor(tree);
    for range in metarange.ranges() {
        block_on(cursor.seek(&range.min_key)).unwrap();
    }
    assert_eq!(stored.counting.take(), Counts::default());
    assert_eq!(take(&mut cursor, 1), [metarange.ranges().last().unwrap().min_key.clone()]);
    let one =
        Counts { metaranges_read: 1, indexes_read: 1, block_reads: 1, blocks_read: 1, ..Counts::default() };
    assert_eq!(stored.counting.take(), one);
    for range in metarange.ranges() {
        block_on(cursor.seek(&range.min_key)).unwrap();
    }
    assert_eq!(stored.counting.take(), Counts::default());
}

#[test]
fn a_seek_to_what_is_at_hand_reads_nothing() {
    let (stored, tree) = one_range(20_000);
    let mut cursor = stored.cursor(tree);
    assert_eq!(take(&mut cursor, 100).len(), 100);
    let counts = stored.counting.take();
    assert_eq!((counts.indexes_read, counts.block_reads), (1, 2), "{counts:?}");
    for number in [99, 40, 70, 150] {
        block_on(cursor.seek(&path(number))).unwrap();
        assert_eq!(take(&mut cursor, 1), [path(number)]);
    }
    assert_eq!(stored.counting.take(), Counts::default());
}

#[test]
fn reads_grow_as_long_as_a_cursor_goes_on() {
    let (stored, tree) = one_range(100_000);
    let mut cursor = stored.cursor(tree);
    assert_eq!(take(&mut cursor, 200_000).len(), 100_000);
    let counts = stored.counting.take();
    assert_eq!((counts.ranges_read, counts.indexes_read), (0, 1));
    assert!((4..=5).contains(&counts.block_reads), "one block, 64 KiB, 256 KiB, 1 MiB, the rest: {counts:?}");
    let blocks = counts.blocks_read;
    block_on(cursor.seek(&path(50_000))).unwrap();
    take(&mut cursor, 1);
    let counts = stored.counting.take();
    assert!(counts.blocks_read <= 1 && blocks > 1000, "{counts:?}");
}

#[test]
fn a_scan_goes_over_to_whole_ranges_and_reads_each_once() {
    let stored = Stored::new();
    let tree = stored.build(&small_format(), &numbered(2000));
    let ranges = metarange(&stored, tree).ranges().len() as u64;
    stored.counting.take();
    assert_eq!(stored.scan(tree).len(), 2000);
    let counts = stored.counting.take();
    assert_eq!(counts.indexes_read + counts.ranges_read, ranges);
    assert!(counts.ranges_read + 6 > ranges, "{counts:?}");
}

#[test]
fn the_next_range_is_read_while_the_records_of_this_one_are_taken() {
    let stored = Stored::new();
    let tree = stored.build(&small_format(), &numbered(2000));
    let metarange = metarange(&stored, tree);
    let last = metarange.ranges().len() - 1;
    let mut cursor = stored.cursor(tree);
    while take(&mut cursor, 1)[0] < metarange.ranges()[20].min_key {}
    stored.counting.take();
    assert_eq!(take(&mut cursor, 1).len(), 1);
    let before = stored.counting.take().ranges_read;
    let inside = u32::try_from(metarange.ranges()[20].count - 3).unwrap();
    take(&mut cursor, inside);
    assert_eq!(before + stored.counting.take().ranges_read, 1, "one range ahead and not more");
    while take(&mut cursor, 1)[0] < metarange.ranges()[last].min_key {}
    stored.counting.take();
    take(&mut cursor, 10_000);
    assert_eq!(stored.counting.take(), Counts::default(), "there is none behind the last");
}

#[test]
fn nothing_is_read_behind_the_end_that_was_told() {
    let (stored, tree) = one_range(50_000);
    let mut cursor = stored.cursor(tree);
    cursor.expect(Wanted { end: Some(path(2000)), ..Wanted::default() });
    block_on(cursor.seek(&path(1000))).unwrap();
    assert_eq!(take(&mut cursor, 100_000).len(), 1000);
    let all = stored.counting.take().blocks_read;
    stored.scan(tree);
    let in_all = stored.counting.take().blocks_read;
    assert!(all <= in_all / 50 + 2, "{all} of {in_all} blocks for a fiftieth of the records");
}

#[test]
fn a_page_is_one_read_of_as_many_blocks_as_it_has_records() {
    let (stored, tree) = one_range(50_000);
    let query = ListQuery { prefix: "path/01".into(), limit: 500, ..ListQuery::default() };
    let page = block_on(list_page(&mut stored.cursor(tree), &query)).unwrap();
    assert_eq!((page.items.len(), page.items[0].name()), (500, &path(10_000)));
    let counts = stored.counting.take();
    assert_eq!((counts.indexes_read, counts.block_reads), (1, 1), "{counts:?}");
    let records_a_block =
        50_000 / block_on(stored.memory.index(&metarange(&stored, tree).ranges()[0].id)).unwrap().blocks();
    assert!(counts.blocks_read <= 500 / records_a_block as u64 + 3, "{counts:?}");
}

#[test]
fn a_listing_of_directories_reads_only_the_blocks_in_which_they_begin() {
    let stored = Stored::new();
    let model =
        (0..20_000).map(|number| (format!("{:03}/{:04}", number / 200, number % 200).into(), ITEM)).collect();
    let tree = stored.build(&TreeFormat { min_bytes: 50_000, max_bytes: 200_000, ..small_format() }, &model);
    stored.counting.take();
    let query = ListQuery { delimiter: Some("/".into()), limit: 1000, ..ListQuery::default() };
    let page = block_on(list_page(&mut stored.cursor(tree), &query)).unwrap();
    assert_eq!(page.items.len(), 100);
    let counts = stored.counting.take();
    assert_eq!(counts.ranges_read, 0);
    assert!(counts.blocks_read <= 2 * 100, "a directory begins in one block, or in the next: {counts:?}");
    assert!(counts.indexes_read <= metarange(&stored, tree).ranges().len() as u64);
}

#[test]
fn pending_changes_close_to_each_other_are_compared_as_by_a_scan_and_others_block_by_block() {
    let (stored, tree) = one_range(20_000);
    let changes = |step: usize| {
        let edits: Edits = (0..20_000).step_by(step).map(|number| (path(number), None)).collect();
        futures::stream::iter(changes(&edits).map(Ok).collect::<Vec<_>>())
    };
    let close = Pending::new(Arc::clone(&stored.store), tree, changes(3));
    assert_eq!(drain!(close).len(), 6667);
    let counts = stored.counting.take();
    assert!(counts.block_reads <= 6, "{counts:?}");
    let scattered = Pending::new(Arc::clone(&stored.store), tree, changes(2000));
    assert_eq!(drain!(scattered).len(), 10);
    assert_eq!(stored.counting.take().blocks_read, 10);
}

#[test]
fn pending_changes_between_ranges_read_none_of_them() {
    let stored = Stored::new();
    let tree = stored.build(&small_format(), &numbered(300));
    let metarange = metarange(&stored, tree);
    let between = metarange.ranges().iter().map(|range| (key_after(&range.max_key), None));
    let edits: Edits = between.collect();
    stored.counting.take();
    let pending =
        Pending::new(Arc::clone(&stored.store), tree, futures::stream::iter(changes(&edits).map(Ok)));
    assert_eq!(drain!(pending), []);
    assert_eq!(stored.counting.take(), Counts { metaranges_read: 1, ..Counts::default() });
}
