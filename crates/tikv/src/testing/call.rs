//! The kinds of calls, and counts of them.

use std::collections::BTreeMap;

/// A kind of call, by its name in the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Of a store: the value of a key.
    KvGet,
    /// Of a store: the values of keys.
    KvBatchGet,
    /// Of a store: pairs of a range.
    KvScan,
    /// Of a store: the first phase, or the only one.
    KvPrewrite,
    /// Of a store: the second phase.
    KvCommit,
    /// Of a store: rolls a transaction back on one key if its time is over.
    KvCleanup,
    /// Of a store: rolls a transaction back on its keys.
    KvBatchRollback,
    /// Of a store: the state of a transaction by its primary.
    KvCheckTxnStatus,
    /// Of a store: the state of an async commit by its secondaries.
    KvCheckSecondaryLocks,
    /// Of a store: commits or rolls back what a transaction left.
    KvResolveLock,
    /// Of a store: old locks of a range.
    KvScanLock,
    /// Of a store: locks ahead of writes.
    KvPessimisticLock,
    /// Of a store: takes such locks away.
    KvPessimisticRollback,
    /// Of a store: lengthens a transaction's life.
    KvTxnHeartBeat,
    /// Of a store: drops old versions of a region.
    KvGc,
    /// Of a store: drops a range of a region.
    KvDeleteRange,
    /// Of a store: drops whatever it leads of a range.
    UnsafeDestroyRange,
    /// Of PD: who it is.
    GetMembers,
    /// Of PD: one request of a stream of timestamps.
    Tso,
    /// Of PD: the region of a key.
    GetRegion,
    /// Of PD: the region before that of a key.
    GetPrevRegion,
    /// Of PD: a region by its id.
    GetRegionById,
    /// Of PD: the regions of a range.
    ScanRegions,
    /// Of PD: a store by its id.
    GetStore,
    /// Of PD: all stores.
    GetAllStores,
    /// Of PD: the safe point.
    GetGcSafePoint,
    /// Of PD: moves the safe point.
    UpdateGcSafePoint,
    /// Of PD: moves a service's safe point.
    UpdateServiceGcSafePoint,
    /// Of PD: a keyspace by its name.
    LoadKeyspace,
}

/// How often each kind of call came in, refused ones and lost ones included.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<Call, u64>);

impl Counts {
    pub(super) fn add(&mut self, call: Call) {
        *self.0.entry(call).or_default() += 1;
    }

    /// How often a kind of call came in.
    pub fn of(&self, call: Call) -> u64 {
        self.0.get(&call).copied().unwrap_or(0)
    }

    /// All calls that came in.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Kinds that came in at least once.
    pub fn iter(&self) -> impl Iterator<Item = (Call, u64)> + '_ {
        self.0.iter().map(|(&call, &count)| (call, count))
    }
}

impl<const N: usize> From<[(Call, u64); N]> for Counts {
    fn from(counts: [(Call, u64); N]) -> Self {
        Self(counts.into())
    }
}
