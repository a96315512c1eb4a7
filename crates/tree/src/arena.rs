//! Copies of keys and values, many to an allocation.

use bytes::{Bytes, BytesMut};

/// How much is allocated at a time. A copy that is kept keeps no more than this in memory.
const CHUNK_BYTES: usize = 16 << 10;

/// Copies bytes into pieces of memory that copies share.
#[derive(Debug, Default)]
pub(crate) struct Arena(BytesMut);

impl Arena {
    /// A copy.
    pub(crate) fn copy(&mut self, bytes: &[u8]) -> Bytes {
        if self.0.capacity() < bytes.len() {
            self.0.reserve(bytes.len().max(CHUNK_BYTES));
        }
        self.0.extend_from_slice(bytes);
        self.0.split().freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_whole_whatever_their_length() {
        let mut arena = Arena::default();
        let originals: Vec<Vec<u8>> = [0, 1, CHUNK_BYTES - 2, 2, CHUNK_BYTES + 1, 7]
            .iter()
            .enumerate()
            .map(|(number, &length)| vec![number as u8; length])
            .collect();
        let copies: Vec<_> = originals.iter().map(|original| arena.copy(original)).collect();
        assert_eq!(copies, originals);
    }
}
