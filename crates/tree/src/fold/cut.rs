//! Cuts changes into units, by the ranges that they touch.
//!
//! A unit is some ranges that follow each other and are all touched, with the changes up to the last of their keys; or
//! changes between ranges or behind them. Where it can, a unit begins where a range of the new tree begins if nothing
//! changes before it. Between units lie ranges that no change touches.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use crate::plan::Ramp;
use crate::run::Bounds;
use crate::{Change, Metarange, RangeDescriptor, TreeFormat, key_after};

/// How many times the size asked for a unit its changes may have, where there is no good place to end it.
const PATIENCE: u64 = 4;

/// Changes, and the base's ranges that have keys of theirs.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Where the unit begins or ends within ranges.
    pub(crate) bounds: Bounds,
    /// Indices of ranges of the base.
    pub(crate) ranges: Range<usize>,
    /// In key order; deletions only of keys in the ranges.
    pub(crate) changes: Vec<Change>,
}

/// Takes changes in key order and gives units.
pub(crate) struct Cutter {
    base: Arc<Metarange>,
    format: TreeFormat,
    ramp: Ramp,
    unit: Cut,
    /// Bytes of the unit's ranges.
    range_bytes: u64,
    /// Bytes of its changes.
    change_bytes: u64,
    /// Bytes since a boundary of what the unit makes, where that is known from the changes alone.
    since_boundary: Option<u64>,
    /// Whether the last change lies behind the unit's ranges.
    is_behind: bool,
}

impl Cutter {
    /// Cuts changes of `base` into units of the ramp's sizes.
    pub(crate) fn new(base: Arc<Metarange>, format: TreeFormat, ramp: Ramp) -> Self {
        Self {
            base,
            format,
            ramp,
            unit: Cut::default(),
            range_bytes: 0,
            change_bytes: 0,
            since_boundary: Some(0),
            is_behind: false,
        }
    }

    /// Takes the next change. Gives a unit if one is complete without it.
    pub(crate) fn push(&mut self, change: Change) -> Option<Cut> {
        let at = self.position(&change);
        let is_inside = self.base.ranges().get(at).is_some_and(|range| range.min_key <= change.key);
        if !is_inside && change.value.is_none() {
            return None;
        }
        let done = self.end_before(at);
        self.add(change, at, is_inside);
        done
    }

    /// Gives the last unit.
    pub(crate) fn finish(mut self) -> Option<Cut> {
        self.go_on_to_next_range();
        (!self.unit.changes.is_empty()).then_some(self.unit)
    }

    /// Index of the first range that does not lie before the change.
    fn position(&self, change: &Change) -> usize {
        let nearest = self.unit.ranges.end.saturating_sub(1);
        let ranges = &self.base.ranges()[nearest..];
        // Mostly it is the range of the change before.
        match ranges.first() {
            Some(range) if change.key <= range.max_key => nearest,
            _ => nearest + ranges.partition_point(|range| range.max_key < change.key),
        }
    }

    /// Ends the unit if a change of the range at `at`, or before it, is not to be part of it.
    fn end_before(&mut self, at: usize) -> Option<Cut> {
        if self.unit.changes.is_empty() {
            self.begin(at);
            return None;
        }
        if at > self.unit.ranges.end {
            self.go_on_to_next_range();
            return Some(self.end(at));
        }
        let is_full = self.range_bytes + self.change_bytes >= self.ramp.size();
        let is_long = self.change_bytes >= self.ramp.size().saturating_mul(PATIENCE);
        if at < self.unit.ranges.end {
            return is_long.then(|| self.split(at));
        }
        let at_boundary = match self.is_behind {
            true => self.since_boundary == Some(0),
            // Mostly the base's range ends at a boundary still, if it did not just end with the tree.
            false => at < self.base.ranges().len(),
        };
        ((is_full && at_boundary) || is_long).then(|| self.end(at))
    }

    /// Begins a unit at the range at `at`, or before it.
    fn begin(&mut self, at: usize) {
        let first = self.unit.ranges.end;
        self.unit.ranges = at..at;
        self.since_boundary = Some(0);
        // What comes behind the tree's last range belongs into it, if it ended only because the tree did.
        if let Some(last) = self.base.ranges().last()
            && at == self.base.ranges().len()
            && first < at
            && !self.format.is_closed(last)
        {
            self.unit.ranges = at - 1..at;
            self.range_bytes = last.size;
            self.since_boundary = Some(last.size);
            self.is_behind = true;
        }
    }

    /// Ends the unit before a change of the range at `at`, or before it.
    fn end(&mut self, at: usize) -> Cut {
        let done = mem::take(&mut self.unit);
        self.unit.ranges = done.ranges.end..done.ranges.end;
        self.ramp.step();
        (self.range_bytes, self.change_bytes) = (0, 0);
        self.is_behind = false;
        self.begin(at);
        done
    }

    /// Ends the unit within a range, behind the last change.
    fn split(&mut self, at: usize) -> Cut {
        let behind = self.unit.changes.last().map(|change| key_after(&change.key));
        let mut done = self.end(at);
        done.bounds.until.clone_from(&behind);
        self.unit.bounds.from = behind;
        let range = self.base.ranges()[at].clone();
        self.include(at, &range);
        done
    }

    fn add(&mut self, change: Change, at: usize, is_inside: bool) {
        let record = change.key.len() + change.value.as_ref().map_or(0, |value| value.as_bytes().len());
        self.change_bytes += (record + size_of::<Change>()) as u64;
        self.is_behind = !is_inside && at == self.unit.ranges.end;
        if is_inside && at == self.unit.ranges.end {
            let range = self.base.ranges()[at].clone();
            self.include(at, &range);
        }
        if let Some(size) = &mut self.since_boundary {
            *size += record as u64;
            if self.format.ends_after(*size, &change.key) {
                *size = 0;
            }
        }
        self.unit.changes.push(change);
    }

    fn include(&mut self, at: usize, range: &RangeDescriptor) {
        self.unit.ranges.end = at + 1;
        self.range_bytes += range.size;
        self.since_boundary = None;
    }

    /// Records that were put before a range go on into it.
    fn go_on_to_next_range(&mut self) {
        if self.is_behind && self.since_boundary != Some(0) && self.unit.ranges.end < self.base.ranges().len()
        {
            self.unit.ranges.end += 1;
        }
    }
}
