//! What can go wrong, as data: which calls it meets and what it does to them.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::call::Call;

/// Chooses calls. Every condition must hold; a new filter has none.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    calls: BTreeSet<Call>,
    store: Option<u64>,
    keys: Option<(Bytes, Bytes)>,
    skip: u64,
    times: Option<u64>,
    chance: Option<f64>,
}

impl Filter {
    /// Every call.
    pub fn any() -> Self {
        Self::default()
    }

    /// Calls of one kind.
    pub fn on(call: Call) -> Self {
        Self::any().or_on(call)
    }

    /// And calls of this kind.
    #[must_use]
    pub fn or_on(mut self, call: Call) -> Self {
        self.calls.insert(call);
        self
    }

    /// Calls that reach this store; none of PD's do.
    #[must_use]
    pub fn at_store(self, store: u64) -> Self {
        Self { store: Some(store), ..self }
    }

    /// Calls of which one key is this.
    #[must_use]
    pub fn with_key(self, key: impl Into<Bytes>) -> Self {
        let key = key.into();
        let after = [&key[..], &[0]].concat();
        self.with_key_in(key, after)
    }

    /// Calls of which one key (the bound where it begins, of a range) lies from `start` up to, not including, `end`; an
    /// empty end is no bound. Keys in look-ups of regions are compared decoded.
    #[must_use]
    pub fn with_key_in(self, start: impl Into<Bytes>, end: impl Into<Bytes>) -> Self {
        Self { keys: Some((start.into(), end.into())), ..self }
    }

    /// Lets the first calls that would be chosen go.
    #[must_use]
    pub fn after(self, calls: u64) -> Self {
        Self { skip: calls, ..self }
    }

    /// Chooses so many calls, then none.
    #[must_use]
    pub fn times(self, calls: u64) -> Self {
        Self { times: Some(calls), ..self }
    }

    /// Chooses each call by chance, 0 to 1, drawn from the cluster's seed.
    #[must_use]
    pub fn with_chance(self, chance: f64) -> Self {
        Self { chance: Some(chance.clamp(0.0, 1.0)), ..self }
    }

    /// Whether a call is chosen; counts down what is counted.
    pub(super) fn chooses(&mut self, met: &Met<'_>, draw: impl FnOnce(f64) -> bool) -> bool {
        let fits = (self.calls.is_empty() || self.calls.contains(&met.call))
            && self.store.is_none_or(|store| met.store == Some(store))
            && self.keys.as_ref().is_none_or(|keys| met.keys.iter().any(|key| lies_in(key, keys)))
            && self.times != Some(0)
            && self.chance.is_none_or(draw);
        if !fits {
            return false;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return false;
        }
        self.times = self.times.map(|times| times - 1);
        true
    }
}

fn lies_in(key: &[u8], (start, end): &(Bytes, Bytes)) -> bool {
    start <= key && (end.is_empty() || key < end)
}

/// A call as it comes in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Met<'a> {
    pub(super) call: Call,
    pub(super) store: Option<u64>,
    pub(super) keys: &'a [Bytes],
}

/// What a fault does to a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// The call waits, and goes on.
    Delay(Duration),
    /// The request is lost: nothing is done, and the caller sees its stream reset.
    LoseRequest,
    /// The call is done, and the caller sees its stream reset.
    LoseReply,
    /// The request is swallowed: nothing is done, and the caller never hears of it.
    SwallowRequest,
    /// The call is done, and the caller never hears of it.
    SwallowReply,
    /// A store answers a region error; for PD's calls, as `LoseRequest`.
    Region(RegionFault),
    /// PD answers with this error in the header; a store's call fails with it.
    Fail(String),
    /// PD answers well, but with nothing: no region, no store, no regions of a range. For other calls, nothing happens.
    Empty,
}

/// Region errors that a store can be made to answer. Nothing is done then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegionFault {
    /// With the peer that really leads, if it is to be told.
    NotLeader {
        /// Tell who leads.
        hint: bool,
    },
    /// With the region of the request as it is now, if it is to be told.
    EpochNotMatch {
        /// Tell what is there now.
        current: bool,
    },
    /// The store knows no such region.
    RegionNotFound,
    /// The store has too much to do.
    ServerIsBusy {
        /// How long the caller should wait, in milliseconds.
        backoff_ms: u64,
    },
    /// The request was proposed in another term.
    StaleCommand,
    /// Another store has this one's address now.
    StoreNotMatch,
    /// The key lies elsewhere.
    KeyNotInRegion,
    /// The request is too large to replicate.
    RaftEntryTooLarge,
    /// A new leader cannot choose commit timestamps yet.
    MaxTimestampNotSynced,
    /// The region is being split or merged.
    ReadIndexNotReady,
    /// The region is being merged.
    ProposalInMergingMode,
    /// A replica is behind.
    DataIsNotReady,
    /// The peer has no data yet.
    RegionNotInitialized,
    /// There is no room on the store.
    DiskFull,
    /// The cluster is being restored.
    RecoveryInProgress,
    /// The region is being set back in time.
    FlashbackInProgress,
    /// The region is not ready to be set back in time.
    FlashbackNotPrepared,
    /// The peer has no data at all.
    IsWitness,
    /// The store has another peer of the region.
    MismatchPeerId,
    /// The client knows other buckets.
    BucketVersionNotMatch,
    /// The store cannot tell whether the call was done.
    UndeterminedResult {
        /// Whether it was.
        applied: bool,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(filter: &mut Filter, call: Call, store: Option<u64>, key: &'static str) -> bool {
        let keys = [Bytes::from(key)];
        filter.chooses(&Met { call, store, keys: &keys }, |chance| chance > 0.5)
    }

    #[test]
    fn every_condition_must_hold() {
        let mut filter = Filter::on(Call::KvGet).or_on(Call::KvScan).at_store(2).with_key("b");
        assert!(chosen(&mut filter, Call::KvScan, Some(2), "b"));
        assert!(!chosen(&mut filter, Call::KvCommit, Some(2), "b"));
        assert!(!chosen(&mut filter, Call::KvGet, Some(1), "b"));
        assert!(!chosen(&mut filter, Call::KvGet, None, "b"));
        assert!(!chosen(&mut filter, Call::KvGet, Some(2), "ba"));
        assert!(!chosen(&mut Filter::any().with_chance(0.2), Call::KvGet, None, "b"));
        assert!(chosen(&mut Filter::any().with_key_in("a", ""), Call::GetRegion, None, "b"));
    }

    #[test]
    fn only_calls_that_fit_are_counted() {
        let mut filter = Filter::on(Call::KvGet).after(1).times(2);
        let calls = [Call::KvScan, Call::KvGet, Call::KvGet, Call::KvScan, Call::KvGet, Call::KvGet];
        let chosen: Vec<bool> = calls.iter().map(|&call| chosen(&mut filter, call, None, "k")).collect();
        assert_eq!(chosen, [false, false, true, false, true, false]);
    }
}
