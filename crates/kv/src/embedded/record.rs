//! The stored form of a value: `CRC-32C of key and value (4, big endian) | value`.
//!
//! redb checks its pages only when it repairs a file, so a byte that the disk changed would be read as written.

use crate::KvError;

const LENGTH: usize = 4;

/// What is stored for a value.
pub(super) fn seal(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(LENGTH + value.len());
    stored.extend_from_slice(&checksum(key, value).to_be_bytes());
    stored.extend_from_slice(value);
    stored
}

/// The value, if it and its key are as they were written.
pub(super) fn open<'a>(key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], KvError> {
    let parts = stored.split_first_chunk::<LENGTH>();
    let intact = parts.filter(|(sum, value)| u32::from_be_bytes(**sum) == checksum(key, value));
    let corrupted =
        || KvError::Corrupted { what: format!("the checksum of '{}' is wrong", key.escape_ascii()) };
    intact.map(|(_, value)| value).ok_or_else(corrupted)
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(key), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_fixed() {
        // The check value of CRC-32C: that of "123456789".
        assert_eq!(seal(b"1234", b"56789"), b"\xe3\x06\x92\x8356789");
    }

    #[test]
    fn any_changed_bit_is_found() {
        let (key, stored) = (b"key".to_vec(), seal(b"key", b"value"));
        assert_eq!(open(&key, &stored), Ok(&b"value"[..]));
        for bit in 0..stored.len() * 8 {
            let mut changed = stored.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&key, &changed).is_err(), "bit {bit}");
        }
        assert!(open(b"kez", &stored).is_err());
        assert!(open(&key, &stored[..3]).is_err());
    }
}
