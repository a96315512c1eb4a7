//! One kind of things in memory: the least used ones go when there are too many bytes of them.

use std::hash::Hash;

use braid_tree::TreeError;
use moka::sync::Cache;

use crate::counters::{Counters, ShelfCounts};
use crate::flights::Flights;

/// Things by key, with at most one read under way for each.
pub(crate) struct Shelf<K, V> {
    kept: Cache<K, V>,
    flights: Flights<K, V>,
    pub(crate) counters: Counters,
}

impl<K, V> Shelf<K, V>
where
    K: Hash + Eq + Copy + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A shelf for `capacity` bytes, of which each thing takes what `weigh` says.
    pub(crate) fn new(capacity: u64, weigh: impl Fn(&V) -> usize + Send + Sync + 'static) -> Self {
        let weigher = move |_: &K, thing: &V| u32::try_from(weigh(thing)).unwrap_or(u32::MAX);
        let kept = Cache::builder().max_capacity(capacity).weigher(weigher).build();
        Self { kept, flights: Flights::new(), counters: Counters::default() }
    }

    /// What is in memory.
    #[inline]
    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.kept.get(key)
    }

    /// What is in memory, which counts as answered from there.
    #[inline]
    pub(crate) fn hit(&self, key: &K) -> Option<V> {
        let kept = self.kept.get(key)?;
        self.counters.answered(1, false);
        Some(kept)
    }

    /// What `fill` brings, or what another's brings that is under way; it is kept.
    pub(crate) async fn fill(
        &self,
        key: K,
        fill: impl Future<Output = Result<V, TreeError>> + Send + 'static,
    ) -> Result<V, TreeError> {
        let kept = self.kept.clone();
        let work = async move {
            // One that was under way may have ended since its caller looked.
            if let Some(thing) = kept.get(&key) {
                return Ok(thing);
            }
            let thing = fill.await?;
            kept.insert(key, thing.clone());
            Ok(thing)
        };
        let (filled, is_new) = self.flights.join(key, work).await;
        let thing = filled?;
        self.counters.answered(1, is_new);
        Ok(thing)
    }

    pub(crate) fn insert(&self, key: K, thing: V) {
        self.kept.insert(key, thing);
    }

    /// Lets go what is over the capacity, which otherwise happens a little later.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        self.kept.run_pending_tasks();
    }

    pub(crate) fn counts(&self) -> ShelfCounts {
        self.counters.counts(self.kept.weighted_size())
    }
}
