use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use futures::stream;
use proptest::collection::btree_map;
use proptest::prelude::*;

use super::support::*;
use crate::merge::merge_within;
use crate::testing::Counts;
use crate::{
    Conflict, Conflicts, Diff, Folded, Merge, MergeResult, Pending, Pool, RangeStore, Side,
    Strategy as MergeStrategy, Summary, TreeError, TreeFormat, fold, merge,
};

/// Three maps.
struct Three {
    base: Model,
    dest: Model,
    source: Model,
}

impl Three {
    fn keys(&self) -> BTreeSet<Bytes> {
        [&self.base, &self.dest, &self.source].into_iter().flat_map(|model| model.keys().cloned()).collect()
    }

    /// Whether the source changed the path, and the destination has not the same.
    fn is_step(&self, key: &Bytes) -> bool {
        let [base, dest, source] = self.contents(key);
        source != base && source != dest
    }

    fn is_conflict(&self, key: &Bytes) -> bool {
        let [base, dest, _] = self.contents(key);
        self.is_step(key) && dest != base
    }

    fn contents(&self, key: &Bytes) -> [Option<u8>; 3] {
        [&self.base, &self.dest, &self.source].map(|model| model.get(key).map(|item| item.content))
    }

    fn conflict(&self, key: &Bytes) -> Conflict {
        let side = |model: &Model| model.get(key).map(|item| record(key, *item));
        let (base, dest, source) = (side(&self.base), side(&self.dest), side(&self.source));
        Conflict { key: key.clone(), base, dest, source }
    }

    /// The merged map, or the conflicts.
    fn merged(
        &self,
        strategy: MergeStrategy,
        choices: &BTreeMap<Bytes, Side>,
    ) -> Result<Model, Vec<Conflict>> {
        let (mut result, mut conflicts) = (self.dest.clone(), Vec::new());
        for key in self.keys().into_iter().filter(|key| self.is_step(key)) {
            let by_strategy = match strategy {
                MergeStrategy::Refuse => None,
                MergeStrategy::SourceWins => Some(Side::Source),
                MergeStrategy::DestWins => Some(Side::Dest),
            };
            let winner = match self.is_conflict(&key) {
                true => choices.get(&key).copied().or(by_strategy),
                false => Some(Side::Source),
            };
            match (winner, self.source.get(&key)) {
                (None, _) => conflicts.push(self.conflict(&key)),
                (Some(Side::Dest), _) => {}
                (Some(Side::Source), Some(item)) => drop(result.insert(key, *item)),
                (Some(Side::Source), None) => drop(result.remove(&key)),
            }
        }
        if conflicts.is_empty() { Ok(result) } else { Err(conflicts) }
    }

    fn stored(&self, stored: &Stored, format: &TreeFormat) -> Merge {
        let tree = |model| stored.build(format, model);
        let (base, dest, source) = (tree(&self.base), tree(&self.dest), tree(&self.source));
        Merge { base, dest, source, ..Merge::default() }
    }
}

fn threes() -> impl Strategy<Value = Three> {
    (models(), edits(), edits(), edits()).prop_map(|(base, both, ours, theirs)| {
        let dest = applied(&applied(&base, &both), &ours);
        let source = applied(&applied(&base, &both), &theirs);
        Three { base, dest, source }
    })
}

impl std::fmt::Debug for Three {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries([&self.base, &self.dest, &self.source]).finish()
    }
}

fn strategies() -> impl Strategy<Value = MergeStrategy> {
    prop::sample::select(vec![MergeStrategy::Refuse, MergeStrategy::SourceWins, MergeStrategy::DestWins])
}

proptest! {
    #[test]
    fn conflicts_are_those_of_the_maps(
        format in formats(), three in threes(), after in prop::option::of(keys()), pool in pools(), limits in limits(),
    ) {
        let stored = Stored::new();
        let Merge { base, dest, source, .. } = three.stored(&stored, &format);
        let mut conflicts =
            Conflicts::new(Arc::clone(&stored.store), &pool, base, dest, source).within(limits);
        if let Some(after) = &after {
            conflicts = conflicts.after(after);
        }
        let wanted: Vec<_> = three
            .keys()
            .iter()
            .filter(|key| three.is_conflict(key) && after.as_ref().is_none_or(|after| *key > after))
            .map(|key| three.conflict(key))
            .collect();
        prop_assert_eq!(drain!(conflicts), wanted);
    }

    #[test]
    fn a_merge_is_that_of_the_maps(
        format in formats(),
        three in threes(),
        strategy in strategies(),
        choices in btree_map(keys(), prop::sample::select(vec![Side::Source, Side::Dest]), 0..100),
        pool in pools(),
        limits in limits(),
    ) {
        let stored = Stored::new();
        let wanted = three.merged(strategy, &choices);
        let task = Merge { strategy, choices, ..three.stored(&stored, &format) };
        let merged = merge_within(limits, &stored.store, &pool, &format, &task);
        match (block_on(merged).unwrap(), wanted) {
            (MergeResult::Merged(folded), Ok(model)) => {
                let merged = stored.scan(folded.tree);
                let wanted = records(&model);
                prop_assert_eq!(contents(&merged), contents(&wanted));
                prop_assert_eq!(folded.tree, stored.build_records(&format, merged));
            }
            (MergeResult::Conflicts(found), Err(wanted)) => prop_assert_eq!(found, wanted),
            (result, wanted) => prop_assert!(false, "{result:?} instead of {wanted:?}"),
        }
    }
}

