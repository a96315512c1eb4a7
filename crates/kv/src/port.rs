//! The port: an ordered, transactional, multi-version key-value store.
//!
//! Every backend keeps these rules, and `conformance` checks them:
//!
//! 1. **Snapshot isolation, exactly.** A transaction reads one state, that of [`Transaction::timestamp`], under its own
//!    writes. It commits only if nobody has written or locked, since then, a key that it writes or locks. Keys that it
//!    only read are not checked, so write skew is possible: whatever a decision relies on must be written or
//!    [locked](Transaction::lock).
//! 2. **All or nothing.** A reader sees all writes of a transaction or none.
//! 3. **Acknowledged is durable and visible.** After [`Outcome::Committed`], every later snapshot sees the writes, and
//!    they survive a crash.
//! 4. **Timestamps only grow**, also over restarts: of two transactions, one that began after the other was
//!    acknowledged has the greater commit timestamp. Equal timestamps name equal states.
//! 5. **Every failed write says whether it may have happened**: only [`Outcome::Unknown`] may have.
//! 6. **Pessimistic locks exclude.** While a transaction holds a key for update, no other one commits a write or a lock
//!    of that key: it waits, or conflicts.

use crate::{KeyRange, KvError};
use async_trait::async_trait;
use bytes::Bytes;
use std::{fmt, sync::Arc, time::Duration};

/// The name of one state of the store: ordered, otherwise opaque. It fits in page tokens as a `u64`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl From<u64> for Timestamp {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<Timestamp> for u64 {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// How a scan walks its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    /// At most so many pairs are returned; fewer only where the range ends.
    pub limit: usize,
    /// From the greatest key down.
    pub reverse: bool,
    /// Return empty values.
    pub keys_only: bool,
}

impl ScanOptions {
    /// The first `limit` pairs, in ascending order, with values.
    pub fn first(limit: usize) -> Self {
        Self { limit, reverse: false, keys_only: false }
    }

    /// The last `limit` pairs, in descending order, with values.
    pub fn last(limit: usize) -> Self {
        Self { limit, reverse: true, keys_only: false }
    }

    /// The same without values.
    #[must_use]
    pub fn keys_only(self) -> Self {
        Self { keys_only: true, ..self }
    }
}

/// When a transaction finds out that it is not alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// At commit.
    Optimistic,
    /// At [`Transaction::lock_for_update`], by waiting. Keys not locked that way are checked at commit.
    Pessimistic,
}

/// A store. Cheap to share as `Arc<dyn Kv>`.
#[async_trait]
pub trait Kv: Send + Sync + 'static {
    /// The newest state: it has everything that was acknowledged before the call.
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError>;

    /// The state that [`Snapshot::timestamp`] named before, while it is [pinned](Snapshot::pin) and not older than
    /// [`max_snapshot_age`](Kv::max_snapshot_age); afterwards [`KvError::SnapshotExpired`].
    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError>;

    /// Begins a transaction on the newest state.
    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError>;

    /// Removes every key of the range, outside transactions and history. The caller guarantees that nobody reads or
    /// writes the range any more: old snapshots may or may not still see it. May be repeated, and must be after an
    /// error.
    async fn destroy(&self, range: KeyRange) -> Result<(), KvError>;

    /// Lets the store forget what no state needs that is younger than its retention, which is longer than
    /// [`max_snapshot_age`](Kv::max_snapshot_age). Every lock that a dead transaction left behind before then is resolved
    /// first. May be called by several processes at once. A store that forgets by itself does nothing.
    async fn collect_garbage(&self) -> Result<(), KvError> {
        Ok(())
    }

    /// How many lanes a new [`Fence`](crate::Fence) should have on this store.
    fn lanes(&self) -> u16;

    /// How long a snapshot can be read after it was taken.
    fn max_snapshot_age(&self) -> Duration;

    /// Lets commits that were handed in finish, then stops. Later calls give [`KvError::Closed`].
    async fn close(&self);
}

