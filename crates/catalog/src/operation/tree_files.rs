//! Writing trees while they are being made: files go to the store in the background, and are read from memory until they are
//! there.
//!
//! A chain of merges makes a tree for each; the next is made from the one before at once, and all their files are waited for
//! together, before anything refers to them. What was written once is not written again, however often the work is redone.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use braid_tree::{
    DataBlock, FileId, Metarange, RangeStore, Table, TableIndex, TreeError, open_range, range_blocks,
};
use braid_types::{MetarangeId, RangeId, RepositoryId, Result};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::catalog::Catalog;
use crate::record::RepositoryRecord;

/// Files under way may have so many bytes together; whoever comes with more waits.
const BYTES_UNDER_WAY: usize = 64 << 20;
/// A file counts as at least so many bytes, so that there are not too many at once.
const LEAST_BYTES: usize = 256 << 10;
/// The unit in which they are counted.
const UNIT: usize = 4 << 10;

/// What an operation writes to the storage of repositories, over all its attempts.
#[derive(Default)]
pub(crate) struct Uploads {
    stores: Mutex<HashMap<RepositoryId, Arc<UploadStore>>>,
}

impl Uploads {
    /// The ranges of a repository, those under way among them.
    pub(super) async fn ranges(
        &self,
        catalog: &Catalog,
        repository: &RepositoryRecord,
    ) -> Result<Arc<dyn RangeStore>> {
        if let Some(store) = self.stores.lock().get(&repository.id) {
            return Ok(store.clone());
        }
        let store = Arc::new(UploadStore::new(catalog.ranges(repository).await?));
        Ok(self.stores.lock().entry(repository.id).or_insert(store).clone())
    }

    /// Waits until everything that was written is durable.
    pub(super) async fn finish(&self) -> Result<()> {
        let stores: Vec<_> = self.stores.lock().values().cloned().collect();
        for store in stores {
            store.finish().await?;
        }
        Ok(())
    }
}

/// A store of ranges whose puts are done before they are.
struct UploadStore {
    inner: Arc<dyn RangeStore>,
    files: Arc<Mutex<HashMap<FileId, Upload>>>,
    tasks: Mutex<JoinSet<()>>,
    room: Arc<Semaphore>,
}

/// How far a file is.
#[derive(Clone)]
enum Upload {
    UnderWay(Bytes),
    Durable,
    Failed(TreeError),
}

impl UploadStore {
    fn new(inner: Arc<dyn RangeStore>) -> Self {
        let room = Arc::new(Semaphore::new(BYTES_UNDER_WAY / UNIT));
        Self { inner, files: Arc::default(), tasks: Mutex::default(), room }
    }

    /// The bytes of a file that is under way; `None` for what the store has, or never had.
    fn under_way(&self, file: FileId) -> Result<Option<Bytes>, TreeError> {
        match self.files.lock().get(&file) {
            Some(Upload::UnderWay(bytes)) => Ok(Some(bytes.clone())),
            Some(Upload::Failed(error)) => Err(error.clone()),
            Some(Upload::Durable) | None => Ok(None),
        }
    }

    async fn put(&self, file: FileId, bytes: Bytes) -> Result<(), TreeError> {
        let units = bytes.len().clamp(LEAST_BYTES, BYTES_UNDER_WAY).div_ceil(UNIT);
        let units = u32::try_from(units).expect("what may be under way is counted in few units");
        let room = Arc::clone(&self.room).acquire_many_owned(units).await;
        let room = room.expect("the semaphore is never closed");
        {
            let mut files = self.files.lock();
            if matches!(files.get(&file), Some(Upload::UnderWay(_) | Upload::Durable)) {
                return Ok(());
            }
            files.insert(file, Upload::UnderWay(bytes.clone()));
        }
        let (inner, files) = (Arc::clone(&self.inner), Arc::clone(&self.files));
        self.tasks.lock().spawn(async move {
            let written = write(&*inner, file, bytes).await;
            let state = written.map_or_else(Upload::Failed, |()| Upload::Durable);
            files.lock().insert(file, state);
            drop(room);
        });
        Ok(())
    }

    async fn finish(&self) -> Result<(), TreeError> {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        while let Some(ended) = tasks.join_next().await {
            ended.expect("an upload neither panics nor is stopped");
        }
        let mut files = self.files.lock();
        let failed = files.values().find_map(|upload| match upload {
            Upload::Failed(error) => Some(error.clone()),
            _ => None,
        });
        files.retain(|_, upload| matches!(upload, Upload::Durable));
        failed.map_or(Ok(()), Err)
    }
}

async fn write(store: &dyn RangeStore, file: FileId, bytes: Bytes) -> Result<(), TreeError> {
    match file {
        FileId::Range(id) => store.put_range(&id, bytes).await,
        FileId::Metarange(id) => store.put_metarange(&id, bytes).await,
    }
}

#[async_trait]
impl RangeStore for UploadStore {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        match self.under_way((*id).into())? {
            Some(bytes) => open_range(id, bytes),
            None => self.inner.range(id).await,
        }
    }

    async fn index(&self, id: &RangeId) -> Result<Arc<TableIndex>, TreeError> {
        match self.under_way((*id).into())? {
            Some(bytes) => Ok(Arc::new(open_range(id, bytes)?.index().clone())),
            None => self.inner.index(id).await,
        }
    }

    async fn blocks(
        &self,
        id: &RangeId,
        index: &Arc<TableIndex>,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        match self.under_way((*id).into())? {
            Some(bytes) => range_blocks(id, &open_range(id, bytes)?, blocks),
            None => self.inner.blocks(id, index, blocks).await,
        }
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        match self.under_way((*id).into())? {
            Some(bytes) => Metarange::decode(id, bytes).map(Arc::new),
            None => self.inner.metarange(id).await,
        }
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        self.inner.file(file).await
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        self.put((*id).into(), file).await
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        self.put((*id).into(), file).await
    }
}
