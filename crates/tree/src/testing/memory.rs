//! A range store in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use braid_sstable::Table;
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use parking_lot::Mutex;

use crate::{FileId, Metarange, RangeStore, TreeError, open_range};

/// Keeps files in memory, and opens them each time they are read.
#[derive(Debug, Default)]
pub struct MemoryRangeStore {
    files: Mutex<BTreeMap<String, Bytes>>,
}

impl MemoryRangeStore {
    /// A store without files.
    pub fn new() -> Self {
        Self::default()
    }

    /// The file of this name as it is stored.
    pub fn file(&self, id: impl Into<FileId>) -> Option<Bytes> {
        self.files.lock().get(&id.into().to_hex()).cloned()
    }

    /// Stores any bytes under this name.
    pub fn set_file(&self, id: impl Into<FileId>, file: impl Into<Bytes>) {
        self.files.lock().insert(id.into().to_hex(), file.into());
    }

    /// Removes the file of this name.
    pub fn remove_file(&self, id: impl Into<FileId>) {
        self.files.lock().remove(&id.into().to_hex());
    }

    fn existing(&self, file: FileId) -> Result<Bytes, TreeError> {
        self.file(file).ok_or(TreeError::Missing { file })
    }
}

#[async_trait]
impl RangeStore for MemoryRangeStore {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        open_range(id, self.existing((*id).into())?)
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        Ok(Arc::new(Metarange::decode(id, self.existing((*id).into())?)?))
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        self.existing(file)
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        self.set_file(*id, file);
        Ok(())
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        self.set_file(*id, file);
        Ok(())
    }
}
