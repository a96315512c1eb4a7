//! The keys that a transaction holds before its commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use tokio::time::Instant;

use super::heart::Heart;
use super::rollback;
use crate::Timestamp;
use crate::core::Core;

/// Keys held, and a heart that keeps them.
#[derive(Debug)]
pub(super) struct Holding {
    core: Arc<Core>,
    primary: Bytes,
    start: Timestamp,
    /// Each key, and whether it has a value.
    keys: BTreeMap<Bytes, bool>,
    /// The last timestamp at which a key was locked.
    for_update: Timestamp,
    _heart: Heart,
}

impl Holding {
    /// Of a transaction that holds its first key.
    pub(super) fn begin(core: Arc<Core>, primary: Bytes, start: Timestamp, begun: Instant) -> Self {
        let heart = Heart::start(Arc::clone(&core), primary.clone(), start, begun);
        Self { core, primary, start, keys: BTreeMap::new(), for_update: start, _heart: heart }
    }

    pub(super) fn add(&mut self, key: Bytes, exists: bool, for_update: Timestamp) {
        self.keys.insert(key, exists);
        self.for_update = self.for_update.max(for_update);
    }

    /// The key that decides about the transaction.
    pub(super) fn primary(&self) -> &Bytes {
        &self.primary
    }

    pub(super) fn for_update(&self) -> Timestamp {
        self.for_update
    }

    pub(super) fn has(&self, key: &Bytes) -> bool {
        self.keys.contains_key(key)
    }

    /// Whether a key that is held has a value.
    pub(super) fn exists(&self, key: &Bytes) -> Option<bool> {
        self.keys.get(key).copied()
    }

    /// The keys held.
    pub(super) fn keys(&self) -> impl Iterator<Item = &Bytes> {
        self.keys.keys()
    }

    /// Gives the keys back; what cannot be reached is free when its time is over.
    pub(super) async fn release(self) {
        let keys = self.keys.keys().cloned().collect();
        rollback::release(&self.core, self.start, self.for_update, keys).await;
    }
}
