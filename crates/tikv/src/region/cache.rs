//! The regions that are known. They never overlap, and an older one never replaces a newer.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included, Unbounded};
use std::sync::Arc;

use bytes::Bytes;

use super::Region;
use crate::range::ends_after;

/// Regions by their first keys.
#[derive(Debug)]
pub(crate) struct RegionMap {
    regions: BTreeMap<Bytes, Arc<Region>>,
    /// How many regions are kept.
    limit: usize,
    /// Where the next region to be dropped is looked for, when there are too many.
    hand: Bytes,
}

impl RegionMap {
    pub(crate) fn new(limit: usize) -> Self {
        Self { regions: BTreeMap::new(), limit, hand: Bytes::new() }
    }

    /// The region that holds `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Option<&Arc<Region>> {
        let (_, region) = self.regions.range::<[u8], _>((Unbounded, Included(key))).next_back()?;
        region.contains(key).then_some(region)
    }

    /// The region that holds the keys right below `bound`; empty: the last of all keys.
    pub(crate) fn get_below(&self, bound: &[u8]) -> Option<&Arc<Region>> {
        let below = if bound.is_empty() { (Unbounded, Unbounded) } else { (Unbounded, Excluded(bound)) };
        let (_, region) = self.regions.range::<[u8], _>(below).next_back()?;
        region.reaches(bound).then_some(region)
    }

    /// What names the gap in which `key` lies: the end of the last known region below it.
    pub(crate) fn gap(&self, key: &[u8]) -> Bytes {
        let below = self.regions.range::<[u8], _>((Unbounded, Included(key))).next_back();
        below.map_or_else(Bytes::new, |(_, region)| region.end.clone())
    }

    /// Learns a region. `false`: what is known of some of its keys is newer, so nothing was changed.
    pub(crate) fn insert(&mut self, region: Arc<Region>) -> bool {
        let overlapping = self.overlapping(&region);
        if overlapping.iter().any(|known| region.is_older_than(known)) {
            return false;
        }
        for known in overlapping {
            self.regions.remove(&known.start);
        }
        self.regions.insert(region.start.clone(), region);
        self.shrink();
        true
    }

    /// Puts `new` in place of `old`, if that is still what is known: who asked longer ago knows no better.
    pub(crate) fn replace(&mut self, old: &Region, new: Region) {
        match self.regions.get_mut(&old.start) {
            Some(known) if known.is_asked_as(old) => *known = Arc::new(new),
            _ => {}
        }
    }

    /// Forgets a region, if it is still known so.
    pub(crate) fn remove(&mut self, region: &Region) {
        if self.regions.get(&region.start).is_some_and(|known| known.is_asked_as(region)) {
            self.regions.remove(&region.start);
        }
    }

    fn overlapping(&self, region: &Region) -> Vec<Arc<Region>> {
        let below = self.regions.range::<[u8], _>((Unbounded, Excluded(&region.start[..]))).next_back();
        let below = below.filter(|(_, known)| ends_after(&known.end, &region.start));
        let within = self.regions.range::<[u8], _>((Included(&region.start[..]), Unbounded));
        let within = within.take_while(|(start, _)| ends_after(&region.end, start));
        below.into_iter().chain(within).map(|(_, known)| Arc::clone(known)).collect()
    }

    /// Drops regions, going round, until the limit is kept.
    fn shrink(&mut self) {
        while self.regions.len() > self.limit {
            let next = self.regions.range::<[u8], _>((Excluded(&self.hand[..]), Unbounded)).next();
            let next = next.or_else(|| self.regions.first_key_value()).map(|(start, _)| start.clone());
            self.hand = next.expect("there are more regions than the limit");
            self.regions.remove(&self.hand);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::epoch::tests::{peer, region};
    use super::*;

    fn map(regions: &[&Region]) -> RegionMap {
        let mut map = RegionMap::new(100);
        for region in regions {
            assert!(map.insert(Arc::new((*region).clone())));
        }
        map
    }

    fn ids(map: &RegionMap) -> Vec<u64> {
        map.regions.values().map(|region| region.id).collect()
    }

    #[test]
    fn a_key_is_found_in_its_region_and_a_bound_in_the_one_below() {
        let map = map(&[&region(1, 1, b"", b"b"), &region(2, 1, b"b", b"d"), &region(3, 1, b"f", b"")]);
        let of = |key: &[u8]| map.get(key).map(|region| region.id);
        assert_eq!([of(b""), of(b"a"), of(b"b"), of(b"cz")], [Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!([of(b"d"), of(b"e"), of(b"f"), of(b"z")], [None, None, Some(3), Some(3)]);
        let below = |bound: &[u8]| map.get_below(bound).map(|region| region.id);
        assert_eq!([below(b"b"), below(b"c"), below(b"d")], [Some(1), Some(2), Some(2)]);
        assert_eq!([below(b"e"), below(b"f"), below(b"g"), below(b"")], [None, None, Some(3), Some(3)]);
    }

    #[test]
    fn a_stale_answer_never_replaces_a_newer_one() {
        let mut map = map(&[&region(1, 2, b"", b"m"), &region(2, 2, b"m", b"")]);
        assert!(!map.insert(Arc::new(region(1, 1, b"", b""))), "the region before the split");
        assert_eq!(ids(&map), [1, 2]);
        assert!(map.insert(Arc::new(region(1, 3, b"", b""))), "the region after the merge");
        assert_eq!(ids(&map), [1]);
    }

    #[test]
    fn only_what_is_still_known_is_changed_or_removed() {
        let (old, new) = (region(1, 1, b"", b""), region(1, 2, b"", b""));
        let mut map = map(&[&new]);
        map.remove(&old);
        map.replace(&old, old.led_by(&peer(102)).unwrap());
        assert_eq!(map.get(b"a").unwrap().peer().id, 101);
        let moved = new.led_by(&peer(102)).unwrap();
        map.replace(&new, moved.clone());
        assert_eq!(map.get(b"a").unwrap().peer().id, 102);
        map.replace(&new, new.led_by(&peer(103)).unwrap());
        map.remove(&new);
        assert_eq!(
            map.get(b"a").unwrap().peer().id,
            102,
            "who asked the peer before the move knows no better"
        );
        map.remove(&moved);
        assert!(map.get(b"a").is_none());
    }

    #[test]
    fn gaps_are_told_apart() {
        let map = map(&[&region(1, 1, b"b", b"c"), &region(2, 1, b"e", b"f")]);
        assert_eq!([map.gap(b"a"), map.gap(b"c"), map.gap(b"d"), map.gap(b"g")], ["", "c", "c", "f"]);
    }

    #[test]
    fn no_more_regions_are_kept_than_the_limit() {
        let mut map = RegionMap::new(2);
        for (id, [start, end]) in (1..).zip([[b"a", b"b"], [b"b", b"c"], [b"c", b"d"], [b"d", b"e"]]) {
            assert!(map.insert(Arc::new(region(id, 1, start, end))));
            assert!(map.regions.len() <= 2);
        }
    }

    /// A region with bounds among ten keys.
    fn any_region() -> impl Strategy<Value = Region> {
        (1..4u64, 1..5u64, 0..9u8, 1..10u8).prop_map(|(id, version, start, length)| {
            let bound = |at: u8| if at == 0 || at > 9 { Vec::new() } else { vec![at] };
            region(id, version, &bound(start), &bound(start.saturating_add(length)))
        })
    }

    proptest! {
        /// For each key the model keeps what covered it last; a region enters only if it is older than nobody.
        #[test]
        fn the_map_is_what_was_learnt_last_and_never_overlaps(learnt in vec(any_region(), 0..20)) {
            let mut map = RegionMap::new(100);
            let mut model: Vec<Option<Region>> = vec![None; 10];
            for region in learnt {
                let keys: Vec<usize> = (0..10u8).filter(|&key| region.contains(&[key])).map(usize::from).collect();
                let fresh = !keys.iter().any(|&key| model[key].as_ref().is_some_and(|known| region.is_older_than(known)));
                prop_assert_eq!(map.insert(Arc::new(region.clone())), fresh);
                if fresh {
                    let gone: Vec<Region> = keys.iter().filter_map(|&key| model[key].clone()).collect();
                    for known in model.iter_mut() {
                        if known.as_ref().is_some_and(|known| gone.contains(known)) {
                            *known = None;
                        }
                    }
                    keys.iter().for_each(|&key| model[key] = Some(region.clone()));
                }
                for key in 0..10u8 {
                    let known = map.get(&[key]).map(|known| (**known).clone());
                    prop_assert_eq!(&known, &model[usize::from(key)]);
                }
            }
        }
    }
}
