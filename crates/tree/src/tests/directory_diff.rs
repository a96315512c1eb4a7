use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use proptest::prelude::*;

use super::support::*;
use crate::{
    Changed, Difference, DifferenceKind, DirectoryDiff, DirectoryQuery, Pool, PrefixChanges, RollUp,
};

/// Every item that there is, by name.
fn all_items(left: &Model, right: &Model, query: &DirectoryQuery) -> BTreeMap<Bytes, Changed> {
    let mut items = BTreeMap::new();
    for (key, difference) in differences(left, right) {
        let Some(rest) = key.strip_prefix(&query.prefix[..]) else {
            continue;
        };
        let delimiter = &query.delimiter[..];
        let end = (0..rest.len()).find(|&at| !delimiter.is_empty() && rest[at..].starts_with(delimiter));
        let Some(end) = end else {
            items.insert(key, Changed::Path(difference));
            continue;
        };
        let prefix = key.slice(..query.prefix.len() + end + delimiter.len());
        let none = PrefixChanges { prefix: prefix.clone(), added: 0, removed: 0, changed: 0 };
        let Changed::CommonPrefix(changes) = items.entry(prefix).or_insert(Changed::CommonPrefix(none))
        else {
            unreachable!("no path ends where a common prefix does");
        };
        match difference.kind {
            DifferenceKind::Added => changes.added += 1,
            DifferenceKind::Removed => changes.removed += 1,
            DifferenceKind::Changed => changes.changed += 1,
        }
    }
    items
}

fn differences(left: &Model, right: &Model) -> BTreeMap<Bytes, Difference> {
    let keys = left.keys().chain(right.keys());
    let sides = |key: &Bytes| {
        let side = |model: &Model| model.get(key).map(|item| record(key, *item));
        Difference::between(side(left), side(right))
    };
    keys.filter_map(|key| Some((key.clone(), sides(key)?))).collect()
}

fn queries() -> impl Strategy<Value = DirectoryQuery> {
    let delimiter = prop::sample::select(vec!["/", "/", "ab", "/a/", ""]).prop_map(Bytes::from);
    (prop_oneof![Just(Bytes::new()), keys()], delimiter, prop::option::of(keys()))
        .prop_map(|(prefix, delimiter, after)| DirectoryQuery { prefix, delimiter, after })
}

/// Twenty directories of fifty paths.
fn directories() -> Model {
    let item = Item { content: 0, place: 0 };
    (0..1000).map(|number| (format!("{:02}/{number:04}", number / 50).into(), item)).collect()
}

fn by_directory() -> DirectoryQuery {
    DirectoryQuery { delimiter: "/".into(), ..DirectoryQuery::default() }
}

proptest! {
    #[test]
    fn items_are_those_of_the_maps(
        format in formats(), left in models(), edits in edits(), query in queries(), pool in pools(), limits in limits(),
    ) {
        let stored = Stored::new();
        let right = applied(&left, &edits);
        let trees = (stored.build(&format, &left), stored.build(&format, &right));
        let diff = DirectoryDiff::new(Arc::clone(&stored.store), &pool, trees.0, trees.1, &query);
        let wanted: Vec<_> = all_items(&left, &right, &DirectoryQuery { after: None, ..query.clone() })
            .into_iter()
            .filter(|(name, _)| query.after.as_ref().is_none_or(|after| name > after))
            .map(|(_, item)| item)
            .collect();
        prop_assert_eq!(drain!(diff.within(limits)), wanted);
    }

    #[test]
    fn differences_roll_up_to_the_same_items(left in models(), right in models(), query in queries()) {
        let query = DirectoryQuery { after: None, ..query };
        let mut rolled = RollUp::new(&query);
        let in_prefix = differences(&left, &right).into_iter().filter(|(key, _)| key.starts_with(&query.prefix));
        let mut found: Vec<_> = in_prefix.flat_map(|(_, difference)| rolled.add(difference)).flatten().collect();
        found.extend(rolled.finish());
        let wanted: Vec<_> = all_items(&left, &right, &query).into_values().collect();
        prop_assert_eq!(found, wanted);
    }
}

#[test]
fn any_item_is_a_place_to_go_on_from() {
    let (stored, format) = (Stored::new(), small_format());
    let trees = (stored.build(&format, &Model::new()), stored.build(&format, &directories()));
    let mut query = by_directory();
    for number in 0..20 {
        let diff = DirectoryDiff::new(Arc::clone(&stored.store), &Pool::inline(), trees.0, trees.1, &query);
        let items = drain!(diff);
        assert_eq!(items.len(), 20 - number);
        query.after = Some(items[0].name().clone());
    }
}

#[test]
fn ranges_of_one_directory_that_only_one_side_has_are_not_read() {
    let (stored, format) = (Stored::new(), small_format());
    let (none, all) = (stored.build(&format, &Model::new()), stored.build(&format, &directories()));
    for (left, right) in [(none, all), (all, none)] {
        stored.counting.take();
        let diff =
            DirectoryDiff::new(Arc::clone(&stored.store), &Pool::inline(), left, right, &by_directory());
        let items = drain!(diff);
        for item in &items {
            let Changed::CommonPrefix(changes) = item else { panic!("{item:?} is no directory") };
            assert_eq!(changes.added + changes.removed, 50);
            assert_eq!(changes.added > 0, left.is_none());
        }
        // Only ranges with paths of two directories or more.
        assert!(stored.counting.take().ranges_read <= 20);
    }
}

#[test]
fn a_directory_is_given_as_soon_as_nothing_more_of_it_can_come() {
    let (stored, format) = (Stored::new(), small_format());
    let edit = |key: &str| (Bytes::from(key.to_owned()), Some(Item { content: 9, place: 0 }));
    let left = stored.build(&format, &directories());
    let right = stored.fold(&format, left, &[edit("00/0010"), edit("19/0990")].into()).tree;
    stored.counting.take();
    let mut diff =
        DirectoryDiff::new(Arc::clone(&stored.store), &Pool::inline(), left, right, &by_directory());
    let first = block_on(diff.next()).unwrap().unwrap();
    assert_eq!(first.name(), "00/");
    let read_for_first = stored.counting.take().ranges_read;
    assert_eq!(block_on(diff.next()).unwrap().unwrap().name(), "19/");
    assert!(stored.counting.take().ranges_read > 0, "{read_for_first} ranges were read for the first");
    assert_eq!(block_on(diff.next()), Ok(None));
}
