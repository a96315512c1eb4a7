//! Stores for tests, and what must hold whatever bytes are read.

mod any_bytes;
mod counting;
mod memory;

pub use any_bytes::{any_metarange, any_value};
pub use counting::{CountingRangeStore, Counts};
pub use memory::MemoryRangeStore;
