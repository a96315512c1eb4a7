//! Everything a cluster knows, under one lock.

use std::collections::BTreeMap;

use bytes::Bytes;

use super::deadlock::Waits;
use super::mvcc::Mvcc;
use super::options::Options;
use super::regions::{Region, Regions};
use super::tso::Tso;

/// Replicas that a region has, at most.
const REPLICAS: usize = 3;

#[derive(Clone, Debug)]
pub(super) struct Store {
    pub(super) id: u64,
    /// "host:port", as PD tells it.
    pub(super) address: String,
    pub(super) up: bool,
    /// The greatest timestamp that the store's leaders have seen a reader use.
    pub(super) max_ts: u64,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) mvcc: Mvcc,
    pub(super) regions: Regions,
    /// What PD believes the regions to be; none: as they are.
    pub(super) pd_regions: Option<Regions>,
    pub(super) stores: BTreeMap<u64, Store>,
    pub(super) tso: Tso,
    pub(super) safe_points: SafePoints,
    pub(super) waits: Waits,
    /// Addresses of PD's members, "host:port".
    pub(super) pd: Vec<String>,
    /// Which of them leads; none: they are electing one.
    pub(super) pd_leader: Option<usize>,
}

impl State {
    /// A cluster without addresses yet.
    pub(super) fn new(options: &Options) -> Self {
        let ids: Vec<u64> = (1..=options.stores.max(1)).collect();
        let mut regions = Regions::new(&ids[..ids.len().min(REPLICAS)], ids.len() as u64);
        options.split_at.iter().for_each(|key| regions.split(key));
        let store = |id| Store { id, address: String::new(), up: false, max_ts: 0 };
        Self {
            mvcc: Mvcc::default(),
            regions,
            pd_regions: None,
            stores: ids.into_iter().map(|id| (id, store(id))).collect(),
            tso: Tso::default(),
            safe_points: SafePoints::default(),
            waits: Waits::default(),
            pd: vec![String::new(); options.pd_members.max(1)],
            pd_leader: Some(0),
        }
    }

    /// The regions as PD tells them.
    pub(super) fn told_regions(&self) -> &Regions {
        self.pd_regions.as_ref().unwrap_or(&self.regions)
    }

    pub(super) fn store(&mut self, id: u64) -> Option<&mut Store> {
        self.stores.get_mut(&id)
    }

    /// Lets a store lead the region of a key. A new leader asks PD for the time, so that it chooses no commit timestamp
    /// that a reader of the old leader is past already.
    pub(super) fn lead(&mut self, key: &[u8], store: Option<u64>) -> bool {
        let latest = self.tso.last();
        if let Some(leader) = store.and_then(|id| self.store(id)) {
            leader.max_ts = leader.max_ts.max(latest);
        }
        self.regions.lead(key, store)
    }

    /// Takes the lead of every region from a store and gives it to another of its replicas that is up, or to none.
    pub(super) fn fail_over(&mut self, from: u64) {
        let led = |region: &&Region| region.leader == Some(from);
        let led: Vec<Region> = self.regions.iter().filter(led).cloned().collect();
        for region in led {
            let is_up = |store: &u64| *store != from && self.stores.get(store).is_some_and(|store| store.up);
            let next = region.peers.iter().map(|peer| peer.store).find(is_up);
            self.lead(&region.start, next);
        }
    }

    /// Splits a region in the middle if it holds more than `most` keys.
    pub(super) fn split_above(&mut self, most: usize, start: &[u8]) {
        let region = self.regions.of(start);
        let (count, middle) = self.mvcc.middle((&region.start, &region.end));
        if let Some(middle) = middle.filter(|_| count > most) {
            self.regions.split(&middle);
        }
    }
}

/// Up to where old versions may go.
#[derive(Debug, Default)]
pub(super) struct SafePoints {
    pub(super) cluster: u64,
    /// By service: its safe point, and the second since 1970 in which it lapses.
    services: BTreeMap<Bytes, (u64, u64)>,
}

impl SafePoints {
    /// Moves the cluster's safe point forward; it never goes back.
    pub(super) fn raise(&mut self, safe_point: u64) -> u64 {
        self.cluster = self.cluster.max(safe_point);
        self.cluster
    }

    /// Sets a service's safe point for `ttl` seconds (not positive: takes it away), unless the least of all is past it
    /// already. Returns the least one: whose it is, the seconds left to it, and itself.
    pub(super) fn set_service(
        &mut self,
        service: Bytes,
        ttl: i64,
        safe_point: u64,
        now: u64,
    ) -> (Bytes, u64, u64) {
        self.services.retain(|_, (_, lapses)| *lapses > now);
        let least = self.services.values().map(|&(safe_point, _)| safe_point).min().unwrap_or(0);
        match u64::try_from(ttl) {
            Ok(ttl) if ttl > 0 && safe_point >= least => {
                self.services.insert(service, (safe_point, now.saturating_add(ttl)));
            }
            Ok(ttl) if ttl > 0 => {}
            _ => {
                self.services.remove(&service);
            }
        }
        let least = self.services.iter().min_by_key(|(_, (safe_point, _))| *safe_point);
        least.map_or((Bytes::new(), 0, 0), |(service, &(safe_point, lapses))| {
            (service.clone(), lapses - now, safe_point)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_service_holds_the_safe_point_until_it_lapses() {
        let mut points = SafePoints::default();
        let (backup, gc) = (Bytes::from("backup"), Bytes::from("gc"));
        assert_eq!(points.set_service(backup.clone(), 10, 100, 0), (backup.clone(), 10, 100));
        assert_eq!(points.set_service(gc.clone(), 50, 200, 5), (backup.clone(), 5, 100));
        assert_eq!(points.set_service(gc.clone(), 50, 50, 5), (backup, 5, 100));
        assert_eq!(points.set_service(gc.clone(), 50, 300, 10), (gc.clone(), 50, 300));
        assert_eq!(points.set_service(gc, 0, 0, 10), (Bytes::new(), 0, 0));
    }

    #[test]
    fn a_safe_point_never_goes_back() {
        let mut points = SafePoints::default();
        assert_eq!((points.raise(5), points.raise(3)), (5, 5));
    }

    #[test]
    fn the_regions_of_a_dead_store_are_led_by_those_that_live() {
        let mut state = State::new(&Options { stores: 3, split_at: vec!["m".into()], ..Options::default() });
        state.stores.values_mut().for_each(|store| store.up = store.id != 2);
        state.tso.next(1, 5);
        state.fail_over(1);
        assert!(state.regions.iter().all(|region| region.leader == Some(3)));
        assert_eq!(state.stores[&3].max_ts, state.tso.last());
        state.fail_over(3);
        state.stores.values_mut().for_each(|store| store.up = false);
        state.fail_over(1);
        assert!(state.regions.iter().all(|region| region.leader.is_none()));
    }
}
