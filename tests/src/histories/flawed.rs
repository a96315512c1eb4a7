//! A store that leaves out one of the guards that transactions rely on: some history must then be impossible, or nothing
//! shows that the guard is needed.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_kv::{KeyRange, Kv, KvError, Mode, Outcome, ScanOptions, Snapshot, Timestamp, Transaction};
use bytes::Bytes;

/// What is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flaw {
    /// Writers pass the fence of a branch without leaving a trace.
    SharedFence,
    /// Sealers neither hold nor mark the fence.
    ExclusiveFence,
    /// What a transaction relies on but does not write is not locked.
    Locks,
    /// Answers of requests are not kept, so that a retry does the work again.
    RequestRecords,
    /// Of several heads that move in one transaction only the first does.
    WholeSets,
    /// What transactions that hold the fence stage is lost.
    StagedRows,
    /// That an import was done is not written down, so that it is done again.
    ImportRecords,
    /// Pages are read of the newest state, not of the one that their token names.
    PageStates,
}

/// A store with a flaw.
pub(super) struct FlawedKv {
    pub(super) inner: Arc<dyn Kv>,
    pub(super) flaw: Flaw,
}

struct FlawedTransaction {
    inner: Box<dyn Transaction>,
    flaw: Flaw,
    mode: Mode,
    /// It makes a commit.
    commits: bool,
    /// It has moved a head.
    moved: bool,
}

impl FlawedTransaction {
    /// Whether this transaction does not do what is asked of a key.
    fn leaves_out(&self, key: &[u8]) -> bool {
        match self.flaw {
            Flaw::SharedFence => self.mode == Mode::Optimistic && is_stripe(key),
            Flaw::ExclusiveFence => self.mode == Mode::Pessimistic && is_stripe(key),
            Flaw::RequestRecords => key.starts_with(b"q"),
            Flaw::WholeSets => self.commits && self.moved && key.starts_with(b"b"),
            Flaw::StagedRows => self.mode == Mode::Pessimistic && is_staged(key),
            Flaw::ImportRecords => self.mode == Mode::Pessimistic && key.starts_with(b"j"),
            Flaw::Locks | Flaw::PageStates => false,
        }
    }

    /// Commits come before the branches whose heads they are.
    fn note(&mut self, key: &[u8]) {
        self.commits |= key.starts_with(b"c");
        self.moved |= key.starts_with(b"b");
    }
}

/// `s | token | 0 | lane`
fn is_stripe(key: &[u8]) -> bool {
    key.first() == Some(&b's') && key.get(17) == Some(&0)
}

/// `s | token | 1 | path`
fn is_staged(key: &[u8]) -> bool {
    key.first() == Some(&b's') && key.get(17) == Some(&1)
}

#[async_trait]
impl Kv for FlawedKv {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError> {
        self.inner.snapshot().await
    }

    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        match self.flaw {
            Flaw::PageStates => self.inner.snapshot().await,
            _ => self.inner.snapshot_at(timestamp).await,
        }
    }

    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError> {
        let inner = self.inner.begin(mode).await?;
        Ok(Box::new(FlawedTransaction { inner, flaw: self.flaw, mode, commits: false, moved: false }))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        self.inner.destroy(range).await
    }

    fn lanes(&self) -> u16 {
        self.inner.lanes()
    }

    fn max_snapshot_age(&self) -> Duration {
        self.inner.max_snapshot_age()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Transaction for FlawedTransaction {
    fn timestamp(&self) -> Timestamp {
        self.inner.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        self.inner.get_many(keys).await
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.inner.scan(range, options).await
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        if !self.leaves_out(&key) {
            self.note(&key);
            self.inner.put(key, value);
        }
    }

    fn delete(&mut self, key: Bytes) {
        self.inner.delete(key);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        self.inner.insert(key, value);
    }

    fn lock(&mut self, key: Bytes) {
        if self.flaw != Flaw::Locks {
            self.inner.lock(key);
        }
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        if is_stripe(key) && self.leaves_out(key) {
            return self.inner.get(key).await;
        }
        self.inner.lock_for_update(key, wait).await
    }

    async fn commit(self: Box<Self>) -> Outcome {
        self.inner.commit().await
    }
}
