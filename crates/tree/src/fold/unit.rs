//! Folds some changes into the ranges that they touch.

use std::cmp::Ordering;
use std::sync::Arc;
use std::vec;

use braid_sstable::{Cursor, Table};
use bytes::Bytes;

use super::foreign::EndCheck;
use super::piece::{Piece, Pieces, Reused};
use crate::checkpoints::Checkpoints;
use crate::range_builder::RangeBuilder;
use crate::run::{Bounds, Opened};
use crate::value::identity;
use crate::{Change, RangeDescriptor, TreeError, TreeFormat, Value};

/// A seek decodes a block again; a record that is near is cheaper to step to.
const STEPS_BEFORE_SEEK: usize = 16;

/// Ranges that follow each other, and changes of keys up to the first that comes behind them.
pub(crate) struct Unit {
    /// Where the unit begins or ends within ranges.
    pub(crate) bounds: Bounds,
    pub(crate) ranges: Vec<Opened>,
    /// Whether the last of them is the tree's last.
    pub(crate) has_last: bool,
    /// In key order. Deletions are of keys in the ranges.
    pub(crate) changes: Vec<Change>,
}

/// What became of a unit.
pub(crate) struct Output {
    pub(crate) pieces: Vec<Piece>,
    pub(crate) effect: Effect,
}

/// How many paths of a tree changes change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) added: u64,
    pub(crate) changed: u64,
    pub(crate) removed: u64,
}

/// Folds a unit from a place where a range begins. A range that no change has an effect on is reused.
pub(crate) fn fold_unit(
    format: TreeFormat,
    known: &Arc<Checkpoints>,
    unit: Unit,
) -> Result<Output, TreeError> {
    let mut fold = Fold {
        format,
        bounds: unit.bounds,
        changes: unit.changes.into_iter(),
        pieces: Pieces::new(format, known, None),
        effect: Effect::default(),
    };
    let last = unit.ranges.len();
    for (number, Opened { range, table }) in unit.ranges.into_iter().enumerate() {
        fold.range(range, &table, unit.has_last && number + 1 == last)?;
    }
    fold.add_new(None)?;
    Ok(Output { pieces: fold.pieces.finish(), effect: fold.effect })
}

/// Adds the records of a range to those of a range that is open before it.
pub(crate) fn pass_over(
    format: TreeFormat,
    known: &Arc<Checkpoints>,
    open: Option<RangeBuilder>,
    passed: &Passed,
) -> Result<Vec<Piece>, TreeError> {
    let mut pieces = Pieces::new(format, known, open);
    let Passed { range, table, part, keeps_end } = passed;
    let end = hand_on(format, range, table, part, &mut pieces)?;
    if *keeps_end && part.until.is_none() && end.is_foreign() {
        pieces.end()?;
    }
    Ok(pieces.finish())
}

/// What takes the records of a range.
trait Taker {
    /// Takes a range's first blocks, of so many at most, as [`Pieces::begin_with`].
    fn first_blocks(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        most: usize,
    ) -> Result<Option<(usize, u64)>, TreeError>;

    fn record(&mut self, range: &RangeDescriptor, key: &[u8], value: &[u8]) -> Result<(), TreeError>;

    /// Takes all of a block's records at once, as [`Pieces::add_block`], or says that they are to be handed on one by one.
    fn block(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        block: usize,
        each: impl FnMut(&[u8], &[u8]),
    ) -> Result<bool, TreeError>;
}

impl Taker for Pieces {
    /// Where a range is passed over, another one goes on through it as a rule.
    fn first_blocks(
        &mut self,
        _: &RangeDescriptor,
        _: &Table,
        _: usize,
    ) -> Result<Option<(usize, u64)>, TreeError> {
        Ok(None)
    }

    #[inline]
    fn record(&mut self, _: &RangeDescriptor, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        self.add(key, value)
    }

    fn block(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        block: usize,
        each: impl FnMut(&[u8], &[u8]),
    ) -> Result<bool, TreeError> {
        self.add_block(range, table, block, each)
    }
}

