//! A range store that counts what is asked of it.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use braid_sstable::{DataBlock, Table, TableIndex};
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use parking_lot::Mutex;

use crate::{FileId, Metarange, RangeStore, TreeError};

/// How often each call was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whole ranges opened.
    pub ranges_read: u64,
    /// Indexes of ranges opened.
    pub indexes_read: u64,
    /// Reads of blocks, each of any number of them.
    pub block_reads: u64,
    /// Blocks that were read by these.
    pub blocks_read: u64,
    /// Metaranges opened.
    pub metaranges_read: u64,
    /// Files read as they are stored.
    pub files_read: u64,
    /// Ranges written.
    pub ranges_written: u64,
    /// Metaranges written.
    pub metaranges_written: u64,
}

/// Counts the calls to the store below it.
pub struct CountingRangeStore {
    inner: Arc<dyn RangeStore>,
    counts: Mutex<Counts>,
}

impl CountingRangeStore {
    /// Counts calls to `inner`, from zero.
    pub fn new(inner: Arc<dyn RangeStore>) -> Self {
        Self { inner, counts: Mutex::default() }
    }

    /// The calls since the last time this was asked.
    pub fn take(&self) -> Counts {
        std::mem::take(&mut self.counts.lock())
    }

    fn count_blocks(&self, blocks: usize) {
        let mut counts = self.counts.lock();
        counts.block_reads += 1;
        counts.blocks_read += blocks as u64;
    }
}

#[async_trait]
impl RangeStore for CountingRangeStore {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.counts.lock().ranges_read += 1;
        self.inner.range(id).await
    }

    async fn index(&self, id: &RangeId) -> Result<Arc<TableIndex>, TreeError> {
        self.counts.lock().indexes_read += 1;
        self.inner.index(id).await
    }

    async fn blocks(
        &self,
        id: &RangeId,
        index: &Arc<TableIndex>,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        self.count_blocks(blocks.len());
        self.inner.blocks(id, index, blocks).await
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        self.counts.lock().metaranges_read += 1;
        self.inner.metarange(id).await
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        self.counts.lock().files_read += 1;
        self.inner.file(file).await
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        self.counts.lock().ranges_written += 1;
        self.inner.put_range(id, file).await
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        self.counts.lock().metaranges_written += 1;
        self.inner.put_metarange(id, file).await
    }
}
