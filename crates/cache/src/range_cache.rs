//! The trees of one storage namespace, read through memory.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use braid_objects::ObjectStore;
use braid_tree::{DataBlock, FileId, Metarange, RangeStore, Table, TableIndex, TreeError, range_blocks};
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;

use crate::RangeMemory;
use crate::key::FileKey;
use crate::memory::KeptFile;
use crate::source::{Source, off_the_runtime, read_block};

/// Keeps trees in an object store, as `_lakefs/<id>`, and what was read or written of them in memory.
///
/// Files never change, so what is in memory is valid for ever. What comes from the object store is checked before it is
/// served or kept, and what is damaged is not kept:
///
/// * A metarange is checked as a whole, to the hash that is its name.
/// * A range is checked by the checksum of each block that is read, of its index and of what leads to it, and each block's
///   first and last key by the index. It is not hashed to its name, which would take longer than all other reading of it; that
///   it is the range which its metarange describes, the readers of trees check by its count and its bounds. So a store that
///   answers with *another*, sound range of equal count and bounds under this name is not found out here, but by
///   [`Check`](braid_tree::Check).
///
/// A range whose whole file is in memory is read from there, by block too.
#[derive(Debug, Clone)]
pub struct RangeCache {
    memory: Arc<RangeMemory>,
    /// The number of the storage namespace.
    namespace: u32,
    source: Source,
}

impl RangeCache {
    /// The trees in `objects`, which is the store of the storage namespace of this name. Reads run in tasks of the
    /// runtime in which they are asked for.
    pub fn new(
        memory: Arc<RangeMemory>,
        namespace: impl Into<Arc<str>>,
        objects: Arc<dyn ObjectStore>,
    ) -> Self {
        let namespace = memory.number(namespace.into());
        Self { memory, namespace, source: Source::new(objects) }
    }

    fn key(&self, id: &[u8; 32]) -> FileKey {
        FileKey { namespace: self.namespace, id: *id }
    }

    async fn read_range(self, id: RangeId) -> Result<KeptFile, TreeError> {
        let file = self.source.whole(id.into(), Some(&self.memory.files.counters)).await?;
        let file = KeptFile::new(file);
        file.table(&id)?;
        Ok(file)
    }

    async fn read_metarange(self, id: MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        let file = self.source.whole(id.into(), Some(&self.memory.metaranges.counters)).await?;
        off_the_runtime(file.len(), move || Metarange::decode(&id, file).map(Arc::new)).await
    }

    async fn read_index(self, id: RangeId) -> Result<Arc<TableIndex>, TreeError> {
        let (index, tail) = self.source.index(&id, &self.memory.indexes.counters).await?;
        self.keep_blocks_of(&id, &index, &tail);
        Ok(Arc::new(index))
    }

    /// Keeps the blocks that came with the index. A damaged one is not kept; who needs it reads it and finds out.
    fn keep_blocks_of(&self, id: &RangeId, index: &TableIndex, tail: &Bytes) {
        let start = index.file_len() - tail.len() as u64;
        let came = (0..index.blocks()).rev().take_while(|&block| index.handle(block).offset >= start);
        for block in came {
            if let Ok(decoded) = read_block(id, index, block, tail, start) {
                self.memory.blocks.insert(self.key(id.as_bytes()).block(block), decoded);
            }
        }
    }

    /// Reads blocks, of which there is at least one, in one request, and keeps them.
    async fn read_blocks(
        self,
        id: RangeId,
        index: Arc<TableIndex>,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        let shelf = &self.memory.blocks;
        let read = self.source.blocks(&id, &index, blocks.clone(), &shelf.counters).await?;
        let key = self.key(id.as_bytes());
        blocks.zip(&read).for_each(|(block, decoded)| shelf.insert(key.block(block), decoded.clone()));
        Ok(read)
    }

