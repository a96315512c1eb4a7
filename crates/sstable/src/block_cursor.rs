//! Walks the entries of a block and rebuilds their keys, checking each and its order.

use std::ops::Range;

use bytes::Bytes;

use crate::block::{Block, Entry};
use crate::key::{KEY_TRAILER_LEN, KIND_VALUE, SEPARATOR_TRAILER};
use crate::{Corruption, Defect};

/// What a block's keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyForm {
    /// Internal keys of records, each a plain value.
    Record,
    /// Internal keys that bound something: separators of blocks, starts of range deletions.
    Bound,
    /// Names: whole keys without a trailer.
    Name,
}

impl KeyForm {
    fn trailer_len(self) -> usize {
        match self {
            Self::Record | Self::Bound => KEY_TRAILER_LEN,
            Self::Name => 0,
        }
    }
}

/// Walks a block's entries. Keys must ascend, also from one block to the next if it is entered without a seek.
#[derive(Debug, Clone)]
pub(crate) struct BlockCursor {
    form: KeyForm,
    block: Block,
    /// Where the entry stands that was read last.
    at: usize,
    /// Where the entry after it stands.
    next: usize,
    /// The whole key of the entry read last. Empty: there is none, so the next one needs no order.
    key: Vec<u8>,
    value: Range<usize>,
}

impl BlockCursor {
    /// A cursor before the first entry of `block`.
    pub(crate) fn new(block: Block, form: KeyForm) -> Self {
        Self { form, block, at: 0, next: 0, key: Vec::new(), value: 0..0 }
    }

    /// Goes before the first entry of `block`, whose key has to come after the one read last.
    pub(crate) fn enter(&mut self, block: Block) {
        self.block = block;
        self.next = 0;
    }

    /// Leaves its block; what is entered next has to come after `user_key`.
    pub(crate) fn pass(&mut self, user_key: &[u8]) {
        self.enter(Block::empty());
        self.key.clear();
        self.key.extend_from_slice(user_key);
        self.key.extend_from_slice(&SEPARATOR_TRAILER[..self.form.trailer_len()]);
    }

    /// Whether the entry read last is the last of its block.
    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.next == self.block.entries_end()
    }

    /// Goes before the first entry of its block, which may have any key.
    pub(crate) fn rewind(&mut self) {
        self.key.clear();
        self.next = 0;
    }

    /// Reads the next entry; false at the end of the block.
    #[inline]
    pub(crate) fn advance(&mut self) -> Result<bool, Corruption> {
        if self.is_at_end() {
            return Ok(false);
        }
        let entry = self.block.entry(self.next)?;
        self.check(&entry).map_err(|what| self.corruption(what))?;
        self.key.truncate(entry.shared);
        self.key.extend_from_slice(&self.block.contents()[entry.suffix]);
        self.at = self.next;
        self.next = entry.value.end;
        self.value = entry.value;
        self.check_kind()?;
        Ok(true)
    }

    /// Reads the first entry whose user key is `user_key` or after it; false if the block has none.
    pub(crate) fn seek(&mut self, user_key: &[u8]) -> Result<bool, Corruption> {
        self.rewind();
        if self.block.entries_end() == 0 {
            return Ok(false);
        }
        self.next = self.block.restart(self.last_restart_before(user_key)?);
        while self.advance()? {
            if self.user_key() >= user_key {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads the last entry, if the block has entries.
    pub(crate) fn seek_to_last(&mut self) -> Result<(), Corruption> {
        self.rewind();
        self.next = self.block.restart(self.block.restarts() - 1);
        while self.advance()? {}
        Ok(())
    }

    /// The whole key of the entry read last.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The key of the entry read last, without trailer.
    #[inline]
    pub(crate) fn user_key(&self) -> &[u8] {
        &self.key[..self.key.len() - self.form.trailer_len()]
    }

    /// The value of the entry read last.
    #[inline]
    pub(crate) fn value(&self) -> &[u8] {
        &self.block.contents()[self.value.clone()]
    }

    /// The value of the entry read last, sharing the block's memory.
    pub(crate) fn value_bytes(&self) -> Bytes {
        self.block.contents().slice(self.value.clone())
    }

    /// Where the entry read last stands in the block's contents.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// Says what is wrong with the block.
    pub(crate) fn corruption(&self, what: Defect) -> Corruption {
        Corruption::new(self.block.offset(), what)
    }

    /// The last restart point whose key is before `user_key`, or the first of all.
    fn last_restart_before(&self, user_key: &[u8]) -> Result<usize, Corruption> {
        // Keys of restart points under `low` are before `user_key`, those from `high` on are not.
        let (mut low, mut high) = (0, self.block.restarts());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.restart_user_key(middle)? < user_key {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.saturating_sub(1))
    }

    fn restart_user_key(&self, index: usize) -> Result<&[u8], Corruption> {
        let at = self.block.restart(index);
        let entry = self.block.entry(at)?;
        let user_len = entry.suffix.len().checked_sub(self.form.trailer_len());
        match user_len {
            Some(len) if entry.shared == 0 => Ok(&self.block.contents()[entry.suffix][..len]),
            _ => Err(self.corruption(Defect::RestartEntry { at })),
        }
    }

    #[inline]
    fn check(&self, entry: &Entry) -> Result<(), Defect> {
        let at = self.next;
        // The key buffer may hold a key of the block before, of which the first entry can share nothing.
        let previous = if at == 0 { 0 } else { self.key.len() };
        if entry.shared > previous {
            return Err(Defect::SharedPrefix { at, shared: entry.shared, previous });
        }
        let len = entry.shared + entry.suffix.len();
        let Some(user_len) = len.checked_sub(self.form.trailer_len()) else {
            return Err(Defect::KeyLength { at, len });
        };
        if !self.key.is_empty() && !self.ascends(entry, user_len) {
            return Err(Defect::KeyOrder { at });
        }
        Ok(())
    }

    /// Whether the entry's user key, of `user_len` bytes, comes after the one read last. Only what is not shared is compared.
    #[inline]
    fn ascends(&self, entry: &Entry, user_len: usize) -> bool {
        let previous = self.user_key();
        let shared = entry.shared;
        if shared > previous.len() || shared > user_len {
            // One user key is a prefix of the other.
            return user_len > previous.len();
        }
        let suffix = &self.block.contents()[entry.suffix.clone()];
        previous[shared..] < suffix[..user_len - shared]
    }

    #[inline]
    fn check_kind(&self) -> Result<(), Corruption> {
        if self.form != KeyForm::Record {
            return Ok(());
        }
        let kind = self.key[self.key.len() - KEY_TRAILER_LEN];
        if kind == KIND_VALUE {
            return Ok(());
        }
        Err(self.corruption(Defect::RecordKind { at: self.at, kind }))
    }
}
