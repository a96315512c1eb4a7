//! The trees of one storage namespace, read through memory.

use std::sync::Arc;

use async_trait::async_trait;
use braid_objects::{ObjectError, ObjectStore, PutOptions};
use braid_tree::{FileId, Metarange, RangeStore, Table, TreeError, open_range, verify_range};
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;

use crate::RangeMemory;
use crate::counters::Counters;
use crate::error::tree_error;
use crate::shelf::Key;

/// Keeps trees in an object store, as `_lakefs/<id>`, and what was read or written of them in memory.
///
/// Files never change, so what is in memory is valid for ever. A file that comes from the object store is checked as a
/// whole, to the hash that is its name, before it is served or kept; a damaged one is not kept.
#[derive(Debug, Clone)]
pub struct RangeCache {
    memory: Arc<RangeMemory>,
    namespace: Arc<str>,
    objects: Arc<dyn ObjectStore>,
}

impl RangeCache {
    /// The trees in `objects`, which is the store of the storage namespace of this name.
    pub fn new(
        memory: Arc<RangeMemory>,
        namespace: impl Into<Arc<str>>,
        objects: Arc<dyn ObjectStore>,
    ) -> Self {
        Self { memory, namespace: namespace.into(), objects }
    }

    fn key(&self, id: &[u8; 32]) -> Key {
        (Arc::clone(&self.namespace), *id)
    }

    async fn read(&self, file: FileId, counters: &Counters) -> Result<Bytes, TreeError> {
        let read = self.objects.get(&object_key(file), None).await;
        let bytes = read.map_err(|error| tree_error(file, &error))?;
        counters.read(bytes.len());
        Ok(bytes)
    }

    async fn read_range(&self, id: RangeId) -> Result<Table, TreeError> {
        let file = self.read(id.into(), &self.memory.ranges.counters).await?;
        off_the_runtime(move || {
            let table = open_range(&id, file)?;
            verify_range(&id, &table)?;
            Ok(table)
        })
        .await
    }

    async fn read_metarange(&self, id: MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        let file = self.read(id.into(), &self.memory.metaranges.counters).await?;
        off_the_runtime(move || Metarange::decode(&id, file).map(Arc::new)).await
    }

    /// An object of this name can only be this file.
    async fn write(&self, file: FileId, body: Bytes, counters: &Counters) -> Result<(), TreeError> {
        let len = body.len();
        match self.objects.put(&object_key(file), body, PutOptions::if_absent()).await {
            Ok(_) | Err(ObjectError::AlreadyExists { .. }) => {
                counters.written(len);
                Ok(())
            }
            Err(error) => Err(tree_error(file, &error)),
        }
    }
}

#[async_trait]
impl RangeStore for RangeCache {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.memory.ranges.get(self.key(id.as_bytes()), self.read_range(*id)).await
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        self.memory.metaranges.get(self.key(id.as_bytes()), self.read_metarange(*id)).await
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        let read = self.objects.get(&object_key(file), None).await;
        read.map_err(|error| tree_error(file, &error))
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        let table = open_range(id, file.clone())?;
        self.write((*id).into(), file, &self.memory.ranges.counters).await?;
        self.memory.ranges.insert(self.key(id.as_bytes()), table).await;
        Ok(())
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        let metarange = Arc::new(Metarange::decode(id, file.clone())?);
        self.write((*id).into(), file, &self.memory.metaranges.counters).await?;
        self.memory.metaranges.insert(self.key(id.as_bytes()), metarange).await;
        Ok(())
    }
}

/// Where a range or metarange is kept, relative to the storage namespace.
fn object_key(file: FileId) -> String {
    format!("_lakefs/{}", file.to_hex())
}

/// Checking a file takes milliseconds of work, which would hold up the tasks that share the thread.
async fn off_the_runtime<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TreeError> + Send + 'static,
) -> Result<T, TreeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(failure) => {
                let message = format!("the check of a file was stopped: {failure}");
                Err(braid_types::Error::new(braid_types::Code::Unavailable, "range cache", message).into())
            }
        },
    }
}
