//! Histories: what folds, merges and diffs make of what others left.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures::executor::block_on;

use super::support::*;
use crate::limits::Limits;
use crate::merge::merge_within;
use crate::{
    Diff, Difference, Merge, MergeResult, Pool, Record, Strategy as MergeStrategy, TreeFormat, TreeId,
};

/// One step. Numbers choose among the trees that are there.
#[derive(Debug, Clone)]
enum Step {
    Fold(usize, Edits),
    Merge { base: usize, dest: usize, source: usize, strategy: MergeStrategy },
    Diff(usize, usize),
}

fn steps() -> impl Strategy<Value = Step> {
    let edits = btree_map(keys(), prop::option::weighted(0.6, items()), 0..20);
    let strategy = prop::sample::select(vec![MergeStrategy::SourceWins, MergeStrategy::DestWins]);
    prop_oneof![
        3 => (any::<usize>(), edits).prop_map(|(tree, edits)| Step::Fold(tree, edits)),
        2 => (any::<[usize; 3]>(), strategy).prop_map(|([base, dest, source], strategy)| Step::Merge { base, dest, source, strategy }),
        1 => any::<[usize; 2]>().prop_map(|[left, right]| Step::Diff(left, right)),
    ]
}

/// How steps are computed.
#[derive(Debug)]
struct Way {
    format: TreeFormat,
    pool: Pool,
    limits: Limits,
}

/// A tree and its records.
type Version = (TreeId, Model);

fn run(stored: &Stored, way: &Way, versions: &[Version], step: &Step) -> Option<Version> {
    let version = |number: &usize| &versions[number % versions.len()];
    match step {
        Step::Fold(number, edits) => {
            let (tree, model) = version(number);
            let folded = stored.fold_within(way.limits, &way.pool, &way.format, *tree, edits);
            Some((folded.tree, applied(model, edits)))
        }
        Step::Merge { base, dest, source, strategy } => {
            let [base, dest, source] = [base, dest, source].map(version);
            Some(merged(stored, way, [base, dest, source], *strategy))
        }
        Step::Diff(left, right) => {
            let ((left, left_model), (right, right_model)) = (version(left), version(right));
            let diff = Diff::new(Arc::clone(&stored.store), &way.pool, *left, *right).within(way.limits);
            assert_eq!(drain!(diff), differences(left_model, right_model));
            None
        }
    }
}

fn merged(
    stored: &Stored,
    way: &Way,
    [base, dest, source]: [&Version; 3],
    strategy: MergeStrategy,
) -> Version {
    let task = Merge { base: base.0, dest: dest.0, source: source.0, strategy, choices: BTreeMap::new() };
    let merging = merge_within(way.limits, &stored.store, &way.pool, &way.format, &task);
    let MergeResult::Merged(folded) = block_on(merging).unwrap() else {
        panic!("the strategy decides conflicts");
    };
    let content = |(_, model): &Version, key| model.get(key).map(|item: &Item| item.content);
    let mut wanted = dest.1.clone();
    for key in base.1.keys().chain(source.1.keys()) {
        let [in_base, in_dest, in_source] = [base, dest, source].map(|side| content(side, key));
        let is_taken = in_base == in_dest || strategy == MergeStrategy::SourceWins;
        match source.1.get(key) {
            _ if in_source == in_base || in_source == in_dest || !is_taken => {}
            Some(item) => drop(wanted.insert(key.clone(), *item)),
            None => drop(wanted.remove(key)),
        }
    }
    let found = stored.scan(folded.tree);
    assert_eq!(contents(&found), contents(&records(&wanted)));
    (folded.tree, found.iter().map(|record| (record.key.clone(), item_of(record))).collect())
}

fn item_of(record: &Record) -> Item {
    let entry = record.entry().unwrap();
    let place = entry.address.strip_prefix("data/").unwrap().parse().unwrap();
    Item { content: entry.checksum.parse().unwrap(), place }
}

fn differences(left: &Model, right: &Model) -> Vec<Difference> {
    let keys: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    let side = |model: &Model, key| model.get(key).map(|item| record(key, *item));
    keys.into_iter().filter_map(|key| Difference::between(side(left, key), side(right, key))).collect()
}

proptest! {
    #![proptest_config(Config { cases: 2000, ..Config::default() })]

    #[test]
    fn whatever_led_there_equal_records_have_equal_trees(
        format in formats(),
        first in btree_map(keys(), items(), 0..60),
        steps in vec((steps(), pools(), limits()), 1..6),
    ) {
        let stored = Stored::new();
        let mut versions = vec![(None, Model::new()), (stored.build(&format, &first), first)];
        for (step, pool, limits) in steps {
            let way = Way { format, pool, limits };
            if let Some((tree, model)) = run(&stored, &way, &versions, &step) {
                prop_assert_eq!(tree, defined_tree(&format, &records(&model)), "after {:?}", step);
                versions.push((tree, model));
            }
        }
    }
}