#[test]
fn one_side_without_changes_gives_the_other_by_its_id() {
    let (stored, format) = (Stored::new(), small_format());
    let [a, b] = [100, 200].map(|count| stored.build(&format, &numbered(count)));
    stored.counting.take();
    for (base, dest, source, wanted) in [(a, a, b, b), (a, b, a, b), (a, b, b, b), (None, None, b, b)] {
        let task = Merge { base, dest, source, ..Merge::default() };
        let result = block_on(merge(&stored.store, &Pool::inline(), &format, &task)).unwrap();
        assert_eq!(result, MergeResult::Merged(Folded { tree: wanted, summary: Summary::default() }));
    }
    assert_eq!(stored.counting.take(), Counts::default());
    for (base, dest, source) in [(a, b, a), (a, b, b), (a, a, b)] {
        assert!(drain!(stored.conflicts(base, dest, source)).is_empty());
        assert_eq!(stored.counting.take().ranges_read, 0);
    }
}

#[test]
fn what_only_the_source_changed_is_taken_unread() {
    let (stored, format) = (Stored::new(), small_format());
    let fresh = |number| Edits::from([(path(number), Some(Item { content: 9, place: 0 }))]);
    let base = stored.build(&format, &numbered(2000));
    let dest = stored.fold(&format, base, &fresh(100)).tree;
    let source = stored.fold(&format, base, &fresh(1500)).tree;
    stored.counting.take();
    let task = Merge { base, dest, source, ..Merge::default() };
    let MergeResult::Merged(folded) =
        block_on(merge(&stored.store, &Pool::inline(), &format, &task)).unwrap()
    else {
        panic!("different paths do not conflict");
    };
    let counts = stored.counting.take();
    assert_eq!((counts.ranges_read, counts.ranges_written, folded.summary.ranges_taken), (0, 0, 1));
}

#[test]
fn nothing_is_written_once_a_conflict_is_found() {
    let (stored, format) = (Stored::new(), small_format());
    let put = |content| Some(Item { content, place: 0 });
    let base = stored.build(&format, &numbered(1000));
    let dest = stored.fold(&format, base, &Edits::from([(path(0), put(1))])).tree;
    let all = numbered(1000).into_keys().map(|key| (key, put(2))).collect();
    let source = stored.fold(&format, base, &all).tree;
    stored.counting.take();
    let task = Merge { base, dest, source, ..Merge::default() };
    let result = block_on(merge(&stored.store, &Pool::inline(), &format, &task)).unwrap();
    assert!(matches!(result, MergeResult::Conflicts(conflicts) if conflicts.len() == 1));
    assert_eq!(stored.counting.take().ranges_written, 0);
}

#[test]
fn a_failure_among_conflicts_is_not_taken_for_the_end_of_them() {
    let (stored, format) = (Stored::new(), small_format());
    let tree = |content| {
        let model = numbered(1000).into_keys().map(|key| (key, Item { content, place: 0 })).collect();
        stored.build(&format, &model)
    };
    let (base, dest, source) = (tree(0), tree(1), tree(2));
    let metarange = block_on(stored.memory.metarange(&source.unwrap())).unwrap();
    let lost = metarange.ranges().last().unwrap().id;
    stored.memory.remove_file(lost);
    let task = Merge { base, dest, source, ..Merge::default() };
    let result = block_on(merge(&stored.store, &Pool::inline(), &format, &task));
    assert_eq!(result, Err(TreeError::Missing { file: lost.into() }));
}

#[test]
fn ranges_that_source_and_destination_share_are_not_opened() {
    let (stored, format) = (Stored::new(), small_format());
    let base = stored.build(&format, &numbered(10));
    let both = stored.build(&format, &numbered(2000));
    let one_more = |number| Edits::from([(path(number), Some(Item { content: 9, place: 0 }))]);
    let dest = stored.fold(&format, both, &one_more(100)).tree;
    let source = stored.fold(&format, both, &one_more(1500)).tree;
    stored.counting.take();
    let steps = drain!(stored.conflicts(base, dest, source));
    // In the base neither range's paths are there: one conflict each, from the two ranges that differ.
    assert_eq!(steps.iter().map(|step| &step.key).collect::<Vec<_>>(), [&path(100), &path(1500)]);
    let read = stored.counting.take().ranges_read;
    assert!(read <= 5, "{read} ranges opened");
}

#[test]
fn everything_can_run_on_any_thread() {
    fn check(_: impl Send) {}
    let (stored, format, task) = (Stored::new(), small_format(), Merge::default());
    check(merge(&stored.store, &Pool::inline(), &format, &task));
    check(fold(&stored.store, &Pool::inline(), &format, None, stream::iter([])));
    check(stored.conflicts(None, None, None).next());
    check(Diff::new(Arc::clone(&stored.store), &Pool::inline(), None, None).next());
    check(Pending::new(Arc::clone(&stored.store), None, stream::iter([])).next());
}
