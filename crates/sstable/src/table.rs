//! A table whose whole file is in memory.
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{Corruption, Cursor};

/// A table whose whole file is in memory; clones share it.
#[derive(Debug, Clone)]
pub struct Table {}

impl Table {
    /// Opens a table: its footer, index (top level) and properties are checked here, its data blocks when read.
    pub fn open(_file: Bytes) -> Result<Self, Corruption> {
        todo!()
    }

    /// The value of a key, or `None`.
    pub fn get(&self, _key: &[u8]) -> Result<Option<Bytes>, Corruption> {
        todo!()
    }

    /// A cursor before the first record.
    pub fn cursor(&self) -> Cursor {
        todo!()
    }

    /// Every property, those of RocksDB (`rocksdb.…`) and the writer's own, raw.
    pub fn properties(&self) -> &BTreeMap<String, Vec<u8>> {
        todo!()
    }

    /// How many records the table says it has.
    pub fn count(&self) -> u64 {
        todo!()
    }

    /// The whole file.
    pub fn file(&self) -> &Bytes {
        todo!()
    }
}
