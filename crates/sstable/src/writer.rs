//! Writes a table from records in key order.
use std::collections::BTreeMap;

use crate::WriteError;

/// How blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy, where that saves at least an eighth of the block.
    #[default]
    Snappy,
}

/// The shape of a table. The default has lakeFS's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    /// Size in bytes, uncompressed, that a data block should reach and not exceed.
    pub block_size: usize,
    /// How many keys of a data block stand between two that are stored whole.
    pub restart_interval: usize,
    /// How data and index blocks are compressed.
    pub compression: Compression,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { block_size: 4096, restart_interval: 16, compression: Compression::Snappy }
    }
}

/// Builds a table in memory. The same records, options and properties give the same bytes.
#[derive(Debug)]
pub struct Writer {}

impl Writer {
    /// A table without records.
    pub fn new(_options: WriterOptions) -> Self {
        todo!()
    }

    /// Adds a record, whose key must come after the last one's in byte order.
    pub fn add(&mut self, _key: &[u8], _value: &[u8]) -> Result<(), WriteError> {
        todo!()
    }

    /// How many records were added.
    pub fn count(&self) -> u64 {
        todo!()
    }

    /// The sum of the lengths of all keys and values added, in bytes, before compression.
    pub fn raw_bytes(&self) -> u64 {
        todo!()
    }

    /// The finished file, which carries these properties beside RocksDB's own.
    pub fn finish(self, _user_properties: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, WriteError> {
        todo!()
    }
}
