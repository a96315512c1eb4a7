//! The identity of a range: a hash over its records.
use std::collections::BTreeMap;

/// Hashes a range's records, in key order, to the range's id.
#[derive(Debug, Clone, Default)]
pub struct RecordHasher {}

impl RecordHasher {
    /// A hasher that has seen no records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next record.
    pub fn add(&mut self, _key: &[u8], _value: &[u8]) {}

    /// The id of a range that has these properties set before it is closed.
    pub fn finish(self, _hashed_properties: &BTreeMap<String, String>) -> [u8; 32] {
        todo!()
    }
}
