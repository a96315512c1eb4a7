//! Ranges that end where this format would not end them.
//!
//! Trees written by lakeFS, or in another format, break elsewhere. A fold that waited there for a new boundary to
//! meet an old one would rewrite all the rest of the tree; so it keeps their ends.

use crate::TreeFormat;

/// Watches the records of a whole range, and tells whether it ends just where the format ends it.
#[derive(Debug, Clone, Copy)]
pub(super) struct EndCheck {
    format: TreeFormat,
    size: u64,
    ends_here: bool,
    ended_before: bool,
}

impl EndCheck {
    pub(super) fn new(format: TreeFormat) -> Self {
        Self { format, size: 0, ends_here: false, ended_before: false }
    }

    /// Goes on within a range that this format has not ended after records of so many bytes.
    pub(super) fn within(format: TreeFormat, size: u64) -> Self {
        Self { size, ..Self::new(format) }
    }

    #[inline]
    pub(super) fn add(&mut self, key: &[u8], value: &[u8]) {
        self.ended_before |= self.ends_here;
        self.size += (key.len() + value.len()) as u64;
        self.ends_here = self.format.ends_after(self.size, key);
    }

    /// Whether the range ends elsewhere than the format says.
    pub(super) fn is_foreign(&self) -> bool {
        self.ended_before || !self.ends_here
    }
}