/// One state of the store; it never changes.
///
/// Reads give [`KvError::SnapshotExpired`] once the snapshot is older than [`Kv::max_snapshot_age`].
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// The name of this state.
    fn timestamp(&self) -> Timestamp;

    /// The value of a key.
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError>;

    /// The values of many keys, in the order of the keys.
    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError>;

    /// Keys and values of a range, in order.
    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError>;

    /// Keeps this state reachable by [`Kv::snapshot_at`] until it is [`Kv::max_snapshot_age`] old. A store holds a
    /// bounded number of pins and drops the oldest first.
    fn pin(&self);
}

/// Reads at one state under its own writes; the writes happen at [`commit`](Transaction::commit), together.
///
/// Dropping a transaction rolls it back and frees its locks. A later write to a key replaces an earlier one, but the
/// demands add up: a key once [inserted](Transaction::insert) must still be absent, whatever is written after.
#[async_trait]
pub trait Transaction: Send + Sync {
    /// The state that is read. It moves at [`lock_for_update`](Transaction::lock_for_update) only.
    fn timestamp(&self) -> Timestamp;

    /// The value of a key: what this transaction wrote, or else the state's.
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError>;

    /// The values of many keys, in the order of the keys.
    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError>;

    /// Keys and values of a range in order, with this transaction's own writes in place.
    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError>;

    /// Writes a value.
    fn put(&mut self, key: Bytes, value: Bytes);

    /// Removes a key.
    fn delete(&mut self, key: Bytes);

    /// Writes a value under a key that must not exist: the commit conflicts ([`ConflictReason::Exists`]) if it does.
    fn insert(&mut self, key: Bytes, value: Bytes);

    /// Relies on a key without writing it: the commit conflicts if anyone wrote or locked it since
    /// [`timestamp`](Transaction::timestamp), and leaves a mark, so that a concurrent writer of the key that began
    /// earlier conflicts too. Two transactions that lock one key conflict with each other. A key that is also written
    /// needs no lock.
    fn lock(&mut self, key: Bytes);

    /// Holds a key until the transaction ends and returns its newest committed value; moves
    /// [`timestamp`](Transaction::timestamp) to now, so that everything read from here on is read as of now. What was
    /// read before must be read again; what was written before is still checked as of when it was written.
    ///
    /// The lock ends with the transaction and leaves no mark to count on: a key that others must not have written from an
    /// older state has to be put or [locked](Transaction::lock) as well.
    ///
    /// # Errors
    /// [`KvError::LockTimeout`] when others held the key for `wait`, [`KvError::Deadlock`] when waiting would never
    /// end. The transaction and its earlier locks stay usable after both.
    ///
    /// # Panics
    /// In an optimistic transaction.
    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError>;

    /// Does the writes, together. Once this future has been polled the commit runs on to its end, even if the
    /// future is dropped. A transaction that neither writes nor locks commits at once, at its own timestamp.
    async fn commit(self: Box<Self>) -> Outcome;
}

/// How a commit ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "only `Committed` means that the writes were done"]
pub enum Outcome {
    /// The writes are durable, and visible from this timestamp on.
    Committed(Timestamp),
    /// Nothing happened: another transaction was there first. A new transaction may succeed.
    Conflict(Conflict),
    /// Nothing happened, and not because of another transaction: a limit, a closed store, a failed disk.
    Refused(KvError),
    /// The writes may have happened, may still happen, or never will; the text says what was met.
    Unknown(String),
}

impl Outcome {
    /// Whether the writes may be there, now or later.
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Committed(_) | Self::Unknown(_))
    }
}

/// Where and why two transactions met.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key '{}' {reason}", key.escape_ascii())]
pub struct Conflict {
    /// One of the keys concerned.
    pub key: Bytes,
    /// What stood in the way.
    pub reason: ConflictReason,
}

/// What stands in the way of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictReason {
    /// Someone wrote or locked the key since this transaction read. Where a store keeps marks longer than it must, also:
    /// someone held the key, or failed to write it.
    Written,
    /// The key was to be inserted and exists.
    Exists,
    /// A pessimistic transaction holds the key.
    Held,
}

impl fmt::Display for ConflictReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Written => "was written by another transaction",
            Self::Exists => "exists already",
            Self::Held => "is held by another transaction",
        })
    }
}
