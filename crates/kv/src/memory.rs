//! A store in memory, for tests only: a plain map of every version ever written, nothing forgotten, nothing durable.
//!
//! It shares no deciding code with the embedded store: conflicts are read off the versions themselves.

use crate::{
    Conflict, ConflictReason, KeyRange, Kv, KvError, Limits, Mode, Outcome, ScanOptions, Snapshot, Timestamp,
    Transaction,
    locks::{LockTable, Owner},
    pins::{Pin, Pins},
    transaction::{BufferedTransaction, Engine},
    writes::{Change, Write, Writes},
};
use async_trait::async_trait;
use braid_types::{Clock, Time};
use bytes::Bytes;
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How a [`Memory`] store behaves.
#[derive(Clone, Copy, Debug)]
pub struct MemorySettings {
    /// The largest transaction, and how many at once.
    pub limits: Limits,
    /// See [`Kv::max_snapshot_age`].
    pub max_snapshot_age: Duration,
    /// How many states may be pinned.
    pub pins: usize,
    /// See [`Kv::lanes`].
    pub lanes: u16,
}

impl Default for MemorySettings {
    fn default() -> Self {
        Self { limits: Limits::default(), max_snapshot_age: Duration::from_secs(600), pins: 1024, lanes: 4 }
    }
}

/// A store in memory. Clones share it.
#[derive(Clone, Debug)]
pub struct Memory(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    settings: MemorySettings,
    clock: Arc<dyn Clock>,
    data: Mutex<Data>,
    locks: LockTable,
    pins: Pins<()>,
    slots: Arc<Semaphore>,
}

#[derive(Debug, Default)]
struct Data {
    last: Timestamp,
    closed: bool,
    /// Versions of a key, oldest first.
    keys: BTreeMap<Bytes, Vec<(Timestamp, Change)>>,
}

impl Memory {
    /// An empty store.
    pub fn new(settings: MemorySettings, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            settings,
            clock,
            data: Mutex::default(),
            locks: LockTable::default(),
            pins: Pins::new(settings.pins, settings.max_snapshot_age),
            slots: Arc::new(Semaphore::new(settings.limits.transactions)),
        }))
    }
}

#[async_trait]
impl Kv for Memory {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError> {
        self.0.newest()
    }

    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        let newest = self.0.newest()?;
        if newest.timestamp() == timestamp {
            return Ok(newest);
        }
        let pin = self.0.pins.get(timestamp, self.0.clock.now());
        let pin = pin.ok_or(KvError::SnapshotExpired { timestamp })?;
        Ok(self.0.at(timestamp, pin.taken))
    }

    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError> {
        let limit = self.0.settings.limits.transactions;
        let slot = Arc::clone(&self.0.slots).try_acquire_owned().map_err(|_| KvError::Busy { limit })?;
        let state = self.0.newest()?;
        let owner = self.0.locks.owner();
        Ok(Box::new(BufferedTransaction::new(Arc::clone(&self.0), mode, state, owner, slot)))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        let mut data = self.0.open_data()?;
        data.keys.retain(|key, _| !range.contains(key));
        Ok(())
    }

    fn lanes(&self) -> u16 {
        self.0.settings.lanes
    }

    fn max_snapshot_age(&self) -> Duration {
        self.0.settings.max_snapshot_age
    }

    async fn close(&self) {
        self.0.data.lock().closed = true;
    }
}

