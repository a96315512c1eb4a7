//! The range cache: ranges and metaranges from an object store, verified and kept in memory, whole and by block.

mod counters;
mod error;
mod flights;
mod key;
mod memory;
mod range_cache;
mod shelf;
mod source;
#[cfg(test)]
mod tests;

pub use counters::{CacheCounts, ShelfCounts};
pub use memory::{CacheOptions, RangeMemory};
pub use range_cache::RangeCache;
