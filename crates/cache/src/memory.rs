//! The memory that the caches of all storage namespaces share.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use braid_tree::{DataBlock, Metarange, Table, TableIndex, TreeError, open_range};
use braid_types::RangeId;
use bytes::Bytes;
use parking_lot::Mutex;

use crate::CacheCounts;
use crate::flights::Flights;
use crate::key::{BlockKey, FileKey};
use crate::shelf::Shelf;

/// What a thing takes beside its own bytes, about: its key, and its places in lists.
const OVERHEAD_BYTES: usize = 200;

/// How much memory is used, for each kind of things its own: one does not push out another.
///
/// Lookups need the metarange and the index of the range in memory to be answered with one read, and those take some
/// hundred KiB for a million entries; so the defaults, for a node that serves metadata, hold those of hundreds of millions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheOptions {
    /// Bytes of metaranges that are kept: some 250 bytes for each of a tree's ranges.
    pub metarange_bytes: u64,
    /// Bytes of indexes of ranges that are kept.
    pub index_bytes: u64,
    /// Bytes of decoded data blocks of ranges that are kept.
    pub block_bytes: u64,
    /// Bytes of whole ranges that are kept, as they are stored: what was written, and what folds, merges, diffs and scans
    /// read.
    pub file_bytes: u64,
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self {
            metarange_bytes: 128 << 20,
            index_bytes: 192 << 20,
            block_bytes: 256 << 20,
            file_bytes: 256 << 20,
        }
    }
}

/// Trees in memory, of any number of storage namespaces.
pub struct RangeMemory {
    pub(crate) metaranges: Shelf<FileKey, Arc<Metarange>>,
    pub(crate) indexes: Shelf<FileKey, Arc<TableIndex>>,
    pub(crate) blocks: Shelf<BlockKey, DataBlock>,
    /// Reads of several blocks in one request, by the first and the last.
    pub(crate) runs: Flights<(BlockKey, u32), Vec<DataBlock>>,
    pub(crate) files: Shelf<FileKey, KeptFile>,
    /// The numbers of the namespaces, by name.
    namespaces: Mutex<HashMap<Arc<str>, u32>>,
}

impl RangeMemory {
    /// Empty memory.
    pub fn new(options: CacheOptions) -> Self {
        Self {
            metaranges: Shelf::new(options.metarange_bytes, |metarange: &Arc<Metarange>| {
                metarange.memory_bytes() + OVERHEAD_BYTES
            }),
            indexes: Shelf::new(options.index_bytes, |index: &Arc<TableIndex>| {
                index.memory_bytes() + OVERHEAD_BYTES
            }),
            blocks: Shelf::new(options.block_bytes, |block: &DataBlock| {
                block.memory_bytes() + OVERHEAD_BYTES
            }),
            runs: Flights::new(),
            files: Shelf::new(options.file_bytes, |file: &KeptFile| file.0.file.len() + OVERHEAD_BYTES),
            namespaces: Mutex::default(),
        }
    }

    /// What was asked for so far.
    pub fn counts(&self) -> CacheCounts {
        CacheCounts {
            metaranges: self.metaranges.counts(),
            indexes: self.indexes.counts(),
            blocks: self.blocks.counts(),
            files: self.files.counts(),
        }
    }

    /// The number of a storage namespace. Numbers are never given back: there are as many as repositories that this
    /// process has served.
    pub(crate) fn number(&self, namespace: Arc<str>) -> u32 {
        let mut namespaces = self.namespaces.lock();
        let next = u32::try_from(namespaces.len()).expect("there are fewer than 2^32 storage namespaces");
        *namespaces.entry(namespace).or_insert(next)
    }
}

impl fmt::Debug for RangeMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RangeMemory").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// A whole range, as it is stored; it is opened when it is read first. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct KeptFile(Arc<Kept>);

#[derive(Debug)]
struct Kept {
    file: Bytes,
    table: OnceLock<Result<Table, TreeError>>,
}

impl KeptFile {
    pub(crate) fn new(file: Bytes) -> Self {
        Self(Arc::new(Kept { file, table: OnceLock::new() }))
    }

    pub(crate) fn table(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.0.table.get_or_init(|| open_range(id, self.0.file.clone())).clone()
    }
}
