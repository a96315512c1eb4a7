//! Small contents, which are kept in the index: one durable write for all that come together, where a file of its own would take
//! two for each.
//!
//! The stored form is the content, followed by its CRC-32C, little endian.

use bytes::Bytes;

/// Content up to this size, in bytes, is kept in the index.
pub(super) const MOST_BYTES: usize = 4 << 10;

pub(super) fn stored(content: &[u8]) -> Vec<u8> {
    [content, &crc32c::crc32c(content).to_le_bytes()].concat()
}

/// The content with this stored form; `None` if that is damaged.
pub(super) fn read(stored: &[u8]) -> Option<Bytes> {
    let (content, sum) = stored.split_last_chunk()?;
    (crc32c::crc32c(content) == u32::from_le_bytes(*sum)).then(|| Bytes::copy_from_slice(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_reads_back_and_every_flipped_bit_is_found() {
        for content in [&b""[..], b"x", &[7; MOST_BYTES]] {
            let mut form = stored(content);
            assert_eq!(read(&form).unwrap(), content);
            for bit in 0..8 * form.len() {
                form[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(read(&form), None, "bit {bit}");
                form[bit / 8] ^= 1 << (bit % 8);
            }
        }
        assert_eq!(read(b"abc"), None);
    }
}
