//! What differs between two trees.

mod compare;

use std::sync::Arc;

use bytes::Bytes;

use crate::plan::{Interval, Plan};
use crate::record::same_content;
use crate::run::{Bounds, Recorder, Run};
use crate::scan::{Look, Scan};
use crate::{Pool, RangeStore, Record, TreeError, TreeId, key_after, prefix_end};
pub(crate) use compare::compare;

/// How a path differs, seen from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DifferenceKind {
    /// Only the right side has it.
    Added,
    /// Only the left side has it.
    Removed,
    /// Both have it, with different content.
    Changed,
}

/// A path that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The path's raw bytes.
    pub key: Bytes,
    /// How it differs.
    pub kind: DifferenceKind,
    /// Its record on the left.
    pub left: Option<Record>,
    /// Its record on the right.
    pub right: Option<Record>,
}

impl Difference {
    /// Compares the two sides of one path by their content.
    pub fn between(left: Option<Record>, right: Option<Record>) -> Option<Self> {
        if same_content(left.as_ref(), right.as_ref()) {
            return None;
        }
        let kind = match (&left, &right) {
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Removed,
            _ => DifferenceKind::Changed,
        };
        let key = left.as_ref().or(right.as_ref())?.key.clone();
        Some(Self { key, kind, left, right })
    }
}

/// Walks the differences of two trees in key order. Ranges that both have are skipped by their ids.
///
/// Differences are looked for ahead of those that are asked for, on the pool: at first in one range of each tree, then
/// in more, up to two units for each thread of the pool and two more. A unit is of 4 MiB of records, or one range of
/// each tree if that is more, so that is what is in memory.
pub struct Diff {
    scan: Scan<2, Differences>,
    /// Where the wanted differences begin.
    start: Bytes,
    is_empty: bool,
}

impl Diff {
    /// All differences from `left` to `right`. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, pool: &Pool, left: TreeId, right: TreeId) -> Self {
        let scan = Scan::new(store, pool, [left, right], Differences);
        Self { scan, start: Bytes::new(), is_empty: left == right }
    }

    #[cfg(test)]
    pub(crate) fn within(mut self, limits: crate::limits::Limits) -> Self {
        self.scan.set_limits(limits);
        self
    }

    /// Only differences of paths that begin so.
    #[must_use]
    pub fn under(mut self, prefix: &[u8]) -> Self {
        let bounds = Bounds { until: prefix_end(prefix), ..self.scan.bounds().clone() };
        self.scan.restart(bounds);
        self.starting_at(Bytes::copy_from_slice(prefix))
    }

    /// Only differences of paths after this one.
    #[must_use]
    pub fn after(self, key: &[u8]) -> Self {
        self.starting_at(key_after(key))
    }

    /// Goes to the first of the wanted differences whose path is `key` or after it, forwards or backwards.
    pub fn seek(&mut self, key: &[u8]) {
        let key = self.start.clone().max(Bytes::copy_from_slice(key));
        match self.scan.ready() {
            [first, .., last] if (&first.key..=&last.key).contains(&&key) => {
                while self.scan.ready().first().is_some_and(|found| found.key < key) {
                    self.scan.take_ready();
                }
            }
            _ => self.go_to(key),
        }
    }

    /// The next difference. After an error there is no going on, until a seek.
    pub async fn next(&mut self) -> Result<Option<Difference>, TreeError> {
        match self.is_empty {
            true => Ok(None),
            false => self.scan.next().await,
        }
    }

    fn starting_at(mut self, key: Bytes) -> Self {
        self.start = self.start.max(key);
        self.go_to(self.start.clone());
        self
    }

    fn go_to(&mut self, key: Bytes) {
        let bounds = Bounds { from: Some(key), ..self.scan.bounds().clone() };
        self.scan.restart(bounds);
    }
}

/// Looks for all differences.
#[derive(Debug, Clone, Copy)]
struct Differences;

impl Look<2> for Differences {
    type Found = Difference;

    fn unread(&self, _: &Plan<2>, _: &Interval<2>) -> Option<Vec<Difference>> {
        None
    }

    fn look(&self, [left, right]: [Run; 2]) -> Result<Vec<Difference>, TreeError> {
        let (mut recorder, mut found) = (Recorder::default(), Vec::new());
        compare(left, right, |kind, left, right| {
            found.push(recorder.difference(kind, left, right)?);
            Ok(())
        })?;
        Ok(found)
    }
}

impl Recorder {
    /// The difference at which two runs stand.
    pub(crate) fn difference(
        &mut self,
        kind: DifferenceKind,
        left: &Run,
        right: &Run,
    ) -> Result<Difference, TreeError> {
        let key = self.key(if kind == DifferenceKind::Added { right } else { left });
        let left = (kind != DifferenceKind::Added).then(|| self.record(&key, left)).transpose()?;
        let right = (kind != DifferenceKind::Removed).then(|| self.record(&key, right)).transpose()?;
        Ok(Difference { key, kind, left, right })
    }
}
