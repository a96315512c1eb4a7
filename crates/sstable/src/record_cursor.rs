//! Walks records from block to block.

use bytes::Bytes;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::{Corruption, Defect, Record};

/// Data blocks in key order.
pub(crate) trait Blocks {
    /// Goes before the first block.
    fn rewind(&mut self);

    /// Goes to the block that has the first record at or after `key`, or the one before it, and reads it. `None` if all keys are
    /// below.
    fn seek(&mut self, key: &[u8]) -> Result<Option<Block>, Corruption>;

    /// Reads the next block; `None` after the last.
    fn next(&mut self) -> Result<Option<Block>, Corruption>;
}

/// Walks the records of blocks in key order, from the first unless it seeks.
///
/// After a corruption it returns that same error until it seeks again, so that no part passes for the whole.
#[derive(Debug, Clone)]
pub(crate) struct RecordCursor<B> {
    blocks: B,
    block: BlockCursor,
    position: Position,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Position {
    /// Before the record after the one read last.
    Between,
    /// Before the record read last: a seek read it to find it.
    Before,
    /// At the record read last.
    At,
    /// After the last record.
    End,
    Failed(Corruption),
}

/// Which block a cursor stands at the start of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BlockStart {
    OfLast,
    OfNext,
}

impl<B: Blocks> RecordCursor<B> {
    pub(crate) fn new(blocks: B) -> Self {
        let block = BlockCursor::new(Block::empty(), KeyForm::Record);
        Self { blocks, block, position: Position::Between }
    }

    pub(crate) fn seek_to_first(&mut self) {
        self.blocks.rewind();
        self.block = BlockCursor::new(Block::empty(), KeyForm::Record);
        self.position = Position::Between;
    }

    pub(crate) fn seek(&mut self, key: &[u8]) -> Result<(), Corruption> {
        let position = self.find(key);
        self.settle(position)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Option<Record<'_>>, Corruption> {
        self.step()?;
        Ok(self.record())
    }

    #[inline]
    pub(crate) fn record(&self) -> Option<Record<'_>> {
        (self.position == Position::At).then(|| (self.block.user_key(), self.block.value()))
    }

    pub(crate) fn key(&self) -> Option<&[u8]> {
        (self.position == Position::At).then(|| self.block.user_key())
    }

    pub(crate) fn value(&self) -> Option<Bytes> {
        (self.position == Position::At).then(|| self.block.value_bytes())
    }

    #[inline]
    fn step(&mut self) -> Result<(), Corruption> {
        match &self.position {
            Position::Before => self.position = Position::At,
            Position::End => {}
            Position::Failed(corruption) => return Err(corruption.clone()),
            Position::Between | Position::At => {
                let position = self.advance();
                return self.settle(position);
            }
        }
        Ok(())
    }

    /// Whether it stands before the first record of a block: of the one read last, or else of the next.
    pub(crate) fn block_start(&self) -> Option<BlockStart> {
        match self.position {
            Position::Before if self.block.at() == 0 => Some(BlockStart::OfLast),
            Position::Between | Position::At if self.block.is_at_end() => Some(BlockStart::OfNext),
            _ => None,
        }
    }

    /// Goes on at the next block, past all keys up to `separator`, and hands out the blocks to move them.
    pub(crate) fn pass(&mut self, separator: &[u8]) -> &mut B {
        self.block.pass(separator);
        self.position = Position::Between;
        &mut self.blocks
    }

    pub(crate) fn blocks(&self) -> &B {
        &self.blocks
    }

    /// Reads the next record, from the next block that has one if need be.
    #[inline]
    fn advance(&mut self) -> Result<Position, Corruption> {
        while !self.block.advance()? {
            let Some(block) = self.blocks.next()? else {
                return Ok(Position::End);
            };
            self.block.enter(block);
        }
        Ok(Position::At)
    }

    fn find(&mut self, key: &[u8]) -> Result<Position, Corruption> {
        let Some(block) = self.blocks.seek(key)? else {
            return Ok(Position::End);
        };
        self.block.enter(block);
        if self.block.seek(key)? {
            return Ok(Position::Before);
        }
        // A separator may be above all of its block's keys; then the next block's first record is the one sought.
        if self.advance()? == Position::End {
            return Ok(Position::End);
        }
        if self.block.user_key() < key {
            return Err(self.block.corruption(Defect::SeparatorBounds));
        }
        Ok(Position::Before)
    }

    #[inline]
    fn settle(&mut self, position: Result<Position, Corruption>) -> Result<(), Corruption> {
        match position {
            Ok(position) => {
                self.position = position;
                Ok(())
            }
            Err(corruption) => {
                self.position = Position::Failed(corruption.clone());
                Err(corruption)
            }
        }
    }
}
