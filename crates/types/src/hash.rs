//! The encoding under lakeFS's identity hashes: tagged, length-prefixed values fed to SHA-256.
//!
//! Each value starts with a tag byte, so that no two sequences of values encode to the same bytes:
//! `00` bytes, `01` string, `02` signed 64-bit number, `03` list of strings, `04` map, `05` embedded object.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Collects typed values and gives the SHA-256 of their encoding.
#[derive(Debug, Clone, Default)]
pub struct IdentityHasher(Sha256);

impl IdentityHasher {
    /// An empty sequence.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds raw bytes.
    pub fn bytes(self, value: &[u8]) -> Self {
        self.tagged(0, value)
    }

    /// Adds a string.
    pub fn string(self, value: &str) -> Self {
        self.tagged(1, value.as_bytes())
    }

    /// Adds a signed number.
    pub fn int64(mut self, value: i64) -> Self {
        self.0.update([2, 8]);
        self.0.update(value.to_be_bytes());
        self
    }

    /// Adds a list of strings, in the order given.
    pub fn strings<S: AsRef<str>>(mut self, values: &[S]) -> Self {
        self.0.update([3]);
        self = self.length(values.len());
        values.iter().fold(self, |hasher, value| hasher.string(value.as_ref()))
    }

    /// Adds a map, in key order.
    pub fn map(mut self, values: &BTreeMap<String, String>) -> Self {
        self.0.update([4]);
        self = self.length(values.len());
        values.iter().fold(self, |hasher, (key, value)| hasher.string(key).string(value))
    }

    /// Adds an object by its own hash.
    pub fn object(mut self, hash: &[u8; 32]) -> Self {
        self.0.update([5]);
        self.bytes(hash)
    }

    /// The hash of everything added.
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn tagged(mut self, tag: u8, value: &[u8]) -> Self {
        self.0.update([tag]);
        self = self.length(value.len());
        self.0.update(value);
        self
    }

    fn length(self, length: usize) -> Self {
        self.int64(i64::try_from(length).expect("a value in memory is shorter than 2^63 bytes"))
    }
}
