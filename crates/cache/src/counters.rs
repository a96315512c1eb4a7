//! What a cache was asked for, and what it cost.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of one kind of things.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    bytes_read: AtomicU64,
    bytes_written: AtomicU64,
}

/// What was asked for of one kind of things since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ShelfCounts {
    /// Things answered from memory, or by another reader's request.
    pub hits: u64,
    /// Things that the object store was asked for and that came soundly.
    pub misses: u64,
    /// Bytes that were read from the object store, damaged ones included.
    pub bytes_read: u64,
    /// Bytes of the files that were written to the object store, or were found there already.
    pub bytes_written: u64,
    /// Bytes of memory held now, about.
    pub bytes_held: u64,
}

/// What was asked for of a cache.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CacheCounts {
    /// Metaranges.
    pub metaranges: ShelfCounts,
    /// Indexes of ranges. The bytes read are those of the ends of files, in which some blocks stand too.
    pub indexes: ShelfCounts,
    /// Data blocks of ranges.
    pub blocks: ShelfCounts,
    /// Whole files of ranges.
    pub files: ShelfCounts,
}

impl Counters {
    pub(crate) fn answered(&self, things: usize, from_store: bool) {
        let counter = if from_store { &self.misses } else { &self.hits };
        counter.fetch_add(things as u64, Ordering::Relaxed);
    }

    pub(crate) fn read(&self, bytes: usize) {
        self.bytes_read.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn written(&self, bytes: usize) {
        self.bytes_written.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn counts(&self, bytes_held: u64) -> ShelfCounts {
        ShelfCounts {
            hits: self.hits.load(Ordering::Relaxed),
            misses: self.misses.load(Ordering::Relaxed),
            bytes_read: self.bytes_read.load(Ordering::Relaxed),
            bytes_written: self.bytes_written.load(Ordering::Relaxed),
            bytes_held,
        }
    }
}
