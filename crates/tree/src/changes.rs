//! A stream of changes that is looked at before it is taken from.

use std::mem;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::{Change, TreeError};

/// Changes in strictly ascending key order, of which the first is at hand.
pub(crate) struct Changes<S> {
    stream: S,
    head: Option<Change>,
}

impl<S> Changes<S>
where
    S: Stream<Item = Result<Change, TreeError>> + Send + Unpin,
{
    /// Waits for the first change.
    pub(crate) async fn new(mut stream: S) -> Result<Self, TreeError> {
        let head = stream.next().await.transpose()?;
        Ok(Self { stream, head })
    }

    /// The next change.
    pub(crate) fn head(&self) -> Option<&Change> {
        self.head.as_ref()
    }

    /// The next change's key.
    pub(crate) fn key(&self) -> Option<&Bytes> {
        self.head.as_ref().map(|change| &change.key)
    }

    /// Takes the next change, and waits for the one after it.
    ///
    /// # Errors
    /// [`TreeError::Unordered`] if that one does not come later; the stream's own.
    pub(crate) async fn take(&mut self) -> Result<Option<Change>, TreeError> {
        let next = match self.head {
            Some(_) => self.stream.next().await.transpose()?,
            None => None,
        };
        let taken = mem::replace(&mut self.head, next);
        match (&taken, &self.head) {
            (Some(taken), Some(next)) if next.key <= taken.key => {
                Err(TreeError::Unordered { previous: taken.key.clone(), key: next.key.clone() })
            }
            _ => Ok(taken),
        }
    }
}
