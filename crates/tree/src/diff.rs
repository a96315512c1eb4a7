//! What differs between two trees.
use std::sync::Arc;

use bytes::Bytes;

use crate::{RangeStore, Record, TreeError, TreeId};

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

/// Walks the differences of two trees in key order. Ranges that both have are skipped by their ids.
pub struct Diff {}

impl Diff {
    /// All differences from `left` to `right`. Nothing is read yet.
    pub fn new(_store: Arc<dyn RangeStore>, _left: TreeId, _right: TreeId) -> Self {
        todo!()
    }

    /// Only differences of paths that begin so.
    #[must_use]
    pub fn under(self, _prefix: &[u8]) -> Self {
        todo!()
    }

    /// Only differences of paths after this one.
    #[must_use]
    pub fn after(self, _key: &[u8]) -> Self {
        todo!()
    }

    /// Goes to the first difference whose path is `key` or after it.
    pub fn seek(&mut self, _key: &[u8]) {
        todo!()
    }

    /// The next difference.
    pub async fn next(&mut self) -> Result<Option<Difference>, TreeError> {
        todo!()
    }
}
