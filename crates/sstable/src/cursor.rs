//! The records of a table in key order.

use bytes::Bytes;

use crate::block::Block;
use crate::record_cursor::{BlockStart, Blocks, RecordCursor};
use crate::{Corruption, Table};

/// Walks a table's records in key order, from the first unless it seeks. It owns a clone of its table.
///
/// After a corruption it returns that same error until it seeks again, so that no part of a table passes for the whole.
#[derive(Debug, Clone)]
pub struct Cursor {
    records: RecordCursor<TableBlocks>,
}

/// The key and the value of a record.
pub type Record<'a> = (&'a [u8], &'a [u8]);

impl Cursor {
    pub(crate) fn new(table: Table) -> Self {
        Self { records: RecordCursor::new(TableBlocks { table, next: 0 }) }
    }

    /// Goes before the first record: the next [`next`](Self::next) returns it.
    pub fn seek_to_first(&mut self) {
        self.records.seek_to_first();
    }

    /// Goes before the first record whose key is `key` or after it: the next [`next`](Self::next) returns it.
    pub fn seek(&mut self, key: &[u8]) -> Result<(), Corruption> {
        self.records.seek(key)
    }

    /// Steps to the first record whose key is `key` or after it, and says whether there is one. If it stands behind that already,
    /// it steps to the next one. Of the blocks that lie between only those are read that it cannot tell from their separators to
    /// hold smaller keys alone.
    pub fn step_to(&mut self, key: &[u8]) -> Result<bool, Corruption> {
        loop {
            if let Some(here) = self.next_block() {
                self.pass_blocks(here, key);
            }
            match self.next()? {
                None => return Ok(false),
                Some((here, _)) if here >= key => return Ok(true),
                Some(_) => {}
            }
        }
    }

    /// Steps to the next record and returns its key and value, or `None` at the end.
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

    /// The value of the record that [`key`](Self::key) is of, sharing the memory of its block.
    pub fn value(&self) -> Option<Bytes> {
        self.records.value()
    }

    /// The record that was stepped to, under the same conditions as its [`key`](Self::key).
    #[inline]
    pub fn record(&self) -> Option<Record<'_>> {
        self.records.record()
    }

    /// Standing before the block `here`, goes before the one that may have the first record from `key` on, if that comes later.
    fn pass_blocks(&mut self, here: usize, key: &[u8]) {
        let index = self.table().index();
        let target = index.find(key).unwrap_or(index.blocks());
        if target > here {
            self.skip_to(target);
        }
    }

    /// The block before whose first record it stands; the number of blocks after the last. `None` within a block.
    pub fn next_block(&self) -> Option<usize> {
        let next = self.records.blocks().next;
        match self.records.block_start()? {
            BlockStart::OfLast => Some(next - 1),
            BlockStart::OfNext => Some(next),
        }
    }

    /// Goes before the first record of a block that is not the first, past those before it. What comes then has to come after
    /// their keys.
    pub fn skip_to(&mut self, block: usize) {
        let separator = self.table().index().separator(block - 1);
        self.records.pass(&separator).next = block;
    }

    pub(crate) fn table(&self) -> &Table {
        &self.records.blocks().table
    }
}

#[derive(Debug, Clone)]
struct TableBlocks {
    table: Table,
    /// The block after the one read last.
    next: usize,
}

impl Blocks for TableBlocks {
    fn rewind(&mut self) {
        self.next = 0;
    }

    fn seek(&mut self, key: &[u8]) -> Result<Option<Block>, Corruption> {
        self.next = self.table.index().find(key).unwrap_or(self.table.index().blocks());
        self.next()
    }

    fn next(&mut self) -> Result<Option<Block>, Corruption> {
        if self.next == self.table.index().blocks() {
            return Ok(None);
        }
        let block = self.table.read_data(self.next)?;
        self.next += 1;
        Ok(Some(block))
    }
}
