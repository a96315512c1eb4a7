//! What the callers and the writer share: the newest view, the history, the locks, the pins.

use super::{
    EmbeddedSettings,
    history::History,
    view::{EmbeddedSnapshot, View},
};
use crate::{
    Conflict, ConflictReason, KvError, Limits, Snapshot, Timestamp,
    locks::{LockTable, Owner},
    pins::{Pin, Pins},
    writes::Writes,
};
use braid_types::{Clock, Time};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

pub(super) struct Shared {
    settings: EmbeddedSettings,
    clock: Arc<dyn Clock>,
    /// Nothing is to begin any more. Beside the state, so that reads take no lock.
    closed: AtomicBool,
    state: Mutex<State>,
    /// Changes whenever commits under way have ended, well or not.
    ended: watch::Sender<()>,
    locks: LockTable,
    pins: Pins<Pinned>,
    length: Length,
    slots: Arc<Semaphore>,
}

/// Gives the file's length in bytes; 0 if it is not known.
pub(super) type Length = Box<dyn Fn() -> u64 + Send + Sync>;

/// A pinned state, and how long the file was then.
#[derive(Clone)]
struct Pinned {
    view: Arc<View>,
    length: u64,
}

struct State {
    /// The write that failed; what was committed before it can be read.
    halted: Option<String>,
    /// The newest state; an error when commits were acknowledged that cannot be read.
    view: Result<Arc<View>, KvError>,
    history: History,
}

/// An open transaction's part in the history, until dropped.
pub(super) struct Open {
    shared: Arc<Shared>,
    at: Timestamp,
    _slot: OwnedSemaphorePermit,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.shared.state.lock().history.close(self.at);
    }
}

