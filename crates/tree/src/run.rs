//! The records of ranges that are open, one range after the other.

use std::vec;

use braid_sstable::{Cursor, Table};
use braid_types::RangeId;
use bytes::Bytes;

use crate::arena::Arena;
use crate::value::identity;
use crate::{RangeDescriptor, Record, TreeError, Value, ValueError};

/// Some keys of a tree. `None` is no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The first key, if it is there.
    pub(crate) from: Option<Bytes>,
    /// The first key behind them.
    pub(crate) until: Option<Bytes>,
}

impl Bounds {
    /// Whether keys of the range lie before the bounds.
    pub(crate) fn cut_start_of(&self, range: &RangeDescriptor) -> bool {
        self.from.as_ref().is_some_and(|from| range.min_key < from)
    }

    /// Whether keys of the range lie behind the bounds.
    pub(crate) fn cut_end_of(&self, range: &RangeDescriptor) -> bool {
        self.until.as_ref().is_some_and(|until| range.max_key >= until)
    }

    /// Where the bounds cut the range.
    pub(crate) fn within(&self, range: &RangeDescriptor) -> Self {
        let from = self.from.clone().filter(|_| self.cut_start_of(range));
        let until = self.until.clone().filter(|_| self.cut_end_of(range));
        Self { from, until }
    }

    /// Whether all keys of the range are meant.
    pub(crate) fn hold(&self, range: &RangeDescriptor) -> bool {
        !self.cut_start_of(range) && !self.cut_end_of(range)
    }
}

/// A range and its table.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) range: RangeDescriptor,
    pub(crate) table: Table,
}

/// Walks the records within bounds of ranges that follow each other.
pub(crate) struct Run {
    ranges: vec::IntoIter<Opened>,
    bounds: Bounds,
    open: Option<OpenRange>,
}

struct OpenRange {
    id: RangeId,
    cursor: Cursor,
    /// Where the run ends, if that is within the range.
    until: Option<Bytes>,
    /// Of the record at which the run stands.
    identity: Vec<u8>,
}

impl Run {
    /// A run before its first record.
    pub(crate) fn new(ranges: Vec<Opened>, bounds: Bounds) -> Self {
        Self { ranges: ranges.into_iter(), bounds, open: None }
    }

    /// Steps to the next record, and says whether there is one.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool, TreeError> {
        loop {
            if let Some(open) = &mut self.open
                && open.advance()?
            {
                return Ok(true);
            }
            if !self.enter()? {
                return Ok(false);
            }
        }
    }

    /// Steps to the first record whose key is `key` or after it, and says whether there is one. If the run stands behind that
    /// already, it steps to the next one. Ranges and blocks that have smaller keys alone are not read.
    pub(crate) fn advance_to(&mut self, key: &[u8]) -> Result<bool, TreeError> {
        loop {
            if let Some(open) = &mut self.open
                && open.advance_to(key)?
            {
                return Ok(true);
            }
            while self.ranges.as_slice().first().is_some_and(|next| &next.range.max_key[..] < key) {
                self.ranges.next();
            }
            if !self.enter()? {
                return Ok(false);
            }
        }
    }

    /// The key of the record at which the run stands; `None` at the end and before the first.
    #[inline]
    pub(crate) fn key(&self) -> Option<&[u8]> {
        self.open.as_ref()?.cursor.key()
    }

    /// The value of the record at which the run stands.
    ///
    /// # Panics
    /// If it stands at none.
    #[inline]
    pub(crate) fn value(&self) -> Bytes {
        self.open.as_ref().and_then(|open| open.cursor.value()).expect("the run stands at a record")
    }

    /// What makes the record at which the run stands the same content as another.
    ///
    /// # Panics
    /// If it stands at none.
    #[inline]
    pub(crate) fn identity(&self) -> &[u8] {
        &self.open.as_ref().expect("the run stands at a record").identity
    }

    /// The error of the record at which the run stands.
    fn corrupt(&self, what: &ValueError) -> TreeError {
        let open = self.open.as_ref().expect("the run stands at a record");
        corrupt_value(open.id, open.cursor.key().unwrap_or_default(), what)
    }

    /// The range in which the run stands; at first, the first one.
    fn at_hand(&mut self) -> Result<Option<&mut OpenRange>, TreeError> {
        if self.open.is_none() {
            self.enter()?;
        }
        Ok(self.open.as_mut())
    }

    /// Goes before the first record of the next range.
    fn enter(&mut self) -> Result<bool, TreeError> {
        self.open = None;
        let Some(Opened { range, table }) = self.ranges.next() else {
            return Ok(false);
        };
        let mut cursor = table.cursor();
        let Bounds { from, until } = self.bounds.within(&range);
        if let Some(from) = from {
            cursor.seek(&from).map_err(|corruption| TreeError::corruption(range.id, &corruption))?;
        }
        self.open = Some(OpenRange { id: range.id, cursor, until, identity: Vec::new() });
        Ok(true)
    }
}

impl OpenRange {
    #[inline]
    fn advance(&mut self) -> Result<bool, TreeError> {
        self.cursor.next().map_err(|corruption| TreeError::corruption(self.id, &corruption))?;
        self.stand()
    }

    fn advance_to(&mut self, key: &[u8]) -> Result<bool, TreeError> {
        self.cursor.step_to(key).map_err(|corruption| TreeError::corruption(self.id, &corruption))?;
        self.stand()
    }

    /// Takes note of the record at which the cursor stands, and says whether there is one within the bounds.
    #[inline]
    fn stand(&mut self) -> Result<bool, TreeError> {
        let Some((key, value)) = self.cursor.record() else {
            return Ok(false);
        };
        if self.until.as_ref().is_some_and(|until| key >= &until[..]) {
            return Ok(false);
        }
        let identity = identity(value).map_err(|error| corrupt_value(self.id, key, &error))?;
        self.identity.clear();
        self.identity.extend_from_slice(identity);
        Ok(true)
    }
}

/// Steps over blocks that two runs have in common. Both have looked at all records up to where they stand.
pub(crate) fn skip_equal(one: &mut Run, other: &mut Run) -> Result<(), TreeError> {
    let (Some(one), Some(other)) = (one.at_hand()?, other.at_hand()?) else {
        return Ok(());
    };
    // A block may reach beyond the end of the run.
    if one.until.is_none() && other.until.is_none() {
        braid_sstable::skip_equal_blocks(&mut one.cursor, &mut other.cursor)
            .map_err(|corruption| TreeError::corruption(one.id, &corruption))?;
    }
    Ok(())
}

fn corrupt_value(id: RangeId, key: &[u8], what: &ValueError) -> TreeError {
    TreeError::corrupt(id, format!("value of '{}': {what}", key.escape_ascii()))
}

/// Makes records of their own of those at which runs stand.
#[derive(Debug, Default)]
pub(crate) struct Recorder(Arena);

impl Recorder {
    /// The key of the record at which a run stands.
    pub(crate) fn key(&mut self, run: &Run) -> Bytes {
        self.0.copy(run.key().expect("the run stands at a record"))
    }

    /// The record at which a run stands, whose key was copied before.
    pub(crate) fn record(&mut self, key: &Bytes, run: &Run) -> Result<Record, TreeError> {
        let value = Value::from_bytes(self.0.copy(&run.value())).map_err(|error| run.corrupt(&error))?;
        Ok(Record { key: key.clone(), value })
    }
}
