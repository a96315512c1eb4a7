//! The id of a range or metarange: a hash over its records.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::identhash;

/// Hashes records, in key order, to the id of the range or metarange that holds them: lakeFS's id, SHA-256 over lengths
/// and bytes of keys and values and then the properties set before closing. It covers the records, not their layout in a file.
#[derive(Debug, Clone, Default)]
pub struct RecordHasher {
    hash: Sha256,
}

impl RecordHasher {
    /// A hasher that has seen no records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next record, with its whole value.
    pub fn add(&mut self, key: &[u8], value: &[u8]) {
        self.part(key);
        self.part(value);
    }

    /// The id of a range with these properties: lakeFS hashes only `type`, which is `ranges` or `metaranges`.
    pub fn finish(mut self, hashed_properties: &BTreeMap<String, String>) -> [u8; 32] {
        identhash::map(&mut self.hash, hashed_properties);
        self.hash.finalize().into()
    }

    fn part(&mut self, bytes: &[u8]) {
        let mut digits = [0; DECIMAL_DIGITS];
        self.hash.update(decimal(bytes.len() as u64, &mut digits));
        self.hash.update(bytes);
        self.hash.update(b"|");
    }
}

/// Enough for any 64-bit number.
const DECIMAL_DIGITS: usize = 20;

fn decimal(mut number: u64, digits: &mut [u8; DECIMAL_DIGITS]) -> &[u8] {
    let mut start = DECIMAL_DIGITS;
    loop {
        start -= 1;
        digits[start] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &digits[start..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_record_has_the_id_that_lakefs_gives_it() {
        let mut hasher = RecordHasher::new();
        hasher.add(b"key", b"value");
        let id = hex::encode(hasher.finish(&BTreeMap::new()));
        assert_eq!(id, "1f60902cb44890618d61597673a62e44cf526f5991d9db687141218985fe60b8");
    }

    #[test]
    fn hashed_properties_tell_ranges_from_metaranges() {
        let id =
            |kind: &str| RecordHasher::new().finish(&BTreeMap::from([("type".to_owned(), kind.to_owned())]));
        assert_ne!(id("ranges"), id("metaranges"));
    }

    #[test]
    fn lengths_are_decimal() {
        for number in [0, 9, 10, 41_943_040, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; DECIMAL_DIGITS]), number.to_string().as_bytes());
        }
    }
}
