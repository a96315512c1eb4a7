//! Where data blocks end. No id depends on it: readers take blocks as they are.

use xxhash_rust::xxh3::xxh3_64;

use crate::block_builder::BlockBuilder;

/// Largest block that is aimed at, in bytes: with a record of the longest kind, blocks stay far below the format's 4 GiB.
const MAX_BLOCK_BYTES: usize = 64 * 1024 * 1024;
/// From this part of the block size on, a block is ended rather than made too long by a record.
const FLUSH_PERCENT: usize = 90;

/// Where data blocks end. Lengths are uncompressed, in bytes; those above 64 MiB are taken as that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockEnds {
    /// Before the record that would make a block longer than this, once it is 90 % full: where lakeFS ends blocks, to the byte.
    Size(usize),
    /// Where the content says so, so that a change moves only the ends near it, and two versions of a table have most of their
    /// blocks in common, byte for byte.
    Content {
        /// A block may end once it is this long.
        min: usize,
        /// A block ends once it is this long.
        max: usize,
        /// A block that may end does so after a record whose key has a hash (XXH3, 64 bits) that this divides. Zero is taken as 1.
        one_in: u64,
    },
}

impl BlockEnds {
    /// The same with numbers in their ranges.
    pub(crate) fn clamped(self) -> Self {
        match self {
            Self::Size(size) => Self::Size(size.clamp(1, MAX_BLOCK_BYTES)),
            Self::Content { min, max, one_in } => {
                Self::Content { min, max: max.min(MAX_BLOCK_BYTES), one_in: one_in.max(1) }
            }
        }
    }

    /// Whether the block ends before a record of these lengths, after one whose user key is `last`.
    pub(crate) fn end_before(
        &self,
        block: &BlockBuilder,
        last: &[u8],
        key_len: usize,
        value_len: usize,
    ) -> bool {
        match *self {
            _ if block.count() == 0 => false,
            Self::Size(size) => is_full(block, size, key_len, value_len),
            Self::Content { .. } => self.end_after(block.len(), last),
        }
    }

    /// Whether a block of this length ends after a record with this user key, whatever comes next.
    pub(crate) fn end_after(&self, len: usize, last: &[u8]) -> bool {
        match *self {
            Self::Size(_) => false,
            Self::Content { min, max, one_in } => {
                len >= max || (len >= min && xxh3_64(last).is_multiple_of(one_in))
            }
        }
    }
}

/// The estimate is lakeFS's, byte for byte, so that its blocks break where ours do.
fn is_full(block: &BlockBuilder, size: usize, key_len: usize, value_len: usize) -> bool {
    let len = block.len();
    if len >= size {
        return true;
    }
    if len <= (size * FLUSH_PERCENT).div_ceil(100) {
        return false;
    }
    let restart = if block.at_restart() { 4 } else { 0 };
    let lengths = 4 + varint_len(key_len) + varint_len(value_len);
    len + key_len + value_len + restart + lengths > size
}

fn varint_len(value: usize) -> usize {
    let bits = (usize::BITS - value.leading_zeros()).max(1);
    bits.div_ceil(7) as usize
}
