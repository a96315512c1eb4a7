//! What changes would make of a tree.
use std::sync::Arc;

use futures::Stream;

use crate::{Change, Difference, RangeStore, TreeError, TreeId};

/// Walks the differences that changes make to a tree, in key order: those that have an effect.
pub struct Pending<S> {
    _changes: S,
}

impl<S> Pending<S>
where
    S: Stream<Item = Result<Change, TreeError>> + Send + Unpin,
{
    /// Compares a tree with changes, which come in strictly ascending key order. Nothing is read yet.
    pub fn new(_store: Arc<dyn RangeStore>, _tree: TreeId, _changes: S) -> Self {
        todo!()
    }

    /// The next change that has an effect.
    pub async fn next(&mut self) -> Result<Option<Difference>, TreeError> {
        todo!()
    }
}
