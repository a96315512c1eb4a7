//! Walks an index as it is stored: of one level, or of two (an index of index blocks, the *partitions*).

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::file_tail::{FileTail, Unread};
use crate::{BlockHandle, Corruption, Defect, TRAILER_LEN};

/// Walks the entries for data blocks in key order.
#[derive(Debug, Clone)]
pub(crate) struct IndexCursor {
    top: BlockCursor,
    /// The partition under `top`; empty before the first. `None` if the index has one level.
    partition: Option<BlockCursor>,
}

impl IndexCursor {
    /// A cursor before the first entry of the index that is, or starts with, the block `top`.
    pub(crate) fn new(top: Block, two_levels: bool) -> Self {
        let no_partition = BlockCursor::new(Block::empty(), KeyForm::Bound);
        Self { top: BlockCursor::new(top, KeyForm::Bound), partition: two_levels.then_some(no_partition) }
    }

    /// Steps to the next entry and returns where its data block stands; `None` at the end. The file has all partitions.
    pub(crate) fn advance(&mut self, file: &FileTail) -> Result<Option<BlockHandle>, Corruption> {
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
            partition.enter(file.read(handle)?);
        }
    }

    /// The separator of the data block of the entry that was read last.
    pub(crate) fn separator(&self) -> &[u8] {
        self.lowest().user_key()
    }

    /// That separator as it is stored: an internal key.
    pub(crate) fn internal_separator(&self) -> &[u8] {
        self.lowest().key()
    }

    /// Says what is wrong with the entry that was read last, which stands where `what` is told.
    pub(crate) fn corruption(&self, what: impl FnOnce(usize) -> Defect) -> Corruption {
        self.lowest().corruption(what(self.lowest().at()))
    }

    fn lowest(&self) -> &BlockCursor {
        self.partition.as_ref().unwrap_or(&self.top)
    }
}

/// Makes sure that the file has the partitions which the top level of an index leads to.
pub(crate) fn require_partitions(top: &Block, file: &FileTail) -> Result<(), Unread> {
    let mut partitions = Vec::new();
    walk(IndexCursor::new(top.clone(), false), file, |_, handle| {
        partitions.push(handle);
        Ok(())
    })?;
    file.require(&partitions)
}

/// Hands each entry to `each`: the cursor at it, and where its block stands. Blocks stand in the file, one after the other.
pub(crate) fn walk(
    mut cursor: IndexCursor,
    file: &FileTail,
    mut each: impl FnMut(&IndexCursor, BlockHandle) -> Result<(), Corruption>,
) -> Result<(), Corruption> {
    let mut previous_end = 0;
    while let Some(handle) = cursor.advance(file)? {
        file.check_place(handle)?;
        if handle.offset < previous_end {
            return Err(cursor.corruption(|at| Defect::IndexOverlap { at }));
        }
        previous_end = handle.offset + handle.size + TRAILER_LEN as u64;
        each(&cursor, handle)?;
    }
    Ok(())
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
