//! One region at one epoch.

use bytes::Bytes;

use crate::memcomparable;
use crate::proto::metapb::{self, Peer, PeerRole, RegionEpoch};
use crate::range::ends_after;

/// How often a region has changed shape; a request by an old epoch is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Epoch {
    /// Counts splits and merges. Whatever overlaps a region and came later has a greater one.
    pub(crate) version: u64,
    /// Counts changes of peers.
    pub(crate) conf_ver: u64,
}

/// A region as it was at one epoch, and the peer to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Region {
    pub(crate) id: u64,
    pub(crate) epoch: Epoch,
    /// The first key, as requests name keys.
    pub(crate) start: Bytes,
    /// The first key after the region; empty: the region has no end.
    pub(crate) end: Bytes,
    peers: Vec<Peer>,
    /// The place in `peers` of the one to ask.
    asked: usize,
    /// How many peers in a row could not be reached.
    unreachable: usize,
}

impl Region {
    /// A region as PD and stores describe it. `leader` is asked, or else the first peer that could lead.
    ///
    /// # Errors
    /// In words, where the description makes no sense.
    pub(crate) fn read(region: metapb::Region, leader: Option<&Peer>) -> Result<Self, String> {
        let bound = |encoded: &Bytes| match encoded.is_empty() {
            true => Ok(Bytes::new()),
            false => memcomparable::decode(encoded).map(Bytes::from).ok_or_else(|| {
                format!(
                    "the region {} has the bound '{}', which encodes no key",
                    region.id,
                    encoded.escape_ascii()
                )
            }),
        };
        let (start, end) = (bound(&region.start_key)?, bound(&region.end_key)?);
        if !ends_after(&end, &start) {
            return Err(format!("the region {} ends before it starts", region.id));
        }
        let peers = region.peers;
        let led = leader.and_then(|leader| peers.iter().position(|peer| peer.id == leader.id));
        let asked = led.or_else(|| peers.iter().position(could_lead));
        let asked = asked.ok_or_else(|| format!("the region {} has no peer that could lead", region.id))?;
        let RegionEpoch { conf_ver, version } = region.region_epoch.unwrap_or_default();
        let epoch = Epoch { version, conf_ver };
        Ok(Self { id: region.id, epoch, start, end, peers, asked, unreachable: 0 })
    }

    /// The peer to ask.
    pub(crate) fn peer(&self) -> &Peer {
        &self.peers[self.asked]
    }

    /// The same region at the same epoch, asking the peer that is said to lead; `None` if it has no such peer.
    pub(crate) fn led_by(&self, leader: &Peer) -> Option<Self> {
        let asked = self.peers.iter().position(|peer| peer.id == leader.id)?;
        Some(Self { asked, unreachable: 0, ..self.clone() })
    }

    /// The same region, asking the next peer that could lead: the one asked cannot be reached. `None` when none could.
    pub(crate) fn passed_on(&self) -> Option<Self> {
        let unreachable = self.unreachable + 1;
        let count = self.peers.len();
        let next = (self.asked + 1..self.asked + count).map(|place| place % count);
        let asked = next.into_iter().find(|&place| could_lead(&self.peers[place]))?;
        let voters = self.peers.iter().filter(|peer| could_lead(peer)).count();
        (unreachable < voters).then(|| Self { asked, unreachable, ..self.clone() })
    }

    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.start <= key && ends_after(&self.end, key)
    }

    /// Whether the keys right below `bound` (empty: the last of all keys) lie in the region.
    pub(crate) fn reaches(&self, bound: &[u8]) -> bool {
        if bound.is_empty() {
            return self.end.is_empty();
        }
        self.start < bound && (self.end.is_empty() || bound <= self.end)
    }

    /// Whether this is the same region at the same epoch, and asks the same peer.
    pub(crate) fn is_asked_as(&self, other: &Self) -> bool {
        (self.id, self.epoch, self.asked) == (other.id, other.epoch, other.asked)
    }

    /// Whether `self` is known to be older than `other`, which overlaps it.
    pub(crate) fn is_older_than(&self, other: &Self) -> bool {
        if self.id == other.id {
            return self.epoch.version < other.epoch.version || self.epoch.conf_ver < other.epoch.conf_ver;
        }
        self.epoch.version < other.epoch.version
    }

    pub(crate) fn wire_epoch(&self) -> RegionEpoch {
        RegionEpoch { conf_ver: self.epoch.conf_ver, version: self.epoch.version }
    }
}

