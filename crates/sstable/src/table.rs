//! A table whose whole file is in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::file_tail::{FileTail, Unread};
use crate::index::IndexCursor;
use crate::open::{self, Opened};
use crate::properties::Totals;
use crate::{BlockHandle, Corruption, Cursor, DataBlock, TableIndex, stored_block};

/// A table whose whole file is in memory; clones share it.
///
/// It reads tables of format version 2 with CRC32C, blocks stored plainly, with snappy or with Zstandard, an index of one or two levels,
/// and records that are plain values, one for each key: those of this crate's `Writer`, of lakeFS, and of RocksDB's
/// writer of external files if told so.
#[derive(Debug, Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: FileTail,
    opened: Opened,
}

impl Table {
    /// Opens a table. Its footer, properties and index are checked here, data blocks whenever they are read.
    pub fn open(file: Bytes) -> Result<Self, Corruption> {
        let file = FileTail::whole(file)?;
        match open::open(&file) {
            Ok(opened) => Ok(Self { inner: Arc::new(Inner { file, opened }) }),
            Err(Unread::Corrupted(corruption)) => Err(corruption),
            Err(Unread::Short { .. }) => unreachable!("a whole file has all that it has a place for"),
        }
    }

    /// The value of the record with this key, sharing the memory of its block; `None` if the table has no such record.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Corruption> {
        let Some(block) = self.index().find(key) else {
            return Ok(None);
        };
        let mut records = BlockCursor::new(self.read_data(block)?, KeyForm::Record);
        let found = records.seek(key)? && records.user_key() == key;
        Ok(found.then(|| records.value_bytes()))
    }

    /// A cursor before the first record.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.clone())
    }

    /// What it takes to read the table's blocks one by one, without the rest of the file.
    pub fn index(&self) -> &TableIndex {
        &self.inner.opened.index
    }

    /// Reads the data block of this number, below that of [`TableIndex::blocks`].
    pub fn data_block(&self, block: usize) -> Result<DataBlock, Corruption> {
        let index = self.index();
        index.read(block, &self.inner.file.stored(index.handle(block))?)
    }

    /// All properties, raw: the format's own, whose names begin with `rocksdb.`, and the writer's.
    pub fn properties(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.inner.opened.properties
    }

    /// How many records the table says it has. Only [`verify`](crate::verify()) counts them.
    pub fn count(&self) -> u64 {
        self.index().count()
    }

    /// The whole file.
    pub fn file(&self) -> &Bytes {
        self.inner.file.bytes()
    }

    /// The index as it is stored; of two levels, the top.
    pub(crate) fn index_block(&self) -> &Block {
        &self.inner.opened.index_block
    }

    /// A cursor before the first entry of the index as it is stored.
    pub(crate) fn index_cursor(&self) -> IndexCursor {
        IndexCursor::new(self.index_block().clone(), self.has_two_levels())
    }

    /// Steps a cursor of the stored index.
    pub(crate) fn next_entry(&self, cursor: &mut IndexCursor) -> Result<Option<BlockHandle>, Corruption> {
        cursor.advance(&self.inner.file)
    }

    pub(crate) fn has_two_levels(&self) -> bool {
        self.inner.opened.two_levels
    }

    /// Where the properties block stands in the file.
    pub(crate) fn properties_offset(&self) -> u64 {
        self.inner.opened.properties_offset
    }

    /// What is in the table beside records.
    pub(crate) fn range_deletions(&self) -> Totals {
        self.inner.opened.range_deletions
    }

    pub(crate) fn read_block(&self, handle: BlockHandle) -> Result<Block, Corruption> {
        self.inner.file.read(handle)
    }

    /// A data block decoded, and as it is stored.
    pub(crate) fn read_whole(&self, block: usize) -> Result<(Block, &[u8]), Corruption> {
        Ok((self.read_data(block)?, self.stored_data(block)?))
    }

    /// A data block as it is stored, which is not checked.
    pub(crate) fn stored_data(&self, block: usize) -> Result<&[u8], Corruption> {
        self.inner.file.stored_slice(self.index().handle(block))
    }

    /// Compares the checksum of the stored bytes of a data block.
    pub(crate) fn check_checksum(&self, block: usize, stored: &[u8]) -> Result<(), Corruption> {
        let offset = self.index().handle(block).offset;
        stored_block::check(stored).map(drop).map_err(|what| Corruption::new(offset, what))
    }

    /// Reads a data block, whose keys are not held against the index.
    #[inline]
    pub(crate) fn read_data(&self, block: usize) -> Result<Block, Corruption> {
        self.read_block(self.index().handle(block))
    }
}
