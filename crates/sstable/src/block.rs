//! A block's contents, checked: entries, then the restart points, from which a key can be read without those before it.

use std::ops::Range;

use bytes::Bytes;

use crate::{Corruption, Defect, varint};

/// A block whose restart points ascend within its entries. The entries themselves are checked when they are read.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    offset: u64,
    contents: Bytes,
    entries_end: usize,
    restarts: usize,
}

/// An entry's parts, as ranges of the block's contents.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// How many bytes of the key before it start its key.
    pub(crate) shared: usize,
    /// The rest of its key.
    pub(crate) suffix: Range<usize>,
    /// Its value, which ends where the next entry starts.
    pub(crate) value: Range<usize>,
}

impl Block {
    /// A block without entries, to stand for one that has not been read.
    pub(crate) fn empty() -> Self {
        Self {
            offset: 0,
            contents: Bytes::from_static(&[0, 0, 0, 0, 1, 0, 0, 0]),
            entries_end: 0,
            restarts: 1,
        }
    }

    /// Checks the restart points of a block that stands at `offset` in its file.
    pub(crate) fn parse(contents: Bytes, offset: u64) -> Result<Self, Corruption> {
        let corrupted = |what| Corruption::new(offset, what);
        let len = contents.len();
        let Some((rest, count)) = contents.split_last_chunk::<4>() else {
            return Err(corrupted(Defect::RestartCount { count: 0, len }));
        };
        let count = u32::from_le_bytes(*count);
        let entries_end =
            u64::from(count).checked_mul(4).and_then(|size| (rest.len() as u64).checked_sub(size));
        let (Some(entries_end), 1..) = (entries_end, count) else {
            return Err(corrupted(Defect::RestartCount { count: u64::from(count), len }));
        };
        let entries_end = entries_end as usize;
        let block = Self { offset, contents, entries_end, restarts: count as usize };
        block.check_restarts().map_err(corrupted)?;
        Ok(block)
    }

    /// Where the block stands in its file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// The block's contents, to which an entry's ranges refer.
    pub(crate) fn contents(&self) -> &Bytes {
        &self.contents
    }

    /// Where the entries end.
    pub(crate) fn entries_end(&self) -> usize {
        self.entries_end
    }

    /// How many restart points there are: at least one.
    pub(crate) fn restarts(&self) -> usize {
        self.restarts
    }

    /// Where restart point `index` leads.
    pub(crate) fn restart(&self, index: usize) -> usize {
        let word =
            self.contents[self.entries_end + 4 * index..].first_chunk().expect("restart points were counted");
        u32::from_le_bytes(*word) as usize
    }

    /// Reads the lengths of the entry at `at`, which is before the end of the entries, and checks that it ends there too.
    #[inline]
    pub(crate) fn entry(&self, at: usize) -> Result<Entry, Corruption> {
        let entries = &self.contents[..self.entries_end];
        let Some((lengths, start)) = entry_lengths(entries, at) else {
            return Err(Corruption::new(self.offset, Defect::EntryLengths { at }));
        };
        let [shared, unshared, value] = lengths.map(u64::from);
        if start as u64 + unshared + value > entries.len() as u64 {
            return Err(Corruption::new(self.offset, Defect::EntryEnd { at }));
        }
        let suffix_end = start + unshared as usize;
        Ok(Entry {
            shared: shared as usize,
            suffix: start..suffix_end,
            value: suffix_end..suffix_end + value as usize,
        })
    }

    fn check_restarts(&self) -> Result<(), Defect> {
        let first = self.restart(0);
        if first != 0 {
            return Err(Defect::RestartOffset { index: 0, at: first });
        }
        let mut previous = first;
        for index in 1..self.restarts {
            let at = self.restart(index);
            if at <= previous || at >= self.entries_end {
                return Err(Defect::RestartOffset { index, at });
            }
            previous = at;
        }
        Ok(())
    }
}

/// The three lengths that start the entry at `at`, and where its key starts.
#[inline]
fn entry_lengths(entries: &[u8], at: usize) -> Option<([u32; 3], usize)> {
    let (shared, shared_len) = varint::take_u32(&entries[at..])?;
    let at = at + shared_len;
    let (unshared, unshared_len) = varint::take_u32(&entries[at..])?;
    let at = at + unshared_len;
    let (value, value_len) = varint::take_u32(&entries[at..])?;
    Some(([shared, unshared, value], at + value_len))
}
