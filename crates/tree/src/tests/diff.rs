use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use proptest::prelude::*;

use super::support::*;
use crate::{Diff, Difference, DifferenceKind, Pool};

fn expected(left: &Model, right: &Model) -> Vec<Difference> {
    let keys: BTreeSet<_> = left.keys().chain(right.keys()).cloned().collect();
    let differ = |key: &Bytes| left.get(key).map(|i| i.content) != right.get(key).map(|i| i.content);
    let difference = |key: Bytes| {
        let side = |model: &Model| model.get(&key).map(|item| record(&key, *item));
        let (left, right) = (side(left), side(right));
        let kind = match (&left, &right) {
            (None, Some(_)) => DifferenceKind::Added,
            (Some(_), None) => DifferenceKind::Removed,
            _ => DifferenceKind::Changed,
        };
        Difference { key, kind, left, right }
    };
    keys.into_iter().filter(differ).map(difference).collect()
}

proptest! {
    #[test]
    fn a_diff_is_that_of_the_maps(
        format in formats(),
        left in models(),
        edits in edits(),
        prefix in prop_oneof![Just(Bytes::new()), keys()],
        after in prop::option::of(keys()),
        pool in pools(),
        limits in limits(),
    ) {
        let stored = Stored::new();
        let right = applied(&left, &edits);
        let trees = (stored.build(&format, &left), stored.build(&format, &right));
        let mut diff = Diff::new(Arc::clone(&stored.store), &pool, trees.0, trees.1).within(limits).under(&prefix);
        if let Some(after) = &after {
            diff = diff.after(after);
        }
        let wanted: Vec<_> = expected(&left, &right)
            .into_iter()
            .filter(|difference| difference.key.starts_with(&prefix))
            .filter(|difference| after.as_ref().is_none_or(|after| difference.key > after))
            .collect();
        prop_assert_eq!(drain!(diff), wanted);
    }

    #[test]
    fn unrelated_trees_differ_in_all_that_they_do_not_share(
        formats in (formats(), formats()), left in models(), right in models(), pool in pools(), limits in limits(),
    ) {
        let stored = Stored::new();
        let trees = (stored.build(&formats.0, &left), stored.build(&formats.1, &right));
        let diff = Diff::new(Arc::clone(&stored.store), &pool, trees.0, trees.1).within(limits);
        prop_assert_eq!(drain!(diff), expected(&left, &right));
    }

    #[test]
    fn a_diff_seeks_within_its_bounds(
        format in formats(), left in models(), right in models(), after in keys(), seeks in prop::collection::vec(keys(), 1..6),
    ) {
        let stored = Stored::new();
        let trees = (stored.build(&format, &left), stored.build(&format, &right));
        let mut diff = Diff::new(Arc::clone(&stored.store), &Pool::inline(), trees.0, trees.1).after(&after);
        for key in seeks {
            diff.seek(&key);
            let wanted = expected(&left, &right).into_iter().find(|found| found.key >= key && found.key > after);
            prop_assert_eq!(block_on(diff.next()).unwrap(), wanted);
        }
    }
}
