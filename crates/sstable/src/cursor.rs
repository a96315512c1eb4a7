//! The records of a table in key order.

use bytes::Bytes;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::index::IndexCursor;
use crate::{Corruption, Defect, Table};

/// Walks a table's records in key order, from the first unless it seeks. It owns a clone of its table.
///
/// After a corruption it returns that same error until it seeks again, so that no part of a table passes for the whole.
#[derive(Debug, Clone)]
pub struct Cursor {
    table: Table,
    index: IndexCursor,
    block: BlockCursor,
    position: Position,
}

/// The key and the value of a record.
pub type Record<'a> = (&'a [u8], &'a [u8]);

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

impl Cursor {
    pub(crate) fn new(table: Table) -> Self {
        let index = IndexCursor::new(&table);
        let block = BlockCursor::new(Block::empty(), KeyForm::Record);
        Self { table, index, block, position: Position::Between }
    }

    /// Goes before the first record: the next [`next`](Self::next) returns it.
    pub fn seek_to_first(&mut self) {
        self.index = IndexCursor::new(&self.table);
        self.block = BlockCursor::new(Block::empty(), KeyForm::Record);
        self.position = Position::Between;
    }

    /// Goes before the first record whose key is `key` or after it: the next [`next`](Self::next) returns it.
    pub fn seek(&mut self, key: &[u8]) -> Result<(), Corruption> {
        let position = self.find(key);
        self.settle(position)
    }

    /// Steps to the next record and returns its key and value, or `None` at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "the record borrows from the cursor, which no `Iterator` allows"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, Corruption> {
        self.step()?;
        if self.position != Position::At {
            return Ok(None);
        }
        Ok(Some((self.block.user_key(), self.block.value())))
    }

    /// The key of the record that [`next`](Self::next) returned, if it was the last thing done and returned one.
    pub fn key(&self) -> Option<&[u8]> {
        (self.position == Position::At).then(|| self.block.user_key())
    }

    /// The value of the record that [`key`](Self::key) is of, sharing the memory of its block.
    pub fn value(&self) -> Option<Bytes> {
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

    /// Reads the next record, from the next block that has one if need be.
    #[inline]
    fn advance(&mut self) -> Result<Position, Corruption> {
        while !self.block.advance()? {
            let Some(handle) = self.index.advance(&self.table)? else {
                return Ok(Position::End);
            };
            self.block.enter(self.table.read_block(handle)?);
        }
        Ok(Position::At)
    }

    fn find(&mut self, key: &[u8]) -> Result<Position, Corruption> {
        let Some(handle) = self.index.seek(&self.table, key)? else {
            return Ok(Position::End);
        };
        self.block.enter(self.table.read_block(handle)?);
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
