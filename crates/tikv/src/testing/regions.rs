//! The map of the cluster: which region holds a key, where its replicas are, and who leads them.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::Bytes;

#[cfg(test)]
mod tests;

/// A replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Peer {
    pub(super) id: u64,
    pub(super) store: u64,
}

/// A range of keys and its replicas. Bounds are raw keys; an empty end is no bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) id: u64,
    pub(super) start: Bytes,
    pub(super) end: Bytes,
    /// Counts changes of peers.
    pub(super) conf_version: u64,
    /// Counts splits and merges.
    pub(super) version: u64,
    pub(super) peers: Vec<Peer>,
    /// The store of the peer that leads; none: the peers are electing one.
    pub(super) leader: Option<u64>,
}

impl Region {
    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.start <= key && self.ends_after(key)
    }

    /// Whether the region goes on behind `key`.
    pub(super) fn ends_after(&self, key: &[u8]) -> bool {
        self.end.is_empty() || key < &self.end[..]
    }

    /// The part of a range that lies in the region, with an empty end for no bound; `None` if there is none.
    pub(super) fn clip<'a>(&'a self, (start, end): (&'a [u8], &'a [u8])) -> Option<(&'a [u8], &'a [u8])> {
        let start = start.max(&self.start);
        let end = match (end, &self.end[..]) {
            ([], end) | (end, []) => end,
            (a, b) => a.min(b),
        };
        (end.is_empty() || start < end).then_some((start, end))
    }

    pub(super) fn peer_on(&self, store: u64) -> Option<Peer> {
        self.peers.iter().copied().find(|peer| peer.store == store)
    }

    pub(super) fn leader(&self) -> Option<Peer> {
        self.peer_on(self.leader?)
    }
}

/// How a request addresses a region.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Address {
    pub(super) region: u64,
    pub(super) version: u64,
    pub(super) peer: u64,
    /// The store that the client means to talk to.
    pub(super) store: u64,
}

/// Why a store does not serve a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misaddressed {
    StoreNotMatch,
    RegionNotFound,
    NotLeader(Option<Peer>),
    MismatchPeerId(Peer),
    /// With what lies now where the region was known to be.
    EpochNotMatch(Vec<Region>),
}

/// All regions; together they hold every key once.
#[derive(Clone, Debug)]
pub(super) struct Regions {
    by_start: BTreeMap<Bytes, Region>,
    last_id: u64,
}

impl Regions {
    /// One region with a peer on each of `stores`, led by the first. Ids of regions and peers begin after `last_id`.
    pub(super) fn new(stores: &[u64], last_id: u64) -> Self {
        let mut regions = Self { by_start: BTreeMap::new(), last_id };
        let id = regions.fresh_id();
        let peers = stores.iter().map(|&store| Peer { id: regions.fresh_id(), store }).collect();
        let leader = stores.first().copied();
        let (start, end) = (Bytes::new(), Bytes::new());
        regions.put(Region { id, start, end, conf_version: 1, version: 1, peers, leader });
        regions
    }

    fn fresh_id(&mut self) -> u64 {
        self.last_id += 1;
        self.last_id
    }

    fn put(&mut self, region: Region) {
        self.by_start.insert(region.start.clone(), region);
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Region> {
        self.by_start.values()
    }

    pub(super) fn by_id(&self, id: u64) -> Option<&Region> {
        self.iter().find(|region| region.id == id)
    }

    /// The region that holds a key.
    pub(super) fn of(&self, key: &[u8]) -> &Region {
        let below = self.by_start.range::<[u8], _>((Bound::Unbounded, Bound::Included(key))).next_back();
        below.expect("the first region begins with the empty key").1
    }

    /// The region before the one that holds a key.
    pub(super) fn before(&self, key: &[u8]) -> Option<&Region> {
        self.by_start.range(..self.of(key).start.clone()).next_back().map(|(_, region)| region)
    }

    /// Regions that meet a range, in order.
    pub(super) fn within<'a>(&'a self, range: (&'a [u8], &'a [u8])) -> impl Iterator<Item = &'a Region> {
        self.iter().filter(move |region| region.clip(range).is_some())
    }

    fn change<T>(&mut self, key: &[u8], change: impl FnOnce(&mut Region) -> T) -> T {
        let start = self.of(key).start.clone();
        change(self.by_start.get_mut(&start).expect("the region was just found"))
    }

    /// Splits the region of a key, so that one begins with it. The part behind it keeps the id. Nothing happens where a
    /// region begins already.
    pub(super) fn split(&mut self, key: &[u8]) {
        if self.of(key).start == key {
            return;
        }
        let mut right = self.of(key).clone();
        let mut left = right.clone();
        let key = Bytes::copy_from_slice(key);
        (left.end, right.start) = (key.clone(), key);
        left.version += 1;
        right.version += 1;
        left.id = self.fresh_id();
        left.peers.iter_mut().for_each(|peer| peer.id = self.fresh_id());
        self.put(left);
        self.put(right);
    }

    /// Merges the region of a key with the one behind it, which is gone then. `false`: there is none.
    pub(super) fn merge(&mut self, key: &[u8]) -> bool {
        let end = self.of(key).end.clone();
        if end.is_empty() {
            return false;
        }
        let right = self.by_start.remove(&end).expect("a region begins where another ends");
        self.change(key, |left| {
            left.end = right.end;
            left.version = left.version.max(right.version) + 1;
        });
        true
    }

    /// Lets the peer on a store lead the region of a key; `None`: lets it be without leader. `false`: no peer is there.
    pub(super) fn lead(&mut self, key: &[u8], store: Option<u64>) -> bool {
        self.change(key, |region| {
            let fits = store.is_none_or(|store| region.peer_on(store).is_some());
            if fits {
                region.leader = store;
            }
            fits
        })
    }

    /// Takes the replica of a key's region from one store to another. `false`: it is not on the first, or is on the
    /// other already.
    pub(super) fn move_peer(&mut self, key: &[u8], from: u64, to: u64) -> bool {
        let id = self.fresh_id();
        self.change(key, |region| {
            if region.peer_on(to).is_some() {
                return false;
            }
            let Some(peer) = region.peers.iter_mut().find(|peer| peer.store == from) else {
                return false;
            };
            *peer = Peer { id, store: to };
            region.conf_version += 2;
            region.leader = region.leader.map(|leader| if leader == from { to } else { leader });
            true
        })
    }

    /// The region that a request means, if the store that got it may serve it.
    pub(super) fn route(&self, store: u64, address: Address) -> Result<&Region, Misaddressed> {
        if address.store != store {
            return Err(Misaddressed::StoreNotMatch);
        }
        let region = self.by_id(address.region).ok_or(Misaddressed::RegionNotFound)?;
        let peer = region.peer_on(store).ok_or(Misaddressed::RegionNotFound)?;
        if region.leader != Some(store) {
            return Err(Misaddressed::NotLeader(region.leader()));
        }
        if address.peer != peer.id {
            return Err(Misaddressed::MismatchPeerId(peer));
        }
        // A change of peers does not concern reads and writes; the client finds out by the peer's id if it has to.
        if address.version != region.version {
            return Err(Misaddressed::EpochNotMatch(self.siblings(region)));
        }
        Ok(region)
    }

    /// A region and the one before it, which is what is left of a split.
    fn siblings(&self, region: &Region) -> Vec<Region> {
        [Some(region), self.before(&region.start)].into_iter().flatten().cloned().collect()
    }
}
