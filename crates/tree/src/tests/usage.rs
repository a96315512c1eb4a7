use braid_types::MetarangeId;
use bytes::Bytes;
use futures::executor::block_on;
use proptest::prelude::*;

use super::support::*;
use crate::testing::Counts;
use crate::{RangeDescriptor, Record, TreeError, TreeId, Usage, Value, metarange, prefix_end, usage};

fn expected(model: &Model, prefix: &[u8]) -> Usage {
    let inside = model.iter().filter(|(key, _)| key.starts_with(prefix));
    let sizes = inside.map(|(key, item)| record(key, *item).entry().unwrap().size);
    sizes.fold(Usage::default(), |sum, size| sum.plus(Usage { entries: 1, data_bytes: size }))
}

fn descriptors(stored: &Stored, tree: TreeId) -> Vec<RangeDescriptor> {
    block_on(stored.store.metarange(&tree.unwrap())).unwrap().ranges().to_vec()
}

/// The tree as lakeFS would describe it.
fn without_data_bytes(stored: &Stored, tree: TreeId) -> TreeId {
    let mut ranges = descriptors(stored, tree);
    ranges.iter_mut().for_each(|range| range.data_bytes = None);
    let (id, file): (MetarangeId, Bytes) = metarange::encode(&ranges, small_format().table);
    stored.memory.set_file(id, file);
    Some(id)
}

proptest! {
    #[test]
    fn usage_is_that_of_a_map(format in formats(), model in models(), prefix in prop_oneof![Just(Bytes::new()), keys()]) {
        let stored = Stored::new();
        let tree = stored.build(&format, &model);
        let wanted = expected(&model, &prefix);
        prop_assert_eq!(block_on(usage(&*stored.store, tree, &prefix)), Ok(wanted));
        if tree.is_some() {
            let foreign = without_data_bytes(&stored, tree);
            prop_assert_eq!(block_on(usage(&*stored.store, foreign, &prefix)), Ok(wanted));
        }
    }
}

#[test]
fn only_the_ranges_at_the_edges_are_opened_and_of_them_only_the_blocks_with_the_prefix() {
    let (stored, model) = (Stored::new(), numbered(5000));
    let tree = stored.build(&small_format(), &model);
    let ranges = descriptors(&stored, tree);
    for prefix in ["path/00", "path/003", "path/0001", "path/00123", "path/004999", "path/", "", "x"] {
        stored.counting.take();
        assert_eq!(
            block_on(usage(&*stored.store, tree, prefix.as_bytes())),
            Ok(expected(&model, prefix.as_bytes()))
        );
        let is_edge = |range: &&RangeDescriptor| {
            let end = prefix_end(prefix.as_bytes());
            let is_outside = range.max_key < prefix || end.is_some_and(|end| range.min_key >= end);
            let is_inside =
                [&range.min_key, &range.max_key].iter().all(|key| key.starts_with(prefix.as_bytes()));
            !is_outside && !is_inside
        };
        let edges = ranges.iter().filter(is_edge).count() as u64;
        let counts = stored.counting.take();
        assert!(edges <= 2);
        assert_eq!(
            (counts.indexes_read, counts.ranges_read, counts.block_reads),
            (edges, 0, edges),
            "{prefix}"
        );
    }
    let one = block_on(usage(&*stored.store, tree, b"path/002500"));
    assert_eq!(one.unwrap().entries, 1);
    assert!(
        stored.counting.take().blocks_read <= 2,
        "one path is in one block, and its prefix ends in the next at most"
    );
}

#[test]
fn the_empty_tree_and_what_is_not_there_count_nothing() {
    let stored = Stored::new();
    assert_eq!(block_on(usage(&*stored.store, None, b"")), Ok(Usage::default()));
    assert_eq!(stored.counting.take(), Counts::default());
}

#[test]
fn a_record_that_is_no_entry_is_named_and_not_counted_as_nothing() {
    let stored = Stored::new();
    let value = Value::framed(&[7; 32], b"data");
    let records = futures::stream::iter([Ok(Record { key: "a/b".into(), value })]);
    let tree =
        block_on(crate::build(&stored.store, &crate::Pool::inline(), &small_format(), records)).unwrap().tree;
    let range = descriptors(&stored, tree)[0].clone();
    assert_eq!(range.data_bytes, None);
    let found = block_on(usage(&*stored.store, tree, b"a/"));
    assert!(
        matches!(found, Err(TreeError::Corrupt { file, what, .. }) if file == range.id.into() && what.contains("a/b"))
    );
}
