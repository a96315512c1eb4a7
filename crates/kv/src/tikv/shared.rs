//! What a store, its snapshots and its transactions share.

use super::{
    age::{Age, Ages},
    convert,
    keys::Keys,
};
use crate::{KeyRange, KvError, Limits};
use braid_tikv::{Client, Timestamp};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Mutex, OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

/// Transactions younger than this are left alone when locks are cleared away; the client lets none live longer.
const LIVING: Duration = Duration::from_secs(120);

/// For how long cleared locks count as cleared: many ranges are destroyed one after another.
const CLEARED: Duration = Duration::from_secs(60);

/// The inside of a store.
pub(super) struct Shared {
    pub(super) client: Client,
    pub(super) keys: Keys,
    pub(super) ages: Ages,
    limits: Limits,
    slots: Arc<Semaphore>,
    closed: AtomicBool,
    /// When all locks of transactions that had ended by then were cleared away.
    cleared: Mutex<Option<Instant>>,
}

impl Shared {
    pub(super) fn new(client: Client, keys: Keys, ages: Ages, limits: Limits) -> Self {
        let slots = Arc::new(Semaphore::new(limits.transactions));
        Self { client, keys, ages, limits, slots, closed: AtomicBool::new(false), cleared: Mutex::default() }
    }

    pub(super) fn failed(&self, error: braid_tikv::Error) -> KvError {
        convert::error(error, &self.keys)
    }

    pub(super) fn not_closed(&self) -> Result<(), KvError> {
        if self.closed.load(Ordering::Acquire) { Err(KvError::Closed) } else { Ok(()) }
    }

    /// Lets commits under way finish, and nothing else begin.
    pub(super) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.client.close().await;
    }

    /// A place for one more transaction.
    pub(super) fn slot(&self) -> Result<OwnedSemaphorePermit, KvError> {
        let limit = self.limits.transactions;
        Arc::clone(&self.slots).try_acquire_owned().map_err(|_| KvError::Busy { limit })
    }

    /// A timestamp of now, and its age.
    pub(super) async fn now(&self) -> Result<(Timestamp, Age), KvError> {
        let age = self.ages.young();
        let timestamp = self.client.timestamp().await.map_err(|error| self.failed(error))?;
        self.ages.note(timestamp, age);
        Ok((timestamp, age))
    }

    /// The age of a state of which only the timestamp is known.
    pub(super) async fn age_of(&self, timestamp: Timestamp) -> Result<Age, KvError> {
        let mut age = self.ages.of(timestamp);
        if age.is_none() {
            // Given by the cluster to another process, perhaps.
            self.now().await?;
            age = self.ages.of(timestamp);
        }
        let age = age.ok_or(KvError::SnapshotExpired { timestamp: u64::from(timestamp).into() })?;
        self.ages.check(timestamp, age).map(|()| age)
    }

    /// Ends every transaction that died with locks behind it. One of them may have its decisive key in a range that is to
    /// be destroyed and others elsewhere: destroyed first, these would be rolled back although it had committed.
    pub(super) async fn clear_locks(&self) -> Result<(), KvError> {
        let mut cleared = self.cleared.lock().await;
        if cleared.is_some_and(|at| at.elapsed() < CLEARED) {
            return Ok(());
        }
        let begun = Instant::now();
        let (now, _) = self.now().await?;
        // Other users of the cluster may let their transactions live longer.
        let ours = self.keys.enter_range(&KeyRange::all());
        let resolved = self.client.resolve_locks_in(&ours, now.before(LIVING)).await;
        resolved.map_err(|error| self.failed(error))?;
        *cleared = Some(begun);
        Ok(())
    }
}
