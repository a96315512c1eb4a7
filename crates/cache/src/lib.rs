//! The range cache: ranges and metaranges from an object store, verified and kept in memory.

mod counters;
mod error;
mod memory;
mod range_cache;
mod shelf;
#[cfg(test)]
mod tests;

pub use counters::{CacheCounts, ShelfCounts};
pub use memory::{CacheOptions, RangeMemory};
pub use range_cache::RangeCache;
