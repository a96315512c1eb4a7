//! lakeFS's typed encoding of what it hashes: a type byte before each value, lengths as eight bytes big endian.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

const TYPE_STRING: u8 = 1;
const TYPE_INT64: u8 = 2;
const TYPE_MAP: u8 = 4;

/// Hashes a map: its size, then keys and values in key order.
pub(crate) fn map(hash: &mut Sha256, map: &BTreeMap<String, String>) {
    hash.update([TYPE_MAP]);
    int64(hash, map.len() as u64);
    for (key, value) in map {
        string(hash, key);
        string(hash, value);
    }
}

fn string(hash: &mut Sha256, string: &str) {
    hash.update([TYPE_STRING]);
    int64(hash, string.len() as u64);
    hash.update(string);
}

/// The second byte is the length of the value.
fn int64(hash: &mut Sha256, value: u64) {
    hash.update([TYPE_INT64, 8]);
    hash.update(value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_encoded_as_lakefs_does() {
        let mut encoded = Sha256::new();
        map(&mut encoded, &BTreeMap::from([("type".to_owned(), "ranges".to_owned())]));
        let mut expected = Sha256::new();
        expected.update(b"\x04\x02\x08\0\0\0\0\0\0\0\x01");
        expected.update(b"\x01\x02\x08\0\0\0\0\0\0\0\x04type");
        expected.update(b"\x01\x02\x08\0\0\0\0\0\0\0\x06ranges");
        assert_eq!(encoded.finalize(), expected.finalize());
    }
}
