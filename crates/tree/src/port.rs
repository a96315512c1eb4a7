//! The port: where ranges and metaranges are kept.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use braid_sstable::{DataBlock, Table, TableIndex};
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;

use crate::range_file::range_blocks;
use crate::{FileId, Metarange, TreeError};

/// Names a whole tree by its metarange. `None` is the empty tree, which is written nowhere.
pub type TreeId = Option<MetarangeId>;

/// Keeps the files of trees, which never change, under the hashes of their content.
///
/// What every implementation keeps:
///
/// 1. Bytes that are damaged or cut short are never served, but [`TreeError::Corrupt`]: a metarange is checked to the hash
///    that is its name ([`Metarange::decode`]), a range by the checksum of each block that is read. Whether a sound range
///    is the one of its name is held against the metarange, by whoever reads it there; only [`Check`](crate::Check) and
///    [`verify_range`](crate::verify_range) hash its records, which takes as long as all other reading.
/// 2. A file that is not there is [`TreeError::Missing`].
/// 3. A put returns when the file is durable. A put of a file that is there already succeeds.
#[async_trait]
pub trait RangeStore: Send + Sync {
    /// Opens a whole range, with one read of its file: for those who need most of it.
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError>;

    /// Opens a range's index, with one read of the end of its file.
    async fn index(&self, id: &RangeId) -> Result<Arc<TableIndex>, TreeError> {
        Ok(Arc::new(self.range(id).await?.index().clone()))
    }

    /// Reads these blocks of a range whose index is at hand, with one read of what stands from the first to the last of those
    /// that are not in memory.
    async fn blocks(
        &self,
        id: &RangeId,
        index: &Arc<TableIndex>,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        debug_assert!(blocks.end <= index.blocks(), "the index has these blocks");
        range_blocks(id, &self.range(id).await?, blocks)
    }

    /// Opens a metarange.
    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError>;

    /// The bytes of a file as they are durable, read from there and not from memory, unchecked: for verification.
    async fn file(&self, file: FileId) -> Result<Bytes, TreeError>;

    /// Writes a range.
    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError>;

    /// Writes a metarange.
    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError>;
}

/// Opens a tree's metarange; the empty tree's has no ranges.
pub async fn open_tree(store: &dyn RangeStore, tree: TreeId) -> Result<Arc<Metarange>, TreeError> {
    match tree {
        Some(id) => store.metarange(&id).await,
        None => Ok(Arc::new(Metarange::default())),
    }
}
