//! Transactions: reads at one timestamp under buffered writes, and a commit that ends in one of three ways.

mod buffer;
mod committer;
mod finish;
mod heart;
mod hold;
mod holding;
mod prewrite;
mod rollback;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use self::buffer::{Buffer, Change};
use self::committer::Committer;
use self::holding::Holding;
use crate::core::Core;
use crate::outcome::{Conflict, ConflictReason, Outcome};
use crate::range::{KeyRange, ScanOptions};
use crate::snapshot::Snapshot;
use crate::{Error, Timestamp};

/// When a transaction finds out that it is not alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At commit.
    Optimistic,
    /// At [`Transaction::lock_for_update`], by waiting. Keys not locked that way are checked at commit.
    Pessimistic,
}

/// Reads at one timestamp, under its own writes; the writes happen at [`commit`](Transaction::commit), together.
///
/// Dropping a transaction rolls it back. A later write to a key replaces an earlier one, but the demands add up: a key once
/// [inserted](Transaction::insert) must still be absent, whatever is written after.
#[derive(Debug)]
pub struct Transaction {
    core: Arc<Core>,
    mode: Mode,
    start: Timestamp,
    begun: Instant,
    reads_at: Timestamp,
    buffer: Buffer,
    holding: Option<Holding>,
    /// A write found too late to be possible; the commit will say so.
    doomed: Option<Conflict>,
}

impl Transaction {
    /// `begun` is no later than when `start` was given.
    pub(crate) fn new(core: Arc<Core>, mode: Mode, start: Timestamp, begun: Instant) -> Self {
        let buffer = Buffer::default();
        Self { core, mode, start, begun, reads_at: start, buffer, holding: None, doomed: None }
    }

    /// Names the transaction: the timestamp at which it began.
    pub fn start(&self) -> Timestamp {
        self.start
    }

    /// What is read now is the state at this timestamp. It moves at [`lock_for_update`](Self::lock_for_update) only.
    pub fn timestamp(&self) -> Timestamp {
        self.reads_at
    }

    /// The value of a key: what this transaction wrote, or else the state's.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Error> {
        match self.buffer.get(key) {
            Some(own) => Ok(own),
            None => self.state().get(key).await,
        }
    }

    /// The values of many keys, in the order of the keys.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn batch_get(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, Error> {
        let foreign = keys.iter().filter(|key| self.buffer.get(key).is_none());
        let foreign: Vec<Bytes> = foreign.cloned().collect();
        let mut below = self.state().batch_get(&foreign).await?.into_iter();
        let value = |key: &Bytes| self.buffer.get(key).unwrap_or_else(|| below.next().flatten());
        Ok(keys.iter().map(value).collect())
    }

    /// Keys and values of a range in order, with this transaction's own writes in place.
    ///
    /// # Errors
    /// Those of the client.
    pub async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, Error> {
        let wanted = ScanOptions { limit: self.buffer.limit_below(range, options), ..options };
        let below = self.state().scan(range, wanted).await?;
        Ok(self.buffer.merge(range, options, below))
    }

    fn state(&self) -> Snapshot {
        Snapshot::new(Arc::clone(&self.core), self.reads_at)
    }

    /// Writes a value.
    pub fn put(&mut self, key: Bytes, value: Bytes) {
        self.buffer.record(key, Change::Put(value), false, self.reads_at);
    }

    /// Removes a key.
    pub fn delete(&mut self, key: Bytes) {
        self.buffer.record(key, Change::Delete, false, self.reads_at);
    }

    /// Writes a value under a key that must not exist: the commit conflicts if it does.
    pub fn insert(&mut self, key: Bytes, value: Bytes) {
        self.buffer.record(key, Change::Put(value), true, self.reads_at);
    }

    /// Relies on a key without writing it: the commit conflicts if anyone wrote or locked it since
    /// [`timestamp`](Self::timestamp), and leaves a mark, so that a concurrent writer that began earlier conflicts too.
    pub fn lock(&mut self, key: Bytes) {
        self.buffer.record(key, Change::Lock, false, self.reads_at);
    }

    /// Holds a key until the transaction ends and returns its newest committed value; moves
    /// [`timestamp`](Self::timestamp) to now. What was written before is still checked as of when it was written.
    ///
    /// The first key held decides about the transaction: it is locked as by [`lock`](Self::lock) at commit, if nothing else
    /// is written to it.
    ///
    /// # Errors
    /// [`Error::Locked`] when others held the key for `wait`, [`Error::Deadlock`] when waiting would never end; the
    /// transaction and its earlier locks stay usable after both.
    ///
    /// # Panics
    /// In an optimistic transaction.
    pub async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, Error> {
        assert_eq!(self.mode, Mode::Pessimistic, "only a pessimistic transaction locks for update");
        self.core.check_open()?;
        let name = Bytes::copy_from_slice(key);
        let key = self.core.keyspace.enter(&name);
        let holder = hold::Holder { core: &self.core, start: self.start, begun: self.begun };
        let written =
            self.buffer.since(&name).filter(|_| !self.holding.as_ref().is_some_and(|held| held.has(&key)));
        let primary = self.holding.as_ref().map_or(&key, Holding::primary);
        let held = holder.hold(primary, &key, written, wait).await?;
        if held.written_since {
            self.doomed.get_or_insert(Conflict { key: name, reason: ConflictReason::Written });
        }
        let holding = self.holding.get_or_insert_with(|| {
            Holding::begin(Arc::clone(&self.core), key.clone(), self.start, self.begun)
        });
        holding.add(key, held.value.is_some(), held.at);
        self.reads_at = held.at;
        Ok(held.value)
    }

    /// Does the writes, together. Once this future has been polled the commit runs on to its end, even if the future is
    /// dropped. A transaction that neither writes nor locks is committed at once, at its own timestamp.
    pub async fn commit(mut self) -> Outcome {
        let mutations = self.buffer.len() as u64;
        let outcome = self.hand_over().await;
        let word = outcome.word();
        if let Outcome::Committed(_) = outcome {
            metrics::counter!(crate::meters::MUTATIONS).increment(mutations);
        }
        metrics::counter!(crate::meters::COMMITS, "outcome" => word).increment(1);
        outcome
    }

    async fn hand_over(&mut self) -> Outcome {
        if let Err(closed) = self.core.check_open() {
            return Outcome::Refused(closed);
        }
        if let Some(doomed) = self.doomed.take() {
            return Outcome::Conflict(doomed);
        }
        if self.buffer.is_empty() {
            return Outcome::Committed(self.reads_at);
        }
        if let Err(refused) = self.buffer.check(&self.core.settings.limits) {
            return Outcome::Refused(refused);
        }
        let (core, buffer) = (Arc::clone(&self.core), std::mem::take(&mut self.buffer));
        let committer = Committer::new(core, self.start, self.begun, buffer, self.holding.take());
        let committing = self.core.tasks.spawn(committer.run());
        committing
            .await
            .unwrap_or_else(|error| Outcome::Unknown(format!("the commit was broken off: {error}")))
    }

    /// Gives everything up, and the locks back. Dropping does the same, without waiting for it.
    pub async fn rollback(mut self) {
        if let Some(holding) = self.holding.take() {
            holding.release().await;
        }
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(holding) = self.holding.take() {
            self.core.tasks.spawn_on(holding.release(), &self.core.runtime);
        }
    }
}
