//! Finds data blocks: walks an index of one level, or of two (an index of index blocks, the *partitions*).

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::{BlockHandle, Corruption, Defect, Table};

/// Walks a table's data blocks in key order.
#[derive(Debug, Clone)]
pub(crate) struct IndexCursor {
    top: BlockCursor,
    /// The partition under `top`; empty before the first. `None` if the index has one level.
    partition: Option<BlockCursor>,
}

impl IndexCursor {
    /// A cursor before the table's first data block.
    pub(crate) fn new(table: &Table) -> Self {
        let top = BlockCursor::new(table.index().clone(), KeyForm::Bound);
        let no_partition = BlockCursor::new(Block::empty(), KeyForm::Bound);
        let partition = table.has_two_levels().then_some(no_partition);
        Self { top, partition }
    }

    /// Steps to the next data block; `None` at the end.
    pub(crate) fn advance(&mut self, table: &Table) -> Result<Option<BlockHandle>, Corruption> {
        let Some(partition) = &mut self.partition else {
            return next_handle(&mut self.top);
        };
        loop {
            if let Some(handle) = next_handle(partition)? {
                return Ok(Some(handle));
            }
            let Some(handle) = next_handle(&mut self.top)? else {
                return Ok(None);
            };
            partition.enter(table.read_block(handle)?);
        }
    }

    /// Goes to the data block that holds `user_key` if any does: the first whose separator is not below it. `None` if
    /// every separator is.
    pub(crate) fn seek(&mut self, table: &Table, user_key: &[u8]) -> Result<Option<BlockHandle>, Corruption> {
        if !self.top.seek(user_key)? {
            return Ok(None);
        }
        let handle = handle_at(&self.top)?;
        let Some(partition) = &mut self.partition else {
            return Ok(Some(handle));
        };
        partition.enter(table.read_block(handle)?);
        if partition.seek(user_key)? {
            return handle_at(partition).map(Some);
        }
        // The separator of a partition may be above all of those inside; then the next partition's first block is it.
        self.advance(table)
    }

    /// The separator of the data block that the cursor is at: an internal key.
    pub(crate) fn separator(&self) -> &[u8] {
        self.partition.as_ref().unwrap_or(&self.top).key()
    }
}

fn next_handle(cursor: &mut BlockCursor) -> Result<Option<BlockHandle>, Corruption> {
    if cursor.advance()? { handle_at(cursor).map(Some) } else { Ok(None) }
}

/// The handle that is the value of the entry read last.
pub(crate) fn handle_at(cursor: &BlockCursor) -> Result<BlockHandle, Corruption> {
    match BlockHandle::take(cursor.value()) {
        Some((handle, len)) if len == cursor.value().len() => Ok(handle),
        _ => Err(cursor.corruption(Defect::IndexValue { at: cursor.at() })),
    }
}
