//! Where ranges break.
//!
//! A range ends after a record once it has at least the minimum size and the hash of the record's key says so, or once
//! it has the maximum size. Nothing else counts, so equal sets of records have equal ranges whatever led to them.
//! The numbers belong to the repository's format version and never change for it.

use braid_sstable::{BlockEnds, Compression, WriterOptions};
use xxhash_rust::xxh3::xxh3_64;

use crate::RangeDescriptor;

/// How trees of one format version are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TreeFormat {
    /// The format version that has these numbers.
    pub version: u32,
    /// A range may end once it has so many bytes: keys and values, uncompressed.
    pub min_bytes: u64,
    /// A range ends once it has so many bytes.
    pub max_bytes: u64,
    /// Of so many keys, one ends a range that may end. At least 1.
    pub break_one_in: u64,
    /// How the files are written. No id depends on it.
    pub table: WriterOptions,
}

impl TreeFormat {
    /// The version that new repositories get.
    pub const LATEST: u32 = 1;

    /// The format of a version, if there is such a version.
    pub fn version(version: u32) -> Option<Self> {
        match version {
            1 => Some(Self {
                version,
                min_bytes: 1 << 20,
                max_bytes: 3 << 20,
                break_one_in: 2048,
                // Measured: docs/formats/range.md.
                table: WriterOptions {
                    blocks: BlockEnds::Content { min: 8 << 10, max: 32 << 10, one_in: 32 },
                    restart_interval: 16,
                    compression: Compression::Zstd { level: 1 },
                },
            }),
            _ => None,
        }
    }

    /// Whether a range of `size` bytes ends after a last record with this key.
    pub(crate) fn ends_after(&self, size: u64, key: &[u8]) -> bool {
        size >= self.max_bytes || (size >= self.min_bytes && xxh3_64(key).is_multiple_of(self.break_one_in))
    }

    /// Whether a range ends where it does for its own sake, and not because the tree ends there.
    pub(crate) fn is_closed(&self, range: &RangeDescriptor) -> bool {
        self.ends_after(range.size, &range.max_key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_version_1_are_fixed() {
        let format = TreeFormat::version(1).unwrap();
        assert_eq!((format.min_bytes, format.max_bytes, format.break_one_in), (1_048_576, 3_145_728, 2048));
        assert_eq!(TreeFormat::version(TreeFormat::LATEST + 1), None);
    }

    #[test]
    fn a_range_ends_at_a_chosen_key_from_the_minimum_on_and_at_any_key_from_the_maximum_on() {
        let format = TreeFormat::version(1).unwrap();
        let keys = (0..100_000).map(|number| format!("key/{number}"));
        let (chosen, other): (Vec<_>, Vec<_>) =
            keys.partition(|key| format.ends_after(format.min_bytes, key.as_bytes()));
        assert!((20..90).contains(&chosen.len()), "about one key of 2048 ends a range, not {}", chosen.len());
        assert!(!format.ends_after(format.min_bytes - 1, chosen[0].as_bytes()));
        assert!(!format.ends_after(format.max_bytes - 1, other[0].as_bytes()));
        assert!(format.ends_after(format.max_bytes, other[0].as_bytes()));
    }
}
