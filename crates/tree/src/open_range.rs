//! A range whose records are read, block by block.

use std::ops::Range;
use std::sync::Arc;

use braid_sstable::{Corruption, DataBlock, DataCursor, Table, TableIndex};
use braid_types::RangeId;
use bytes::Bytes;

use crate::arena::Arena;
use crate::{RangeDescriptor, Record, TreeError, Value};

/// A range of which some blocks are at hand, or all.
pub(crate) struct OpenRange {
    id: RangeId,
    max_key: Bytes,
    blocks: Blocks,
    /// The block in which it stands, or before which.
    at: usize,
    /// Where in that block to begin, once it is at hand.
    from: Option<Bytes>,
    /// The records of that block that are still to come.
    records: Option<DataCursor>,
    /// Whether the range's greatest key was met.
    met_max_key: bool,
    /// Where keys are copied to.
    keys: Arena,
}

/// Where blocks come from.
enum Blocks {
    /// The whole file.
    Whole(Table),
    /// What was read of it last: neighbours, the first of which has this number.
    Read { index: Arc<TableIndex>, first: usize, run: Vec<DataBlock> },
}

/// What a step in a range came to.
pub(crate) enum Stepped {
    /// A record.
    Record(Record),
    /// The block with the next record is not at hand.
    Unread,
    /// There are no more records.
    End,
}

impl OpenRange {
    /// A range whose file is in memory.
    pub(crate) fn whole(range: &RangeDescriptor, table: Table) -> Self {
        Self::new(range, Blocks::Whole(table))
    }

    /// A range of which only the index is read.
    pub(crate) fn indexed(range: &RangeDescriptor, index: Arc<TableIndex>) -> Self {
        Self::new(range, Blocks::Read { index, first: 0, run: Vec::new() })
    }

    fn new(range: &RangeDescriptor, blocks: Blocks) -> Self {
        Self {
            id: range.id,
            max_key: range.max_key.clone(),
            blocks,
            at: 0,
            from: None,
            records: None,
            met_max_key: false,
            keys: Arena::default(),
        }
    }

    pub(crate) fn index(&self) -> &TableIndex {
        match &self.blocks {
            Blocks::Whole(table) => table.index(),
            Blocks::Read { index, .. } => index,
        }
    }

    /// What it takes to read blocks of it.
    pub(crate) fn source(&self) -> (RangeId, Arc<TableIndex>) {
        match &self.blocks {
            Blocks::Whole(_) => unreachable!("of a whole file nothing is read any more"),
            Blocks::Read { index, .. } => (self.id, Arc::clone(index)),
        }
    }

    /// The block that is needed next.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The numbers of the blocks at hand.
    pub(crate) fn at_hand(&self) -> Range<usize> {
        match &self.blocks {
            Blocks::Whole(table) => 0..table.index().blocks(),
            Blocks::Read { first, run, .. } => *first..*first + run.len(),
        }
    }

    /// Goes before the first record from a key on, which is not above the range's greatest, or before the first of all.
    pub(crate) fn seek(&mut self, from: Option<Bytes>) -> Result<(), TreeError> {
        self.at = match &from {
            Some(key) => self.index().find(key).ok_or_else(|| TreeError::ends_early(self.id))?,
            None => 0,
        };
        self.records = None;
        self.from = from;
        Ok(())
    }

    /// Takes blocks that were read, the first of which has this number, and lets go those that were at hand.
    pub(crate) fn load(&mut self, start: usize, blocks: Vec<DataBlock>) {
        let Blocks::Read { first, run, .. } = &mut self.blocks else {
            unreachable!("of a whole file nothing is read any more");
        };
        (*first, *run) = (start, blocks);
    }

    /// Steps to the next record. After an error there is no going on but by a seek.
    #[inline]
    pub(crate) fn step(&mut self) -> Result<Stepped, TreeError> {
        loop {
            if let Some(records) = &mut self.records {
                if let Some((key, _)) =
                    records.next().map_err(|found| TreeError::corruption(self.id, &found))?
                {
                    self.met_max_key = self.max_key == key;
                    let key = self.keys.copy(key);
                    let value = records.value().expect("the cursor is at a record");
                    return record(self.id, key, value).map(Stepped::Record);
                }
                self.records = None;
                self.at += 1;
            }
            if self.at == self.index().blocks() {
                return if self.met_max_key { Ok(Stepped::End) } else { Err(TreeError::ends_early(self.id)) };
            }
            if !self.enter().map_err(|found| TreeError::corruption(self.id, &found))? {
                return Ok(Stepped::Unread);
            }
        }
    }

    /// Begins with the block that is needed next, if it is at hand.
    fn enter(&mut self) -> Result<bool, Corruption> {
        let block = match &self.blocks {
            Blocks::Whole(table) => table.data_block(self.at)?,
            Blocks::Read { first, run, .. } => {
                let Some(block) = self.at.checked_sub(*first).and_then(|offset| run.get(offset)) else {
                    return Ok(false);
                };
                block.clone()
            }
        };
        let mut records = block.cursor();
        if let Some(key) = &self.from {
            records.seek(key)?;
        }
        self.from = None;
        self.records = Some(records);
        Ok(true)
    }
}

fn record(range: RangeId, key: Bytes, value: Bytes) -> Result<Record, TreeError> {
    match Value::from_bytes(value) {
        Ok(value) => Ok(Record { key, value }),
        Err(error) => Err(TreeError::corrupt(range, format!("value of '{}': {error}", key.escape_ascii()))),
    }
}
