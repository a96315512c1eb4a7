//! Ordered scans.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::walk::{Position, Walk};
use crate::{RangeStore, Record, TreeError, TreeId};

/// Walks records in key order.
#[async_trait]
pub trait Cursor: Send {
    /// Goes before the first record whose key is `key` or after it, forwards or backwards. Opens no range that the
    /// next `next` does not need.
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError>;

    /// Steps to the next record and returns it; `None` at the end, and ever after until a seek.
    async fn next(&mut self) -> Result<Option<Record>, TreeError>;
}

/// Walks the records of a tree. Opens only the ranges that it returns records of.
pub struct TreeCursor(Walk);

impl TreeCursor {
    /// A cursor before the first record. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, tree: TreeId) -> Self {
        Self(Walk::new(store, tree))
    }
}

#[async_trait]
impl Cursor for TreeCursor {
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        self.0.seek(Bytes::copy_from_slice(key))
    }

    async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        self.0.ready().await?;
        loop {
            match self.0.position() {
                Position::Range(_) => self.0.enter().await?,
                Position::Record(_) => return self.0.take().map(Some),
                Position::End => return Ok(None),
            }
        }
    }
}
