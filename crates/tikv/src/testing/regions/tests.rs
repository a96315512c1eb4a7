use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn address(region: &Region, store: u64) -> Address {
    let peer = region.peer_on(store).map_or(0, |peer| peer.id);
    Address { region: region.id, version: region.version, peer, store }
}

/// a..m on the left with a new id, m..z on the right with the old one.
fn split_at_m() -> (Region, Regions) {
    let mut regions = Regions::new(&[1, 2, 3], 10);
    let whole = regions.of(b"").clone();
    regions.split(b"m");
    (whole, regions)
}

#[test]
fn the_part_behind_a_split_keeps_the_id() {
    let (whole, regions) = split_at_m();
    let (left, right) = (regions.of(b"a"), regions.of(b"m"));
    assert_eq!((&left.end[..], &right.start[..], &right.end[..]), (&b"m"[..], &b"m"[..], &b""[..]));
    assert_eq!(right.id, whole.id);
    assert_ne!(left.id, whole.id);
    assert_eq!((left.version, right.version), (whole.version + 1, whole.version + 1));
}

#[test]
fn a_request_by_an_old_map_is_told_what_is_there_now() {
    let (whole, regions) = split_at_m();
    let now = vec![regions.of(b"m").clone(), regions.of(b"a").clone()];
    assert_eq!(regions.route(1, address(&whole, 1)).unwrap_err(), Misaddressed::EpochNotMatch(now));
}

#[test]
fn only_the_leader_s_own_store_serves() {
    let (_, mut regions) = split_at_m();
    let region = regions.of(b"a").clone();
    assert!(regions.route(1, address(&region, 1)).is_ok());
    assert_eq!(regions.route(1, address(&region, 2)).unwrap_err(), Misaddressed::StoreNotMatch);
    let not_leader = regions.route(2, address(&region, 2)).unwrap_err();
    assert_eq!(not_leader, Misaddressed::NotLeader(region.peer_on(1)));
    assert_eq!(regions.route(4, address(&region, 4)).unwrap_err(), Misaddressed::RegionNotFound);
    assert!(regions.lead(b"a", None));
    assert_eq!(regions.route(1, address(&region, 1)).unwrap_err(), Misaddressed::NotLeader(None));
    assert!(!regions.lead(b"a", Some(4)));
}

#[test]
fn a_replica_that_moved_away_and_back_is_another_peer() {
    let (_, mut regions) = split_at_m();
    let region = regions.of(b"a").clone();
    assert!(regions.move_peer(b"a", 1, 4));
    assert!(!regions.move_peer(b"a", 2, 4));
    assert_eq!(regions.of(b"a").leader, Some(4));
    assert!(regions.move_peer(b"a", 4, 1));
    let back = regions.of(b"a").peer_on(1).unwrap();
    let refused = regions.route(1, address(&region, 1)).unwrap_err();
    assert_eq!(refused, Misaddressed::MismatchPeerId(back));
}

#[test]
fn a_merged_region_is_newer_than_both() {
    let (_, mut regions) = split_at_m();
    regions.split(b"t");
    let (left, right) = (regions.of(b"a").clone(), regions.of(b"m").clone());
    assert!(regions.merge(b"a"));
    assert!(regions.by_id(right.id).is_none());
    let merged = regions.by_id(left.id).unwrap();
    assert!(merged.version > left.version.max(right.version));
    assert!(merged.contains(b"p") && !merged.contains(b"t"));
    assert!(!regions.merge(b"t"));
}

proptest! {
    #[test]
    fn every_key_is_in_one_region(steps in vec((any::<bool>(), "[a-e]{0,2}"), 0..30), probe in "[a-e]{0,3}") {
        let mut regions = Regions::new(&[1], 0);
        for (split, key) in steps {
            if split { regions.split(key.as_bytes()) } else { regions.merge(key.as_bytes()); }
        }
        let holding: Vec<&Region> = regions.iter().filter(|region| region.contains(probe.as_bytes())).collect();
        prop_assert_eq!(holding, vec![regions.of(probe.as_bytes())]);
        let bounds: Vec<_> = regions.iter().map(|region| (region.start.clone(), region.end.clone())).collect();
        prop_assert!(bounds.windows(2).all(|pair| pair[0].1 == pair[1].0));
        prop_assert!(bounds[bounds.len() - 1].1.is_empty());
    }
}
