//! Parts of the new tree.

use std::sync::Arc;

use braid_sstable::Table;
use bytes::Bytes;

use crate::checkpoints::Checkpoints;
use crate::range_builder::RangeBuilder;
use crate::run::Bounds;
use crate::{RangeDescriptor, TreeError, TreeFormat};

/// A part of the new tree, as it is if it begins where a range begins.
pub(crate) enum Piece {
    /// A range of another tree as it is, or a part of it.
    Reused(Reused),
    /// A range that is to be written.
    Written(Written),
    /// The range before ends here, wherever that is: a foreign range did.
    End,
    /// Records of a range that goes on.
    Open(Box<RangeBuilder>),
}

/// A range of another tree, or a part of it.
#[derive(Debug, Clone)]
pub(crate) struct Reused {
    pub(crate) range: RangeDescriptor,
    /// Whether it is that tree's last: then it may end only because the tree does.
    pub(crate) is_last: bool,
    /// Whether it is of the source of a merge.
    pub(crate) is_taken: bool,
    /// Only the records within these bounds; without bounds, the whole range.
    pub(crate) part: Bounds,
}

impl Reused {
    /// A whole range.
    pub(crate) fn whole(range: RangeDescriptor, is_last: bool) -> Self {
        Self { range, is_last, is_taken: false, part: Bounds::default() }
    }

    /// Whether all of the range is meant.
    pub(crate) fn is_whole(&self) -> bool {
        self.part == Bounds::default()
    }

    /// Both parts together, if they are parts of one range without anything between.
    pub(crate) fn joined(&self, next: &Self) -> Option<Self> {
        let meet =
            self.range.id == next.range.id && self.part.until.is_some() && self.part.until == next.part.from;
        let part = Bounds { from: self.part.from.clone(), until: next.part.until.clone() };
        meet.then(|| Self { part, ..self.clone() })
    }

    /// Whether records that follow it belong into it.
    pub(crate) fn goes_on(&self, format: &TreeFormat) -> bool {
        self.is_last && !format.is_closed(&self.range)
    }
}

/// A range that is finished and not in the store yet.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) range: RangeDescriptor,
    pub(crate) file: Bytes,
}

impl Written {
    /// Finishes a range, and remembers where its blocks end.
    pub(crate) fn of(mut builder: RangeBuilder, known: &Checkpoints) -> Result<Self, TreeError> {
        let (format, checkpoints) = (builder.format(), builder.take_checkpoints());
        let (range, file) = builder.finish()?;
        known.remember(range.id, format, checkpoints);
        Ok(Self { range, file })
    }
}

/// Makes pieces of records and ranges in key order.
pub(crate) struct Pieces {
    format: TreeFormat,
    known: Arc<Checkpoints>,
    done: Vec<Piece>,
    open: Option<RangeBuilder>,
}

impl Pieces {
    /// Pieces that begin where a range begins, or in the range that is open.
    pub(crate) fn new(format: TreeFormat, known: &Arc<Checkpoints>, open: Option<RangeBuilder>) -> Self {
        Self { format, known: Arc::clone(known), done: Vec::new(), open }
    }

    /// Begins a range with blocks of another at once, up to the last place before the block `before` that is known of it. Gives how
    /// many blocks those are, and the bytes of their records.
    pub(crate) fn begin_with(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        before: usize,
    ) -> Result<Option<(usize, u64)>, TreeError> {
        assert!(self.is_at_boundary(), "a range that is being written would be cut short");
        let Some(known) = self.known.of(&range.id, self.format) else {
            return Ok(None);
        };
        let count = known.partition_point(|checkpoint| checkpoint.table.blocks() <= before);
        let resumed = RangeBuilder::resume(self.format, &range.min_key, table, &known[..count]);
        self.open = resumed.map_err(|corruption| TreeError::corruption(range.id, &corruption))?;
        let last = self.open.as_ref().and(known[..count].last());
        Ok(last.map(|last| (last.table.blocks(), last.table.raw_bytes())))
    }

    /// Whether the next record begins a range.
    pub(crate) fn is_at_boundary(&self) -> bool {
        self.open.is_none()
    }

    /// Adds a record.
    #[inline]
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        let range = self.open.get_or_insert_with(|| RangeBuilder::new(self.format, key));
        match range.add(key, value)? {
            true => self.close(),
            false => Ok(()),
        }
    }

    /// Adds the records of a range's block as it is stored there, if that makes no difference, and says whether it did.
    #[inline]
    pub(crate) fn add_block(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        block: usize,
        each: impl FnMut(&[u8], &[u8]),
    ) -> Result<bool, TreeError> {
        // Of blocks but the first it is not known without reading them with which key a range would begin.
        if self.open.is_none() && block > 0 {
            return Ok(false);
        }
        let open = self.open.get_or_insert_with(|| RangeBuilder::new(self.format, &range.min_key));
        let added = open.add_block(table, block, each);
        match added.map_err(|corruption| TreeError::corruption(range.id, &corruption))? {
            Some(true) => self.close()?,
            Some(false) => {}
            None if open.is_empty() => {
                self.open = None;
                return Ok(false);
            }
            None => return Ok(false),
        }
        Ok(true)
    }

    /// Adds a range as it is, at a boundary.
    pub(crate) fn reuse(&mut self, range: Reused) {
        assert!(self.is_at_boundary(), "a range that is being written would be cut short");
        self.done.push(Piece::Reused(range));
    }

    /// Ends the range that is being written, if there is one, and any that will be there instead.
    pub(crate) fn end(&mut self) -> Result<(), TreeError> {
        self.close()?;
        self.done.push(Piece::End);
        Ok(())
    }

    /// The pieces; the last may be open.
    pub(crate) fn finish(mut self) -> Vec<Piece> {
        self.done.extend(self.open.map(|open| Piece::Open(Box::new(open))));
        self.done
    }

    fn close(&mut self) -> Result<(), TreeError> {
        if let Some(range) = self.open.take() {
            self.done.push(Piece::Written(Written::of(range, &self.known)?));
        }
        Ok(())
    }
}
