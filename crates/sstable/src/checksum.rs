//! The checksum of a block: CRC32C, masked.

/// CRC32C over `payload` and the compression type after it, masked as LevelDB does, because a CRC over bytes that hold CRCs
/// is weak.
pub(crate) fn masked(payload: &[u8], compression_type: u8) -> u32 {
    let crc = crc32c::crc32c_append(crc32c::crc32c(payload), &[compression_type]);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}
