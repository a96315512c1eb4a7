//! One data block of a table, read alone.

use bytes::Bytes;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::record_cursor::{Blocks, RecordCursor};
use crate::{Corruption, Record};

/// A data block that was decoded, and whose first and last key are where the index has them; clones share it. Its records are
/// checked when they are read.
#[derive(Debug, Clone)]
pub struct DataBlock {
    block: Block,
}

impl DataBlock {
    pub(crate) fn new(block: Block) -> Self {
        Self { block }
    }

    /// The value of the record with this key, sharing the block's memory; `None` if the block has no such record.
    ///
    /// # Errors
    /// [`Corruption`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Corruption> {
        let mut records = BlockCursor::new(self.block.clone(), KeyForm::Record);
        let found = records.seek(key)? && records.user_key() == key;
        Ok(found.then(|| records.value_bytes()))
    }

    /// A cursor before the block's first record. It owns a clone of the block.
    pub fn cursor(&self) -> DataCursor {
        DataCursor { records: RecordCursor::new(OneBlock { block: self.block.clone(), is_read: false }) }
    }

    /// How much memory the block takes, in bytes. One that was not compressed shares that of the bytes it was read from.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>() + self.block.contents().len()
    }
}

/// Walks a block's records in key order.
///
/// After a corruption it returns that same error until it seeks again.
#[derive(Debug, Clone)]
pub struct DataCursor {
    records: RecordCursor<OneBlock>,
}

impl DataCursor {
    /// Goes before the first record: the next [`next`](Self::next) returns it.
    pub fn seek_to_first(&mut self) {
        self.records.seek_to_first();
    }

    /// Goes before the first record whose key is `key` or after it: the next [`next`](Self::next) returns it.
    ///
    /// # Errors
    /// [`Corruption`].
    pub fn seek(&mut self, key: &[u8]) -> Result<(), Corruption> {
        self.records.seek(key)
    }

    /// Steps to the next record and returns its key and value, or `None` at the end of the block.
    ///
    /// # Errors
    /// [`Corruption`].
    #[expect(
        clippy::should_implement_trait,
        reason = "the record borrows from the cursor, which no `Iterator` allows"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Corruption> {
        self.records.next()
    }

    /// The key of the record that [`next`](Self::next) returned, if it was the last thing done and returned one.
    pub fn key(&self) -> Option<&[u8]> {
        self.records.key()
    }

    /// The value of the record that [`key`](Self::key) is of, sharing the block's memory.
    pub fn value(&self) -> Option<Bytes> {
        self.records.value()
    }
}

#[derive(Debug, Clone)]
struct OneBlock {
    block: Block,
    is_read: bool,
}

impl Blocks for OneBlock {
    fn rewind(&mut self) {
        self.is_read = false;
    }

    fn seek(&mut self, _key: &[u8]) -> Result<Option<Block>, Corruption> {
        self.is_read = true;
        Ok(Some(self.block.clone()))
    }

    fn next(&mut self) -> Result<Option<Block>, Corruption> {
        let next = (!self.is_read).then(|| self.block.clone());
        self.is_read = true;
        Ok(next)
    }
}
