use std::sync::Arc;

use braid_sstable::BlockEnds;
use bytes::Bytes;
use futures::executor::block_on;
use futures::stream;
use proptest::collection::vec;
use proptest::prelude::*;

use super::support::*;
use crate::limits::Limits;
use crate::range_builder::RangeBuilder;
use crate::{
    Change, Folded, Metarange, Pool, RangeStore, Summary, TreeError, TreeFormat, TreeId, fold, verify_range,
};

fn metarange(stored: &Stored, tree: TreeId) -> Arc<Metarange> {
    match tree {
        Some(id) => block_on(stored.memory.metarange(&id)).unwrap(),
        None => Arc::default(),
    }
}

/// Descriptors, files and the records in them agree, and ranges end where the format says.
fn check_tree(stored: &Stored, format: &TreeFormat, tree: TreeId, model: &Model) {
    assert_eq!(stored.scan(tree), records(model));
    let metarange = metarange(stored, tree);
    assert_eq!(metarange.count(), model.len() as u64);
    for (index, range) in metarange.ranges().iter().enumerate() {
        let table = block_on(stored.memory.range(&range.id)).unwrap();
        verify_range(&range.id, &table).unwrap();
        assert_eq!(table.properties()["estimated_size_bytes"], range.size.to_string().into_bytes());
        let is_last = index + 1 == metarange.ranges().len();
        assert!(is_last || format.is_closed(range), "{range:?} ends too early");
    }
    let size: usize = records(model).iter().map(|r| r.key.len() + r.value.as_bytes().len()).sum();
    assert_eq!(metarange.size(), size as u64);
}

/// What the fold should have counted.
fn counted(base: &Model, edits: &Edits) -> (u64, u64, u64) {
    let mut counts = (0, 0, 0);
    for (key, item) in edits {
        match (base.get(key), item) {
            (None, Some(_)) => counts.0 += 1,
            (Some(old), Some(new)) if old.content != new.content => counts.1 += 1,
            (Some(_), None) => counts.2 += 1,
            _ => {}
        }
    }
    counts
}

proptest! {
    #[test]
    fn folds_are_canonical(
        format in formats(), base in models(), rounds in vec((edits(), pools(), limits()), 1..4),
    ) {
        let stored = Stored::new();
        let (mut model, mut tree) = (base.clone(), stored.build(&format, &base));
        check_tree(&stored, &format, tree, &model);
        for (edits, pool, limits) in rounds {
            let Folded { tree: folded, summary } = stored.fold_within(limits, &pool, &format, tree, &edits);
            let after = applied(&model, &edits);
            prop_assert_eq!((summary.added, summary.changed, summary.removed), counted(&model, &edits));
            prop_assert_eq!(folded, defined_tree(&format, &records(&after)));
            check_tree(&stored, &format, folded, &after);
            (model, tree) = (after, folded);
        }
    }

    #[test]
    fn a_fold_reports_what_it_asked_of_the_store(
        format in formats(), base in models(), edits in edits(), pool in pools(), limits in limits(),
    ) {
        let stored = Stored::new();
        let tree = stored.build(&format, &base);
        stored.counting.take();
        let Folded { tree: folded, summary } = stored.fold_within(limits, &pool, &format, tree, &edits);
        let counts = stored.counting.take();
        prop_assert_eq!(summary.ranges_read, counts.ranges_read);
        prop_assert_eq!(summary.ranges_written, counts.ranges_written);
        let ranges = metarange(&stored, folded).ranges().len() as u64;
        prop_assert_eq!(summary.ranges_written + summary.ranges_reused, ranges);
    }

    #[test]
    fn changes_without_effect_give_the_same_tree_and_write_nothing(
        format in formats(), base in models(), edits in edits(), pool in pools(), limits in limits(),
    ) {
        let stored = Stored::new();
        let tree = stored.build(&format, &base);
        let without_effect = edits.into_iter().map(|(key, item)| {
            let item = base.get(&key).map(|old| Item { content: old.content, ..item.unwrap_or(*old) });
            (key, item)
        });
        stored.counting.take();
        let edits = without_effect.collect();
        let folded = stored.fold_within(limits, &pool, &format, tree, &edits);
        let counts = stored.counting.take();
        prop_assert_eq!(folded.tree, tree);
        prop_assert!(folded.summary.is_unchanged());
        prop_assert_eq!((counts.ranges_written, counts.metaranges_written), (0, 0));
    }

    /// Where a tree breaks elsewhere than the format says, ranges that are not touched stay.
    #[test]
    fn a_foreign_tree_is_changed_rightly_and_keeps_its_ends(
        theirs in formats(), ours in formats(), base in models(), edits in edits(), pool in pools(), limits in limits(),
    ) {
        let stored = Stored::new();
        let tree = stored.build(&theirs, &base);
        let folded = stored.fold(&ours, tree, &edits).tree;
        prop_assert_eq!(stored.scan(folded), records(&applied(&base, &edits)));
        let cut_otherwise = stored.fold_within(limits, &pool, &ours, tree, &edits).tree;
        prop_assert_eq!(cut_otherwise, folded, "the parts it is cut into do not show");
        let refolded = stored.fold(&ours, folded, &Edits::new());
        prop_assert_eq!(refolded.tree, folded);
    }
}

