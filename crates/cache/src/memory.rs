//! The memory that the caches of all storage namespaces share.

use std::sync::Arc;

use braid_tree::{Metarange, Table};

use crate::CacheCounts;
use crate::shelf::Shelf;

/// How much memory is used. Ranges and metaranges do not push each other out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// Bytes of ranges that are kept.
    pub range_bytes: u64,
    /// Bytes of metaranges that are kept.
    pub metarange_bytes: u64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self { range_bytes: 512 << 20, metarange_bytes: 128 << 20 }
    }
}

/// Ranges and metaranges in memory, of any number of storage namespaces.
#[derive(Debug)]
pub struct RangeMemory {
    pub(crate) ranges: Shelf<Table>,
    pub(crate) metaranges: Shelf<Arc<Metarange>>,
}

impl RangeMemory {
    /// Empty memory.
    pub fn new(options: CacheOptions) -> Self {
        Self {
            ranges: Shelf::new(options.range_bytes, |table: &Table| table.file().len()),
            metaranges: Shelf::new(options.metarange_bytes, |metarange: &Arc<Metarange>| {
                metarange.memory_bytes()
            }),
        }
    }

    /// What was asked for so far.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts { ranges: self.ranges.counts(), metaranges: self.metaranges.counts() }
    }
}
