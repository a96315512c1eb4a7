//! Where a block stands in its file.

use crate::{TRAILER_LEN, varint};

/// Where a block stands in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHandle {
    /// Where the block starts, in bytes from the start of the file.
    pub offset: u64,
    /// The length of its payload as stored, in bytes: without the trailer of [`TRAILER_LEN`] bytes that follows it.
    pub size: u64,
}

impl BlockHandle {
    /// Where the block and its trailer end in the file; `None` if that exceeds 64 bits.
    pub fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.size)?.checked_add(TRAILER_LEN as u64)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        varint::put(&mut bytes, self.offset);
        varint::put(&mut bytes, self.size);
        bytes
    }

    /// Reads a handle at the start of `bytes`, and how many bytes it took.
    pub(crate) fn take(bytes: &[u8]) -> Option<(Self, usize)> {
        let (offset, offset_len) = varint::take(bytes)?;
        let (size, size_len) = varint::take(&bytes[offset_len..])?;
        Some((Self { offset, size }, offset_len + size_len))
    }
}