impl Shared {
    fn open_data(&self) -> Result<parking_lot::MutexGuard<'_, Data>, KvError> {
        let data = self.data.lock();
        if data.closed { Err(KvError::Closed) } else { Ok(data) }
    }

    fn newest(self: &Arc<Self>) -> Result<Arc<dyn Snapshot>, KvError> {
        let last = self.open_data()?.last;
        Ok(self.at(last, self.clock.now()))
    }

    fn at(self: &Arc<Self>, timestamp: Timestamp, taken: Time) -> Arc<dyn Snapshot> {
        Arc::new(MemorySnapshot { store: Arc::clone(self), timestamp, taken })
    }

    fn apply(&self, writes: &Writes, owner: &Owner) -> Outcome {
        let mut data = match self.open_data() {
            Ok(data) => data,
            Err(closed) => return Outcome::Refused(closed),
        };
        if let Some(key) = self.locks.held_by_other(owner, writes.iter().map(|(key, _)| key)) {
            return Outcome::Conflict(Conflict { key: key.clone(), reason: ConflictReason::Held });
        }
        let conflict = writes.iter().find_map(|(key, write)| data.conflict(key, write));
        if let Some(conflict) = conflict {
            return Outcome::Conflict(conflict);
        }
        Outcome::Committed(data.append(writes))
    }
}

#[async_trait]
impl Engine for Shared {
    type Open = OwnedSemaphorePermit;

    fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    async fn settled(self: Arc<Self>, _key: &[u8]) -> Result<Arc<dyn Snapshot>, KvError> {
        self.newest()
    }

    async fn commit(&self, writes: Writes, owner: Owner, _open: Self::Open) -> Outcome {
        self.apply(&writes, &owner)
    }
}

impl Data {
    fn conflict(&self, key: &Bytes, write: &Write) -> Option<Conflict> {
        let versions = self.keys.get(key).map_or(&[][..], Vec::as_slice);
        let reason = if versions.last().is_some_and(|(timestamp, _)| *timestamp > write.since) {
            ConflictReason::Written
        } else if write.insert && visible(versions, self.last).is_some() {
            ConflictReason::Exists
        } else {
            return None;
        };
        Some(Conflict { key: key.clone(), reason })
    }

    fn append(&mut self, writes: &Writes) -> Timestamp {
        self.last = (u64::from(self.last) + 1).into();
        for (key, write) in writes.iter() {
            self.keys.entry(key.clone()).or_default().push((self.last, write.change.clone()));
        }
        self.last
    }
}

/// What a reader at `timestamp` sees of a key.
fn visible(versions: &[(Timestamp, Change)], timestamp: Timestamp) -> Option<&Bytes> {
    let seen = versions.iter().rev().filter(|(written, _)| *written <= timestamp);
    match seen.map(|(_, change)| change).find(|change| **change != Change::Lock) {
        Some(Change::Put(value)) => Some(value),
        _ => None,
    }
}

struct MemorySnapshot {
    store: Arc<Shared>,
    timestamp: Timestamp,
    taken: Time,
}

impl MemorySnapshot {
    fn data(&self) -> Result<parking_lot::MutexGuard<'_, Data>, KvError> {
        if self.store.pins.is_over(self.taken, self.store.clock.now()) {
            return Err(KvError::SnapshotExpired { timestamp: self.timestamp });
        }
        self.store.open_data()
    }
}

#[async_trait]
impl Snapshot for MemorySnapshot {
    fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let data = self.data()?;
        Ok(data.keys.get(key).and_then(|versions| visible(versions, self.timestamp)).cloned())
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        let data = self.data()?;
        let get = |key| data.keys.get(key).and_then(|versions| visible(versions, self.timestamp)).cloned();
        Ok(keys.iter().map(get).collect())
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        let data = self.data()?;
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = data.keys.range::<[u8], _>(range.bounds()).filter_map(|(key, versions)| {
            let value = visible(versions, self.timestamp)?;
            Some((key.clone(), if options.keys_only { Bytes::new() } else { value.clone() }))
        });
        if options.reverse {
            Ok(pairs.rev().take(options.limit).collect())
        } else {
            Ok(pairs.take(options.limit).collect())
        }
    }

    fn pin(&self) {
        self.store.pins.add(Pin { timestamp: self.timestamp, taken: self.taken, state: () });
    }
}

#[cfg(test)]
mod tests;
