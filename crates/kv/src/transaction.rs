//! The part of a transaction that does not depend on the backend: its writes, its locks, and the state it reads.

use crate::{
    KeyRange, KvError, Limits, Mode, Outcome, ScanOptions, Snapshot, Timestamp, Transaction,
    locks::Owner,
    writes::{Change, Writes},
};
use async_trait::async_trait;
use bytes::Bytes;
use std::{sync::Arc, time::Duration};

/// Counts the keys that commits wrote or locked.
const MUTATIONS: &str = "kv_mutations_total";

/// What a backend does for its transactions.
#[async_trait]
pub(crate) trait Engine: Send + Sync + 'static {
    /// What the backend keeps for a transaction from its beginning until its commit was decided.
    type Open: Send + Sync + 'static;

    /// The largest transaction accepted.
    fn limits(&self) -> &Limits;

    /// The newest state once every commit of `key` under way has ended. The caller holds the key.
    async fn settled(self: Arc<Self>, key: &[u8]) -> Result<Arc<dyn Snapshot>, KvError>;

    /// Does the writes if nobody was in the way, then drops `owner` and `open`. Runs on when dropped after its first
    /// poll.
    async fn commit(&self, writes: Writes, owner: Owner, open: Self::Open) -> Outcome;
}

/// A transaction of a backend whose lock table is in this process.
pub(crate) struct BufferedTransaction<E: Engine> {
    engine: Arc<E>,
    mode: Mode,
    state: Arc<dyn Snapshot>,
    writes: Writes,
    owner: Owner,
    open: E::Open,
}

impl<E: Engine> BufferedTransaction<E> {
    pub(crate) fn new(
        engine: Arc<E>,
        mode: Mode,
        state: Arc<dyn Snapshot>,
        owner: Owner,
        open: E::Open,
    ) -> Self {
        Self { engine, mode, state, writes: Writes::default(), owner, open }
    }

    fn record(&mut self, key: Bytes, change: Change, insert: bool) {
        self.writes.record(key, change, insert, self.state.timestamp());
    }
}

#[async_trait]
impl<E: Engine> Transaction for BufferedTransaction<E> {
    fn timestamp(&self) -> Timestamp {
        self.state.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        match self.writes.get(key) {
            Some(own) => Ok(own),
            None => self.state.get(key).await,
        }
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        let mut values = self.state.get_many(keys).await?;
        for (key, value) in keys.iter().zip(&mut values) {
            if let Some(own) = self.writes.get(key) {
                *value = own;
            }
        }
        Ok(values)
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        let wanted = ScanOptions { limit: self.writes.limit_below(range, options), ..options };
        let below = self.state.scan(range, wanted).await?;
        Ok(self.writes.merge(range, options, below))
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        self.record(key, Change::Put(value), false);
    }

    fn delete(&mut self, key: Bytes) {
        self.record(key, Change::Delete, false);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        self.record(key, Change::Put(value), true);
    }

    fn lock(&mut self, key: Bytes) {
        self.record(key, Change::Lock, false);
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        assert_eq!(self.mode, Mode::Pessimistic, "only a pessimistic transaction locks for update");
        self.owner.hold(key, wait).await?;
        self.state = Arc::clone(&self.engine).settled(key).await?;
        self.state.get(key).await
    }

    async fn commit(self: Box<Self>) -> Outcome {
        let Self { engine, state, writes, owner, open, .. } = *self;
        if writes.is_empty() {
            return Outcome::Committed(state.timestamp());
        }
        if let Err(refused) = writes.check(engine.limits()) {
            return Outcome::Refused(refused);
        }
        let mutations = writes.iter().count() as u64;
        let outcome = engine.commit(writes, owner, open).await;
        if let Outcome::Committed(_) = outcome {
            metrics::counter!(MUTATIONS).increment(mutations);
        }
        outcome
    }
}