#[test]
fn one_change_in_a_foreign_tree_does_not_rewrite_the_rest_of_it() {
    let ours = small_format();
    let never = TreeFormat { break_one_in: u64::MAX, max_bytes: 5000, ..ours };
    let rarely = TreeFormat { min_bytes: 2000, max_bytes: 5000, ..ours };
    for (theirs, ours) in [(ours, never), (never, ours), (rarely, ours)] {
        let stored = Stored::new();
        let tree = stored.build(&theirs, &numbered(1000));
        for range in metarange(&stored, tree).ranges() {
            let edits = Edits::from([(range.min_key.clone(), Some(Item { content: 9, place: 0 }))]);
            assert_eq!(stored.fold(&ours, tree, &edits).summary.ranges_read, 1, "{range:?}");
        }
    }
}

#[test]
fn a_thousand_folds_of_one_key_leave_what_one_build_leaves() {
    let (stored, format) = (Stored::new(), small_format());
    let model = numbered(1000);
    let mut dice = Dice::new(1);
    let mut order: Vec<_> = model.iter().collect();
    for index in (1..order.len()).rev() {
        order.swap(index, dice.roll(u32::try_from(index).unwrap() + 1) as usize);
    }
    let mut tree = None;
    for (key, item) in order {
        tree = stored.fold(&format, tree, &Edits::from([(key.clone(), Some(*item))])).tree;
    }
    assert_eq!(tree, stored.build(&format, &model));
    assert!(metarange(&stored, tree).ranges().len() > 20);
}

#[test]
fn the_empty_tree_is_written_nowhere() {
    let (stored, format) = (Stored::new(), small_format());
    assert_eq!(stored.build(&format, &Model::new()), None);
    let model = numbered(100);
    let tree = stored.build(&format, &model);
    stored.counting.take();
    let all = model.keys().map(|key| (key.clone(), None)).collect();
    assert_eq!(stored.fold(&format, tree, &all).tree, None);
    let counts = stored.counting.take();
    assert_eq!((counts.ranges_written, counts.metaranges_written), (0, 0));
}

#[test]
fn changes_out_of_order_are_refused_by_name() {
    let stored = Stored::new();
    for (first, second) in [("b", "a"), ("a", "a")] {
        let changes = [Change::delete(first), Change::delete(second)];
        let changes = stream::iter(changes.into_iter().map(Ok));
        let error =
            block_on(fold(&stored.store, &Pool::inline(), &small_format(), None, changes)).unwrap_err();
        let expected =
            TreeError::Unordered { previous: Bytes::from(first.to_owned()), key: second.to_owned().into() };
        assert_eq!(error, expected);
    }
}

