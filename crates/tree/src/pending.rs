//! What changes would make of a tree.

use std::sync::Arc;

use futures::Stream;

use crate::changes::Changes;
use crate::{Change, Difference, RangeStore, Record, TreeCursor, TreeError, TreeId};

/// Walks the differences that changes make to a tree, in key order: those that have an effect.
///
/// A put of the content that is there already has none, nor has a delete of nothing.
pub struct Pending<S> {
    base: TreeCursor,
    changes: Source<S>,
}

enum Source<S> {
    Unread(Option<S>),
    Read(Changes<S>),
}

impl<S> Pending<S>
where
    S: Stream<Item = Result<Change, TreeError>> + Send + Unpin,
{
    /// Compares a tree with changes, which come in strictly ascending key order. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, tree: TreeId, changes: S) -> Self {
        Self { base: TreeCursor::new(store, tree), changes: Source::Unread(Some(changes)) }
    }

    /// The next change that has an effect. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<Difference>, TreeError> {
        while let Some(change) = self.changes.take().await? {
            let left = self.base.find(&change.key).await?;
            let right = change.value.map(|value| Record { key: change.key, value });
            if let Some(difference) = Difference::between(left, right) {
                return Ok(Some(difference));
            }
        }
        Ok(None)
    }
}

impl<S> Source<S>
where
    S: Stream<Item = Result<Change, TreeError>> + Send + Unpin,
{
    async fn take(&mut self) -> Result<Option<Change>, TreeError> {
        if let Self::Unread(stream) = self {
            let Some(stream) = stream.take() else {
                return Ok(None);
            };
            *self = Self::Read(Changes::new(stream).await?);
        }
        match self {
            Self::Read(changes) => changes.take().await,
            Self::Unread(_) => Ok(None),
        }
    }
}
