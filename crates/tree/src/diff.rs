//! What differs between two trees.

use std::cmp::Ordering;
use std::sync::Arc;

use bytes::Bytes;

use crate::record::same_content;
use crate::walk::{Position, Walk};
use crate::{Pool, RangeStore, Record, TreeError, TreeId, key_after, prefix_end};

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
pub struct Diff {
    left: Walk,
    right: Walk,
    start: Bytes,
}

impl Diff {
    /// All differences from `left` to `right`. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, pool: &Pool, left: TreeId, right: TreeId) -> Self {
        let _ = pool;
        let left = Walk::new(Arc::clone(&store), left);
        Self { left, right: Walk::new(store, right), start: Bytes::new() }
    }

    /// Only differences of paths that begin so.
    #[must_use]
    pub fn under(mut self, prefix: &[u8]) -> Self {
        if let Some(end) = prefix_end(prefix) {
            self.left.end_before(end.clone());
            self.right.end_before(end);
        }
        self.starting_at(Bytes::copy_from_slice(prefix))
    }

    /// Only differences of paths after this one.
    #[must_use]
    pub fn after(self, key: &[u8]) -> Self {
        self.starting_at(key_after(key))
    }

    /// Goes to the first of the wanted differences whose path is `key` or after it, forwards or backwards.
    pub fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        let key = self.start.clone().max(Bytes::copy_from_slice(key));
        self.left.seek(key.clone())?;
        self.right.seek(key)
    }

    /// The next difference.
    pub async fn next(&mut self) -> Result<Option<Difference>, TreeError> {
        if self.left.tree() == self.right.tree() {
            return Ok(None);
        }
        futures::try_join!(self.left.ready(), self.right.ready())?;
        loop {
            match step(&self.left.position(), &self.right.position()) {
                Step::Done => return Ok(None),
                Step::Skip => {
                    self.left.skip_range();
                    self.right.skip_range();
                }
                Step::Enter(sides) => enter(&mut self.left, &mut self.right, sides).await?,
                Step::Take(sides) => {
                    let (left, right) = take(&mut self.left, &mut self.right, sides)?;
                    if let Some(difference) = Difference::between(left, right) {
                        return Ok(Some(difference));
                    }
                }
            }
        }
    }

    pub(crate) fn starting_at(mut self, key: Bytes) -> Self {
        self.start = self.start.max(key);
        let start = self.start.clone();
        self.left.seek(start.clone()).expect("a walk that is not ready reads nothing");
        self.right.seek(start).expect("a walk that is not ready reads nothing");
        self
    }
}

/// Which of two walks something is to be done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sides {
    left: bool,
    right: bool,
}

/// What to do next with two walks, so that each key is met on both sides at once.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Both are at their ends.
    Done,
    /// Both are before the same range.
    Skip,
    /// These are before a range that may hold the next key.
    Enter(Sides),
    /// These have the next key.
    Take(Sides),
}

/// Only a range with the lower first key is entered: the one on the other side may be met again, whole, behind it.
pub(crate) fn step(left: &Position<'_>, right: &Position<'_>) -> Step {
    if let (Position::Range(left), Position::Range(right)) = (left, right)
        && left.id == right.id
    {
        return Step::Skip;
    }
    let order = match (left.key(), right.key()) {
        (None, None) => return Step::Done,
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(left), Some(right)) => left.cmp(right),
    };
    let first = Sides { left: order.is_le(), right: order.is_ge() };
    let closed = Sides { left: first.left && left.is_range(), right: first.right && right.is_range() };
    match closed.left || closed.right {
        true => Step::Enter(closed),
        false => Step::Take(first),
    }
}

pub(crate) async fn enter(left: &mut Walk, right: &mut Walk, sides: Sides) -> Result<(), TreeError> {
    match (sides.left, sides.right) {
        (true, true) => futures::try_join!(left.enter(), right.enter()).map(|_| ()),
        (true, false) => left.enter().await,
        (false, true) => right.enter().await,
        (false, false) => Ok(()),
    }
}

pub(crate) fn take(
    left: &mut Walk,
    right: &mut Walk,
    sides: Sides,
) -> Result<(Option<Record>, Option<Record>), TreeError> {
    let left = sides.left.then(|| left.take()).transpose()?;
    let right = sides.right.then(|| right.take()).transpose()?;
    Ok((left, right))
}
