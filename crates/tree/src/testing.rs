//! Stores for tests.

mod counting;
mod memory;

pub use counting::{CountingRangeStore, Counts};
pub use memory::MemoryRangeStore;