fn could_lead(peer: &Peer) -> bool {
    !peer.is_witness && matches!(peer.role(), PeerRole::Voter | PeerRole::IncomingVoter)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::region) fn peer(id: u64) -> Peer {
        Peer { id, store_id: id % 100, role: PeerRole::Voter.into(), is_witness: false }
    }

    /// A region of three peers.
    pub(in crate::region) fn region(id: u64, version: u64, start: &[u8], end: &[u8]) -> Region {
        let encoded = |key: &[u8]| if key.is_empty() { Vec::new() } else { memcomparable::encode(key) };
        let described = metapb::Region {
            id,
            start_key: encoded(start).into(),
            end_key: encoded(end).into(),
            region_epoch: Some(RegionEpoch { conf_ver: 1, version }),
            peers: vec![peer(id * 100 + 1), peer(id * 100 + 2), peer(id * 100 + 3)],
        };
        Region::read(described, None).unwrap()
    }

    #[test]
    fn a_region_is_older_if_any_part_of_its_epoch_is_and_another_one_by_its_version() {
        let known = region(1, 5, b"", b"");
        let with = |conf_ver, version| Region { epoch: Epoch { conf_ver, version }, ..known.clone() };
        assert!(with(9, 4).is_older_than(&known) && with(0, 9).is_older_than(&known));
        assert!(!with(1, 5).is_older_than(&known) && !with(2, 5).is_older_than(&known));
        assert!(
            region(2, 4, b"", b"").is_older_than(&known) && !region(2, 5, b"", b"").is_older_than(&known)
        );
        let elsewhere = Region { epoch: Epoch { conf_ver: 0, version: 5 }, ..region(2, 5, b"", b"") };
        assert!(!elsewhere.is_older_than(&known), "peers of two regions change apart");
    }

    #[test]
    fn each_peer_is_asked_once_before_the_region_is_given_up() {
        let region = region(1, 1, b"", b"");
        assert_eq!(region.peer().id, 101);
        let second = region.passed_on().unwrap();
        let third = second.passed_on().unwrap();
        assert_eq!((second.peer().id, third.peer().id), (102, 103));
        assert_eq!(third.passed_on(), None);
        let told = third.led_by(&peer(101)).unwrap();
        assert_eq!(told.peer().id, 101);
        assert!(told.passed_on().is_some(), "a hint of a peer that lives begins a new round");
        assert_eq!(region.led_by(&peer(9)), None);
    }

    #[test]
    fn descriptions_without_sense_are_refused() {
        let described = |start: &[u8], end: &[u8], peers| metapb::Region {
            id: 1,
            start_key: Bytes::copy_from_slice(start),
            end_key: Bytes::copy_from_slice(end),
            region_epoch: None,
            peers,
        };
        assert!(Region::read(described(b"raw", b"", vec![peer(1)]), None).is_err());
        let (a, b) = (memcomparable::encode(b"a"), memcomparable::encode(b"b"));
        assert!(Region::read(described(&b, &a, vec![peer(1)]), None).is_err());
        assert!(Region::read(described(&a, &b, Vec::new()), None).is_err());
        let learner = Peer { role: PeerRole::Learner.into(), ..peer(1) };
        let read = Region::read(described(&a, &b, vec![learner, peer(2)]), None).unwrap();
        assert_eq!(read.peer().id, 2);
    }

    #[test]
    fn a_bound_belongs_to_the_region_below_it() {
        let region = region(1, 1, b"b", b"d");
        assert!(region.reaches(b"c") && region.reaches(b"d"));
        assert!(!region.reaches(b"b") && !region.reaches(b"e") && !region.reaches(b""));
    }
}