/// Hands each record of a part of a range on, by the block where it can. All records before the part's end count for the range's
/// end.
#[inline]
fn hand_on(
    format: TreeFormat,
    range: &RangeDescriptor,
    table: &Table,
    part: &Bounds,
    taker: &mut impl Taker,
) -> Result<EndCheck, TreeError> {
    let mut end = EndCheck::new(format);
    let mut cursor = table.cursor();
    // The last block ends where the range does, not where its content says.
    let whole_blocks = if *part == Bounds::default() { table.index().blocks() - 1 } else { 0 };
    if whole_blocks > 0
        && let Some((blocks, bytes)) = taker.first_blocks(range, table, whole_blocks)?
    {
        end = EndCheck::within(format, bytes);
        cursor.skip_to(blocks);
    }
    loop {
        if let Some(block) = cursor.next_block().filter(|block| *block < whole_blocks) {
            let mut end_then = end;
            if taker.block(range, table, block, |key, value| end_then.add(key, value))? {
                end = end_then;
                cursor.skip_to(block + 1);
                continue;
            }
        }
        let Some((key, value)) = step(&mut cursor, range)? else { break };
        if part.until.as_ref().is_some_and(|until| key >= &until[..]) {
            break;
        }
        end.add(key, value);
        if part.from.as_ref().is_none_or(|from| key >= &from[..]) {
            taker.record(range, key, value)?;
        }
    }
    Ok(end)
}

/// A range that an open one goes on through.
pub(crate) struct Passed {
    pub(crate) range: RangeDescriptor,
    pub(crate) table: Table,
    /// Which of its records are meant.
    pub(crate) part: Bounds,
    /// Whether it is another tree's range and not that tree's last: if it is foreign, its end stays.
    pub(crate) keeps_end: bool,
}

struct Fold {
    format: TreeFormat,
    bounds: Bounds,
    changes: vec::IntoIter<Change>,
    pieces: Pieces,
    effect: Effect,
}

impl Fold {
    /// Brings one range, and the changes up to its end, into the new tree.
    fn range(&mut self, range: RangeDescriptor, table: &Table, is_last: bool) -> Result<(), TreeError> {
        let reused = Reused { part: self.bounds.within(&range), ..Reused::whole(range, is_last) };
        if self.pieces.is_at_boundary() && !self.is_rewritten(&reused, table)? {
            self.pieces.reuse(reused);
            return Ok(());
        }
        let end = self.rewrite(&reused, table)?;
        if !is_last && reused.part.until.is_none() && end.is_foreign() {
            self.pieces.end()?;
        }
        Ok(())
    }

    fn is_rewritten(&mut self, reused: &Reused, table: &Table) -> Result<bool, TreeError> {
        if self.finds_effect(&reused.range, table)? {
            return Ok(true);
        }
        // What follows the tree's last range belongs into it if it ended only because the tree did.
        let is_end = reused.part.until.is_none();
        Ok(is_end && reused.goes_on(&self.format) && !self.changes.as_slice().is_empty())
    }

    /// Drops changes up to the range's end that have no effect, until one has.
    fn finds_effect(&mut self, range: &RangeDescriptor, table: &Table) -> Result<bool, TreeError> {
        let mut finder = Finder { range, cursor: table.cursor(), is_behind: false };
        while let Some(change) = self.changes.as_slice().first() {
            if change.key > range.max_key {
                return Ok(false);
            }
            if change.key < range.min_key || finder.is_changed_by(change)? {
                return Ok(true);
            }
            self.changes.next();
        }
        Ok(false)
    }

    /// Merges a range's records with the changes up to its end.
    fn rewrite(&mut self, reused: &Reused, table: &Table) -> Result<EndCheck, TreeError> {
        hand_on(self.format, &reused.range, table, &reused.part, self)
    }

    /// Takes the changes before a key, or all that are left: they are of paths that the tree does not have. Gives how
    /// the next one lies to the key.
    fn add_new(&mut self, before: Option<&[u8]>) -> Result<Ordering, TreeError> {
        while let Some(change) = self.changes.as_slice().first() {
            let order = before.map_or(Ordering::Less, |before| change.key[..].cmp(before));
            if order != Ordering::Less {
                return Ok(order);
            }
            if let Some(Change { key, value: Some(value) }) = self.changes.next() {
                self.effect.added += 1;
                self.pieces.add(&key, value.as_bytes())?;
            }
        }
        Ok(Ordering::Greater)
    }

