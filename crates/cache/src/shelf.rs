//! One kind of files in memory: the least used ones go when there are too many bytes of them.

use std::sync::Arc;

use braid_tree::TreeError;
use moka::future::Cache;

use crate::counters::{Counters, ShelfCounts};

/// A file's storage namespace and id. Equal ids of two namespaces are equal files, but each has its own failures.
pub(crate) type Key = (Arc<str>, [u8; 32]);

/// Opened files, with at most one request under way for each.
#[derive(Debug)]
pub(crate) struct Shelf<V: Clone + Send + Sync + 'static> {
    files: Cache<Key, V>,
    pub(crate) counters: Counters,
}

impl<V: Clone + Send + Sync + 'static> Shelf<V> {
    /// A shelf for `capacity` bytes, of which each file takes what `weigh` says.
    pub(crate) fn new(capacity: u64, weigh: impl Fn(&V) -> usize + Send + Sync + 'static) -> Self {
        let weigher = move |_: &Key, file: &V| u32::try_from(weigh(file)).unwrap_or(u32::MAX);
        let files = Cache::builder().max_capacity(capacity).weigher(weigher).build();
        Self { files, counters: Counters::default() }
    }

    /// The file in memory, or what `fill` brings. Readers that come meanwhile wait for that one; a failure is theirs
    /// too, and is not kept.
    pub(crate) async fn get(
        &self,
        key: Key,
        fill: impl Future<Output = Result<V, TreeError>>,
    ) -> Result<V, TreeError> {
        let filled = self.files.entry(key).or_try_insert_with(fill).await;
        let entry = filled.map_err(|error: Arc<TreeError>| TreeError::clone(&error))?;
        self.counters.answered(entry.is_fresh());
        Ok(entry.into_value())
    }

    pub(crate) async fn insert(&self, key: Key, file: V) {
        self.files.insert(key, file).await;
    }

    /// Lets go what is over the capacity, which otherwise happens a little later.
    #[cfg(test)]
    pub(crate) async fn settle(&self) {
        self.files.run_pending_tasks().await;
    }

    pub(crate) fn counts(&self) -> ShelfCounts {
        self.counters.counts(self.files.weighted_size())
    }
}
