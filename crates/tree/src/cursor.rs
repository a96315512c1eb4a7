//! Ordered scans.
use std::sync::Arc;

use async_trait::async_trait;

use crate::{RangeStore, Record, TreeError, TreeId};

/// Walks records in key order.
#[async_trait]
pub trait Cursor: Send {
    /// Goes before the first record whose key is `key` or after it, forwards or backwards. Reads nothing that the
    /// next `next` may not need.
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError>;

    /// Steps to the next record and returns it; `None` at the end, and ever after until a seek.
    async fn next(&mut self) -> Result<Option<Record>, TreeError>;
}

/// Walks the records of a tree. Opens only the ranges that it returns records of.
pub struct TreeCursor {}

impl TreeCursor {
    /// A cursor before the first record. Nothing is read yet.
    pub fn new(_store: Arc<dyn RangeStore>, _tree: TreeId) -> Self {
        todo!()
    }
}

#[async_trait]
impl Cursor for TreeCursor {
    async fn seek(&mut self, _key: &[u8]) -> Result<(), TreeError> {
        todo!()
    }

    async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        todo!()
    }
}