    /// Takes the change of a path that the tree has.
    fn replace(&mut self, range: &RangeDescriptor, key: &[u8], old: &[u8]) -> Result<(), TreeError> {
        let change = self.changes.next().expect("the caller saw the change");
        let Some(new) = change.value else {
            self.effect.removed += 1;
            return Ok(());
        };
        if identity_in(range, old)? == new.identity() {
            return self.pieces.add(key, old);
        }
        self.effect.changed += 1;
        self.pieces.add(key, new.as_bytes())
    }
}

impl Taker for Fold {
    fn first_blocks(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        most: usize,
    ) -> Result<Option<(usize, u64)>, TreeError> {
        let next = self.changes.as_slice().first();
        let touched = next.and_then(|change| table.index().find(&change.key)).unwrap_or(most);
        match self.pieces.is_at_boundary() {
            true => self.pieces.begin_with(range, table, touched.min(most)),
            false => Ok(None),
        }
    }

    /// Brings a record, and the changes up to its key, into the new tree.
    #[inline]
    fn record(&mut self, range: &RangeDescriptor, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        let Some(next) = self.changes.as_slice().first() else {
            return self.pieces.add(key, value);
        };
        let mut order = next.key[..].cmp(key);
        if order == Ordering::Less {
            order = self.add_new(Some(key))?;
        }
        match order {
            Ordering::Equal => self.replace(range, key, value),
            _ => self.pieces.add(key, value),
        }
    }

    /// A block is taken if no change comes before the next one.
    fn block(
        &mut self,
        range: &RangeDescriptor,
        table: &Table,
        block: usize,
        each: impl FnMut(&[u8], &[u8]),
    ) -> Result<bool, TreeError> {
        let next = self.changes.as_slice().first();
        if next.is_some_and(|change| table.index().find(&change.key).is_some_and(|at| at <= block)) {
            return Ok(false);
        }
        self.pieces.add_block(range, table, block, each)
    }
}

/// Finds keys of a range, one after the other.
struct Finder<'a> {
    range: &'a RangeDescriptor,
    cursor: Cursor,
    /// Whether the cursor stands behind the key found last, at a record or at the end.
    is_behind: bool,
}

impl Finder<'_> {
    /// Whether a change, of a key not before the one asked for last, changes what the range has.
    fn is_changed_by(&mut self, change: &Change) -> Result<bool, TreeError> {
        let old = self.find(&change.key)?;
        let old = old.as_deref().map(|value| identity_in(self.range, value)).transpose()?;
        Ok(old != change.value.as_ref().map(Value::identity))
    }

    fn find(&mut self, key: &[u8]) -> Result<Option<Bytes>, TreeError> {
        self.go_to(key)?;
        match self.cursor.key() == Some(key) {
            true => Ok(self.cursor.value()),
            false => Ok(None),
        }
    }

    /// Goes to the first record from a key on.
    fn go_to(&mut self, key: &[u8]) -> Result<(), TreeError> {
        for _ in 0..STEPS_BEFORE_SEEK {
            if self.is_behind && self.cursor.key().is_none_or(|here| here >= key) {
                return Ok(());
            }
            step(&mut self.cursor, self.range)?;
            self.is_behind = true;
        }
        self.cursor.seek(key).map_err(|corruption| TreeError::corruption(self.range.id, &corruption))?;
        step(&mut self.cursor, self.range)?;
        Ok(())
    }
}

fn step<'c>(
    cursor: &'c mut Cursor,
    range: &RangeDescriptor,
) -> Result<Option<braid_sstable::Record<'c>>, TreeError> {
    cursor.next().map_err(|corruption| TreeError::corruption(range.id, &corruption))
}

fn identity_in<'v>(range: &RangeDescriptor, value: &'v [u8]) -> Result<&'v [u8], TreeError> {
    identity(value).map_err(|error| TreeError::corrupt(range.id, error.to_string()))
}
