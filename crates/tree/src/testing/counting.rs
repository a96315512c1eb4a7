//! A range store that counts what is asked of it.

use std::sync::Arc;

use async_trait::async_trait;
use braid_sstable::Table;
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use parking_lot::Mutex;

use crate::{FileId, Metarange, RangeStore, TreeError};

/// How often each call was made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ranges opened.
    pub ranges_read: u64,
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
}

#[async_trait]
impl RangeStore for CountingRangeStore {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.counts.lock().ranges_read += 1;
        self.inner.range(id).await
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
