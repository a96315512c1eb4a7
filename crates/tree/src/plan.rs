//! Where trees differ, found out from their metaranges alone.
//!
//! Going through the ranges of some trees at once in key order, ranges that overlap belong together; they make up an
//! *interval* of keys at whose ends no range goes on. Where all trees have the same range there is nothing to look
//! into, and no interval. One with many ranges is cut, so that what is looked into at a time is bounded: a range
//! across the cut is part of both intervals.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;

use crate::run::Bounds;
use crate::{Metarange, RangeDescriptor};

/// How far beyond the size asked for an interval may go to end where a range of the first tree begins.
const PATIENCE: u64 = 4;

/// Sizes of units of work: the first are small, so that something is there early.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ramp {
    next: u64,
    most: u64,
}

impl Ramp {
    /// Sizes from `first` bytes to `most`, each twice the one before.
    pub(crate) fn new(first: u64, most: u64) -> Self {
        Self { next: first.min(most), most }
    }

    /// The size of the unit that is being made.
    pub(crate) fn size(&self) -> u64 {
        self.next
    }

    /// Goes on to the next unit.
    pub(crate) fn step(&mut self) {
        self.next = self.next.saturating_mul(2).min(self.most);
    }
}

/// Keys of `K` trees, and each tree's ranges that may have some of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Interval<const K: usize> {
    /// Where the interval begins or ends within ranges. Without bounds, it has all keys of its ranges.
    pub(crate) bounds: Bounds,
    /// Of each tree the indices of its ranges.
    pub(crate) ranges: [Range<usize>; K],
}

impl<const K: usize> Interval<K> {
    /// Whether all keys of its ranges are in it.
    pub(crate) fn is_whole(&self) -> bool {
        self.bounds == Bounds::default()
    }
}

/// The intervals in which trees may differ, in key order. Nothing is computed ahead.
#[derive(Debug, Clone)]
pub(crate) struct Plan<const K: usize> {
    trees: [Arc<Metarange>; K],
    /// Of each tree the first range that is not behind.
    heads: [usize; K],
    /// Where the next interval begins, if that may be within ranges.
    from: Option<Bytes>,
    until: Option<Bytes>,
    ramp: Ramp,
}

impl<const K: usize> Plan<K> {
    /// The intervals within `bounds`. An interval is ended before a range when it has the ramp's size: at one of the
    /// first tree if that is not far.
    pub(crate) fn new(trees: [Arc<Metarange>; K], bounds: Bounds, ramp: Ramp) -> Self {
        let Bounds { from, until } = bounds;
        let is_empty = from.as_ref().is_some_and(|from| until.as_ref().is_some_and(|until| from >= until));
        let heads = std::array::from_fn(|k| match &from {
            _ if is_empty => trees[k].ranges().len(),
            Some(from) => trees[k].position(from),
            None => 0,
        });
        Self { trees, heads, from, until, ramp }
    }

    /// The ranges of one tree in an interval.
    pub(crate) fn ranges(&self, interval: &Interval<K>, tree: usize) -> &[RangeDescriptor] {
        &self.trees[tree].ranges()[interval.ranges[tree].clone()]
    }

    /// Whether two trees have the same ranges in an interval.
    pub(crate) fn same(&self, interval: &Interval<K>, left: usize, right: usize) -> bool {
        same_ranges(self.ranges(interval, left), self.ranges(interval, right))
    }

    /// The first key that the next interval can have; `None` if there is none.
    pub(crate) fn first_key(&mut self) -> Option<Bytes> {
        self.skip_equal();
        let (_, range) = self.lowest(&self.heads)?;
        Some(self.from.clone().unwrap_or_default().max(range.min_key.clone()))
    }

    /// Passes over ranges that all trees have.
    fn skip_equal(&mut self) {
        while let Some(first) = self.head(0)
            && self.until.as_ref().is_none_or(|until| first.min_key < until)
            && (1..K).all(|k| self.head(k).is_some_and(|range| range.id == first.id))
        {
            self.heads = self.heads.map(|head| head + 1);
            self.from = None;
        }
    }

    fn head(&self, tree: usize) -> Option<&RangeDescriptor> {
        self.trees[tree].ranges().get(self.heads[tree])
    }

    /// The tree whose range at its index has the lowest first key, and that range.
    fn lowest(&self, at: &[usize; K]) -> Option<(usize, &RangeDescriptor)> {
        let heads = (0..K).filter_map(|k| Some((k, self.trees[k].ranges().get(at[k])?)));
        let lowest = heads.min_by(|(_, left), (_, right)| left.min_key.cmp(&right.min_key));
        lowest.filter(|(_, range)| self.until.as_ref().is_none_or(|until| range.min_key < until))
    }

    /// The ends of the ranges that belong together, and where they are cut, if they are.
    fn gather(&self) -> ([usize; K], Option<Bytes>, Option<Bytes>) {
        let (mut ends, mut size, mut last) = (self.heads, 0, None::<&Bytes>);
        while let Some((tree, range)) = self.lowest(&ends) {
            if last.is_some_and(|last| range.min_key > last) {
                break;
            }
            let wanted = if tree == 0 { self.ramp.size() } else { self.ramp.size().saturating_mul(PATIENCE) };
            let goes_on = self.from.as_ref().is_none_or(|from| range.min_key > from);
            if size >= wanted && last.is_some() && goes_on {
                return (ends, last.cloned(), Some(range.min_key.clone()));
            }
            ends[tree] += 1;
            size += range.size;
            last = last.max(Some(&range.max_key));
        }
        (ends, last.cloned(), None)
    }
}

/// Whether two trees, or parts of them, are made of the same ranges.
pub(crate) fn same_ranges(left: &[RangeDescriptor], right: &[RangeDescriptor]) -> bool {
    left.len() == right.len() && left.iter().zip(right).all(|(left, right)| left.id == right.id)
}

impl<const K: usize> Iterator for Plan<K> {
    type Item = Interval<K>;

    fn next(&mut self) -> Option<Interval<K>> {
        self.skip_equal();
        let (ends, last, cut) = self.gather();
        let last = last?;
        self.ramp.step();
        let ranges: [Range<usize>; K] = std::array::from_fn(|k| self.heads[k]..ends[k]);
        let end = self.until.clone().filter(|until| last >= until);
        let bounds = Bounds { from: self.from.take(), until: cut.clone().or(end) };
        self.heads = match &cut {
            // Of each tree, only the last range can go on behind the cut.
            Some(cut) => std::array::from_fn(|k| {
                let across = ranges[k].end.checked_sub(1).filter(|last| ranges[k].contains(last));
                match across {
                    Some(across) if self.trees[k].ranges()[across].max_key >= cut => across,
                    _ => ranges[k].end,
                }
            }),
            None => ends,
        };
        self.from = cut;
        Some(Interval { bounds, ranges })
    }
}
