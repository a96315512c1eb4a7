//! Records of a table in key order.
use bytes::Bytes;

use crate::Corruption;

/// Walks a table's records in key order. It owns a clone of its table.
#[derive(Debug, Clone)]
pub struct Cursor {}

impl Cursor {
    /// Goes before the first record: the next `next` returns it.
    pub fn seek_to_first(&mut self) -> Result<(), Corruption> {
        todo!()
    }

    /// Goes before the first record whose key is `key` or after it: the next `next` returns that.
    pub fn seek(&mut self, _key: &[u8]) -> Result<(), Corruption> {
        todo!()
    }

    /// Steps to the next record and returns its key and value, or `None` at the end.
    #[expect(
        clippy::should_implement_trait,
        reason = "a record borrows from the cursor, which an `Iterator` cannot say"
    )]
    pub fn next(&mut self) -> Result<Option<(&[u8], &[u8])>, Corruption> {
        todo!()
    }

    /// The key of the record that `next` returned last, if it returned one.
    pub fn key(&self) -> Option<&[u8]> {
        todo!()
    }

    /// The value of the record that `next` returned last, sharing the block's memory.
    pub fn value(&self) -> Option<Bytes> {
        todo!()
    }
}
