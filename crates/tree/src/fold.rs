//! From a tree and changes to a tree.
use futures::Stream;

use crate::{Change, RangeStore, Record, TreeError, TreeFormat, TreeId};

/// A written tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// The tree.
    pub tree: TreeId,
    /// What it took.
    pub summary: Summary,
}

/// What a fold changed, read and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paths that the base did not have.
    pub added: u64,
    /// Paths whose content is another now.
    pub changed: u64,
    /// Paths that are gone.
    pub removed: u64,
    /// Ranges of the base that were read.
    pub ranges_read: u64,
    /// Ranges that were written.
    pub ranges_written: u64,
    /// Ranges of the base that are part of the new tree as they were.
    pub ranges_reused: u64,
    /// Bytes of all files written.
    pub bytes_written: u64,
}

/// Applies changes, in strictly ascending key order, to a tree.
pub async fn fold(
    _store: &dyn RangeStore,
    _format: &TreeFormat,
    _base: TreeId,
    _changes: impl Stream<Item = Result<Change, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    todo!()
}

/// Writes the tree of these records, which come in strictly ascending key order.
pub async fn build(
    _store: &dyn RangeStore,
    _format: &TreeFormat,
    _records: impl Stream<Item = Result<Record, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    todo!()
}