#[test]
fn an_error_of_the_changes_is_the_error_of_the_fold() {
    let stored = Stored::new();
    let failure = TreeError::from(braid_types::Error::new(braid_types::Code::Busy, "s", "later"));
    let changes = stream::iter([Ok(Change::delete("a")), Err(failure.clone())]);
    assert_eq!(block_on(fold(&stored.store, &Pool::inline(), &small_format(), None, changes)), Err(failure));
}

#[test]
fn a_key_that_no_range_can_hold_is_refused_by_name() {
    let stored = Stored::new();
    let key = Bytes::from(vec![b'x'; braid_sstable::MAX_KEY_BYTES + 1]);
    let edits = Edits::from([(key.clone(), Some(Item { content: 0, place: 0 }))]);
    let error = stored.try_fold(&small_format(), None, &edits).unwrap_err();
    assert!(matches!(error, TreeError::Unwritable { key: refused, .. } if refused == key));
}

#[test]
fn the_summary_of_an_unchanged_tree_is_empty() {
    let folded = Stored::new().fold(&small_format(), None, &Edits::new());
    assert_eq!(folded, Folded { tree: None, summary: Summary::default() });
}

/// A tree of one range of many blocks, and the format in which it is written.
fn one_long_range(pool: &Pool) -> (Stored, TreeFormat, Model, TreeId) {
    let mut format = TreeFormat::version(1).unwrap();
    format.table.blocks = BlockEnds::Content { min: 500, max: 2000, one_in: 4 };
    let model: Model =
        (0..400).map(|key| (Bytes::from(format!("{key:03}")), Item { content: 1, place: 1 })).collect();
    let stored = Stored::new();
    let edits = model.iter().map(|(key, item)| (key.clone(), Some(*item))).collect();
    let tree = stored.fold_within(Limits::of_fold(pool), pool, &format, None, &edits).tree;
    (stored, format, model, tree)
}

/// Folds a change of each of these keys on its own, one after the other.
fn check_changes(
    pool: &Pool,
    (stored, format, mut model, mut tree): (Stored, TreeFormat, Model, TreeId),
    keys: &[&str],
) {
    for (content, key) in (2..).zip(keys) {
        let edits = Edits::from([(Bytes::from((*key).to_owned()), Some(Item { content, place: 2 }))]);
        tree = stored.fold_within(Limits::of_fold(pool), pool, &format, tree, &edits).tree;
        model = applied(&model, &edits);
        assert_eq!(tree, defined_tree(&format, &records(&model)), "{key}");
        check_tree(&stored, &format, tree, &model);
    }
}

#[test]
fn folds_of_a_range_that_was_just_written_go_on_with_it() {
    let pool = Pool::inline();
    let made = one_long_range(&pool);
    let range = metarange(&made.0, made.3).ranges()[0].clone();
    let known = pool.checkpoints().of(&range.id, made.1).unwrap();
    let blocks = block_on(made.0.memory.range(&range.id)).unwrap().index().blocks();
    assert_eq!(known.len() + 1, blocks, "where each block but the last ended is known");
    assert!(blocks > 10);
    check_changes(&pool, made, &["399", "200", "399x", "000", "", "250", "251", "399y"]);
}

#[test]
fn a_range_that_is_laid_out_otherwise_than_it_was_written_is_folded_all_the_same() {
    let pool = Pool::inline();
    let made = one_long_range(&pool);
    let range = metarange(&made.0, made.3).ranges()[0].clone();
    let mut other = made.1;
    other.table.blocks = BlockEnds::Content { min: 300, max: 700, one_in: 3 };
    let mut builder = RangeBuilder::new(other, &range.min_key);
    for record in records(&made.2) {
        builder.add(&record.key, record.value.as_bytes()).unwrap();
    }
    let (same, file) = builder.finish().unwrap();
    assert_eq!(same.id, range.id);
    made.0.memory.set_file(range.id, file);
    check_changes(&pool, made, &["399", "200", "399x"]);
}
