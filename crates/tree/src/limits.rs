//! How much an operation works on at a time.

use crate::Pool;
use crate::plan::Ramp;

/// What an operation may have under way.
///
/// It is what bounds the operation's memory, whatever the sizes of trees and changes: so many units, each of so many
/// bytes of records (or one range of each tree, if that is more) and what is made of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// How many units are read, computed, or done and not taken, at a time.
    pub(crate) units: usize,
    /// Size of the first unit: bytes of its records before compression.
    pub(crate) first_bytes: u64,
    /// Size of the largest unit.
    pub(crate) most_bytes: u64,
}

impl Limits {
    /// Of what walks differences: all threads are busy while others' ranges are fetched.
    pub(crate) fn of_scan(pool: &Pool) -> Self {
        Self { units: 2 * pool.threads() + 2, first_bytes: 512 << 10, most_bytes: 4 << 20 }
    }

    /// Of what writes a tree. Larger units leave less to stitch.
    pub(crate) fn of_fold(pool: &Pool) -> Self {
        Self { units: pool.threads() + 2, first_bytes: 1 << 20, most_bytes: 8 << 20 }
    }

    pub(crate) fn ramp(&self) -> Ramp {
        Ramp::new(self.first_bytes, self.most_bytes)
    }
}