    /// What [`read_blocks`](Self::read_blocks) brings, or what another reader's of the same blocks brings.
    async fn join_blocks(
        &self,
        id: &RangeId,
        index: &Arc<TableIndex>,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        let key = self.key(id.as_bytes());
        let flight = (key.block(blocks.start), key.block(blocks.end).block);
        let read = self.clone().read_blocks(*id, Arc::clone(index), blocks.clone());
        let (read, is_new) = self.memory.runs.join(flight, read).await;
        let read = read?;
        self.memory.blocks.counters.answered(read.len(), is_new);
        Ok(read)
    }

    /// Blocks of a file that is in memory. One that is read alone is kept, to be found decoded by the next lookup.
    fn blocks_of_file(
        &self,
        id: &RangeId,
        file: &KeptFile,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        let decoded = range_blocks(id, &file.table(id)?, blocks.clone())?;
        self.memory.blocks.counters.answered(decoded.len(), false);
        if let [block] = &decoded[..] {
            self.memory.blocks.insert(self.key(id.as_bytes()).block(blocks.start), block.clone());
        }
        Ok(decoded)
    }
}

#[async_trait]
impl RangeStore for RangeCache {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        let key = self.key(id.as_bytes());
        let file = match self.memory.files.hit(&key) {
            Some(file) => file,
            None => self.memory.files.fill(key, self.clone().read_range(*id)).await?,
        };
        file.table(id)
    }

    async fn index(&self, id: &RangeId) -> Result<Arc<TableIndex>, TreeError> {
        let key = self.key(id.as_bytes());
        let shelf = &self.memory.indexes;
        if let Some(index) = shelf.hit(&key) {
            return Ok(index);
        }
        let Some(file) = self.memory.files.get(&key) else {
            return shelf.fill(key, self.clone().read_index(*id)).await;
        };
        let index = Arc::new(file.table(id)?.index().clone());
        shelf.insert(key, Arc::clone(&index));
        shelf.counters.answered(1, false);
        Ok(index)
    }

    async fn blocks(
        &self,
        id: &RangeId,
        index: &Arc<TableIndex>,
        blocks: Range<usize>,
    ) -> Result<Vec<DataBlock>, TreeError> {
        let key = self.key(id.as_bytes());
        let shelf = &self.memory.blocks;
        if blocks.len() == 1
            && let Some(block) = shelf.hit(&key.block(blocks.start))
        {
            return Ok(vec![block]);
        }
        let mut found: Vec<_> = blocks.clone().map(|block| shelf.get(&key.block(block))).collect();
        let Some(first) = found.iter().position(Option::is_none) else {
            shelf.counters.answered(found.len(), false);
            return Ok(found.into_iter().flatten().collect());
        };
        let last = found.iter().rposition(Option::is_none).unwrap_or(first);
        let missing = blocks.start + first..blocks.start + last + 1;
        let read = match self.memory.files.get(&key) {
            Some(file) => self.blocks_of_file(id, &file, missing)?,
            None => self.join_blocks(id, index, missing).await?,
        };
        shelf.counters.answered(found.len() - read.len(), false);
        found.splice(first..=last, read.into_iter().map(Some));
        Ok(found.into_iter().flatten().collect())
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        let key = self.key(id.as_bytes());
        match self.memory.metaranges.hit(&key) {
            Some(metarange) => Ok(metarange),
            None => self.memory.metaranges.fill(key, self.clone().read_metarange(*id)).await,
        }
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        self.source.whole(file, None).await
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        self.source.write((*id).into(), file.clone(), &self.memory.files.counters).await?;
        self.memory.files.insert(self.key(id.as_bytes()), KeptFile::new(file));
        Ok(())
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        let metarange = Arc::new(Metarange::decode(id, file.clone())?);
        self.source.write((*id).into(), file, &self.memory.metaranges.counters).await?;
        self.memory.metaranges.insert(self.key(id.as_bytes()), metarange);
        Ok(())
    }
}
