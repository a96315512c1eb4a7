//! Where trees differ, by their metaranges alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::executor::block_on;
use proptest::prelude::*;

use super::support::*;
use crate::plan::{Interval, Plan, Ramp};
use crate::run::Bounds;
use crate::{Metarange, RangeDescriptor, open_tree};

/// Trees as maps and as metaranges.
struct Trees<const K: usize> {
    models: [Model; K],
    metaranges: [Arc<Metarange>; K],
}

/// Which keys of which trees an interval has.
type Keys = BTreeSet<(Bytes, usize)>;

impl<const K: usize> Trees<K> {
    fn new(formats: &[crate::TreeFormat], models: [Model; K]) -> Self {
        let stored = Stored::new();
        let metaranges = std::array::from_fn(|k| {
            let tree = stored.build(&formats[k % formats.len()], &models[k]);
            block_on(open_tree(&*stored.store, tree)).unwrap()
        });
        Self { models, metaranges }
    }

    fn keys_in(&self, tree: usize, bounds: &Bounds, range: &RangeDescriptor) -> Vec<Bytes> {
        let is_in = |key: &&Bytes| {
            (&range.min_key..=&range.max_key).contains(key)
                && bounds.from.as_ref().is_none_or(|from| *key >= from)
                && bounds.until.as_ref().is_none_or(|until| *key < until)
        };
        self.models[tree].keys().filter(is_in).cloned().collect()
    }

    fn keys(&self, interval: &Interval<K>) -> Keys {
        let mut keys = Keys::new();
        for (tree, ranges) in interval.ranges.iter().enumerate() {
            for range in &self.metaranges[tree].ranges()[ranges.clone()] {
                let found = self.keys_in(tree, &interval.bounds, range);
                keys.extend(found.into_iter().map(|key| (key, tree)));
            }
        }
        keys
    }

    /// The keys within bounds of ranges that not all trees have.
    fn unshared(&self, bounds: &Bounds) -> Keys {
        let is_shared =
            |range: &RangeDescriptor| self.metaranges.iter().all(|tree| tree.ranges().contains(range));
        let mut keys = Keys::new();
        for (number, tree) in self.metaranges.iter().enumerate() {
            for range in tree.ranges().iter().filter(|range| !is_shared(range)) {
                keys.extend(self.keys_in(number, bounds, range).into_iter().map(|key| (key, number)));
            }
        }
        keys
    }

    /// Bytes of the ranges that begin within the interval, but for the last of them.
    fn surplus(&self, interval: &Interval<K>) -> u64 {
        let from = interval.bounds.from.clone().unwrap_or_default();
        let mut sizes: Vec<_> = (0..K)
            .flat_map(|k| &self.metaranges[k].ranges()[interval.ranges[k].clone()])
            .filter(|range| range.min_key > from)
            .map(|range| (range.min_key.clone(), range.size))
            .collect();
        sizes.sort();
        sizes.pop();
        sizes.into_iter().map(|(_, size)| size).sum()
    }

    fn check(&self, bounds: &Bounds, most: u64) {
        let intervals: Vec<_> =
            Plan::new(self.metaranges.clone(), bounds.clone(), Ramp::new(1, most)).collect();
        let keys: Vec<_> = intervals.iter().map(|interval| self.keys(interval)).collect();
        let all: Keys = keys.iter().flatten().cloned().collect();
        assert_eq!(all, self.unshared(bounds));
        for pair in keys.iter().filter(|keys| !keys.is_empty()).collect::<Vec<_>>().windows(2) {
            assert!(pair[0].last().unwrap().0 < pair[1].first().unwrap().0, "{keys:?}");
        }
        for interval in &intervals {
            assert!(self.surplus(interval) < 4 * most, "{interval:?} has more than it should");
        }
    }

    /// A whole interval has all of the keys in its span.
    fn check_whole(&self) {
        let plan = Plan::new(self.metaranges.clone(), Bounds::default(), Ramp::new(1, 2000));
        for interval in plan.filter(Interval::is_whole) {
            let keys = self.keys(&interval);
            let (first, last) = (keys.first().unwrap().0.clone(), keys.last().unwrap().0.clone());
            let in_span = (0..K).flat_map(|tree| {
                self.models[tree].range(first.clone()..=last.clone()).map(move |(key, _)| (key.clone(), tree))
            });
            assert_eq!(keys, in_span.collect());
        }
    }
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (prop::option::of(keys()), prop::option::of(keys())).prop_map(|(from, until)| Bounds { from, until })
}

proptest! {
    #[test]
    fn intervals_are_where_two_trees_differ(
        formats in prop::collection::vec(formats(), 1..3), left in models(), edits in edits(), bounds in bounds(), most in 1_u64..5000,
    ) {
        let right = applied(&left, &edits);
        Trees::new(&formats, [left, right]).check(&bounds, most);
    }

    #[test]
    fn intervals_are_where_three_trees_differ(
        formats in prop::collection::vec(formats(), 1..4), base in models(), ours in edits(), theirs in edits(), bounds in bounds(), most in 1_u64..5000,
    ) {
        let (dest, source) = (applied(&base, &ours), applied(&base, &theirs));
        let trees = Trees::new(&formats, [dest, base, source]);
        trees.check(&bounds, most);
        trees.check_whole();
    }
}

#[test]
fn sizes_grow_up_to_the_largest() {
    let mut ramp = Ramp::new(3, 20);
    let sizes: Vec<_> = (0..5).map(|_| (ramp.size(), ramp.step()).0).collect();
    assert_eq!(sizes, [3, 6, 12, 20, 20]);
}