impl Shared {
    pub(super) fn new(
        settings: EmbeddedSettings,
        clock: Arc<dyn Clock>,
        view: Arc<View>,
        length: Length,
    ) -> Self {
        let history = History::new(view.timestamp());
        Self {
            settings,
            clock,
            closed: AtomicBool::new(false),
            state: Mutex::new(State { halted: None, view: Ok(view), history }),
            ended: watch::Sender::new(()),
            locks: LockTable::default(),
            pins: Pins::new(settings.pins, settings.max_snapshot_age),
            length,
            slots: Arc::new(Semaphore::new(settings.limits.transactions)),
        }
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    pub(super) fn max_snapshot_age(&self) -> Duration {
        self.settings.max_snapshot_age
    }

    pub(super) fn locks(&self) -> &LockTable {
        &self.locks
    }

    /// The newest state.
    pub(super) fn newest(self: &Arc<Self>) -> Result<Arc<dyn Snapshot>, KvError> {
        self.not_closed()?;
        let view = self.state.lock().view.clone()?;
        Ok(self.snapshot(view, self.clock.now()))
    }

    /// The state of that timestamp, if it is the newest or pinned.
    pub(super) fn at(self: &Arc<Self>, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        let newest = self.newest()?;
        if newest.timestamp() == timestamp {
            return Ok(newest);
        }
        let pin = self.pins.get(timestamp, self.clock.now()).ok_or(KvError::SnapshotExpired { timestamp })?;
        Ok(self.snapshot(pin.state.view, pin.taken))
    }

    /// Begins a transaction on the newest state.
    pub(super) fn open(self: &Arc<Self>) -> Result<(Arc<dyn Snapshot>, Open), KvError> {
        let limit = self.settings.limits.transactions;
        let slot = Arc::clone(&self.slots).try_acquire_owned().map_err(|_| KvError::Busy { limit })?;
        let view = {
            self.not_closed()?;
            let mut state = self.state.lock();
            state.not_halted()?;
            let view = state.view.clone()?;
            state.history.open(view.timestamp());
            view
        };
        let open = Open { shared: Arc::clone(self), at: view.timestamp(), _slot: slot };
        Ok((self.snapshot(view, self.clock.now()), open))
    }

    /// The newest state, once no commit of the key is under way.
    pub(super) async fn settled(self: &Arc<Self>, key: &[u8]) -> Result<Arc<dyn Snapshot>, KvError> {
        let mut ended = self.ended.subscribe();
        loop {
            self.writable()?;
            if !self.state.lock().history.is_under_way(key) {
                return self.newest();
            }
            ended.changed().await.expect("the sender is in `self`");
        }
    }

    /// Checks a commit and gives it its timestamp. The locks are looked at within the same critical section: whoever
    /// takes a lock afterwards finds this commit under way, and waits for it.
    pub(super) fn admit(&self, writes: &Writes, owner: &Owner) -> Result<Timestamp, Conflict> {
        let mut state = self.state.lock();
        if let Some(conflict) = state.history.conflict(writes) {
            return Err(conflict);
        }
        if let Some(key) = self.locks.held_by_other(owner, writes.iter().map(|(key, _)| key)) {
            return Err(Conflict { key: key.clone(), reason: ConflictReason::Held });
        }
        Ok(state.history.give(writes))
    }

    /// The greatest timestamp given to a commit.
    pub(super) fn given(&self) -> Timestamp {
        self.state.lock().history.given()
    }

    /// Everything admitted is durable; `view` shows it.
    pub(super) fn publish(&self, view: Result<Arc<View>, KvError>) {
        {
            let mut state = self.state.lock();
            if let Err(error) = &view {
                state.halted = Some(error.to_string());
            }
            // The old view ends after the lock is free: ending it is redb's work.
            let _old = std::mem::replace(&mut state.view, view);
            state.history.apply();
            drop(state);
        }
        self.let_go_of_pins();
        self.ended.send_replace(());
    }

    /// Pages that a pinned state reads are not used again, nor is any page that became free since: the file grows.
    fn let_go_of_pins(&self) {
        self.pins.expire(self.clock.now());
        let (length, growth) = ((self.length)(), self.settings.pinned_growth);
        self.pins.let_go_while(|pin| length - length.min(pin.length) > growth.max(pin.length));
    }

    /// A write failed.
    pub(super) fn halt(&self, cause: String) {
        tracing::error!(cause, "the embedded store takes no more writes until it is opened again");
        self.state.lock().halted = Some(cause);
        self.ended.send_replace(());
    }

    /// Refuses what begins from here on.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }

    /// Whether a view taken then may still be read.
    pub(super) fn readable(&self, timestamp: Timestamp, taken: Time) -> Result<(), KvError> {
        if self.pins.is_over(taken, self.clock.now()) {
            return Err(KvError::SnapshotExpired { timestamp });
        }
        self.not_closed()
    }

    /// Whether writes are taken.
    pub(super) fn writable(&self) -> Result<(), KvError> {
        self.not_closed()?;
        self.not_halted()
    }

    /// Whether no write has failed.
    pub(super) fn not_halted(&self) -> Result<(), KvError> {
        self.state.lock().not_halted()
    }

    fn not_closed(&self) -> Result<(), KvError> {
        if self.closed.load(Ordering::Acquire) { Err(KvError::Closed) } else { Ok(()) }
    }

    pub(super) fn pin(&self, view: &Arc<View>, taken: Time) {
        let state = Pinned { view: Arc::clone(view), length: (self.length)() };
        self.pins.add(Pin { timestamp: view.timestamp(), taken, state });
    }

    #[cfg(test)]
    pub(super) fn file_length(&self) -> u64 {
        (self.length)()
    }

    #[cfg(test)]
    pub(super) fn pinned(&self) -> usize {
        self.pins.len()
    }

    fn snapshot(self: &Arc<Self>, view: Arc<View>, taken: Time) -> Arc<dyn Snapshot> {
        Arc::new(EmbeddedSnapshot { shared: Arc::clone(self), view, taken })
    }
}

impl State {
    fn not_halted(&self) -> Result<(), KvError> {
        match &self.halted {
            None => Ok(()),
            Some(cause) => Err(KvError::Halted { cause: cause.clone() }),
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}
