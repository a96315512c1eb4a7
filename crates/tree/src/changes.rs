//! A stream of changes that is looked at before it is taken from.

use std::mem;

use bytes::Bytes;
use futures::{Stream, StreamExt};

use crate::{Change, TreeError};

/// # Errors
/// [`TreeError::Unordered`] if `key` does not come after `previous`.
pub(crate) fn check_order(previous: &Bytes, key: &Bytes) -> Result<(), TreeError> {
    match key > previous {
        true => Ok(()),
        false => Err(TreeError::Unordered { previous: previous.clone(), key: key.clone() }),
    }
}

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
        if let (Some(taken), Some(next)) = (&taken, &self.head) {
            check_order(&taken.key, &next.key)?;
        }
        Ok(taken)
    }
}
