//! Ranges of keys.

use bytes::Bytes;

/// Keys from `start` up to, not including, `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRange {
    /// The first key.
    pub start: Bytes,
    /// The first key after the range; empty: the range has no end.
    pub end: Bytes,
}

impl KeyRange {
    /// The range of these bounds.
    pub fn new(start: impl Into<Bytes>, end: impl Into<Bytes>) -> Self {
        Self { start: start.into(), end: end.into() }
    }

    /// Every key.
    pub fn all() -> Self {
        Self::new(Bytes::new(), Bytes::new())
    }

    /// Whether no key lies in the range.
    pub fn is_empty(&self) -> bool {
        !self.end.is_empty() && self.start >= self.end
    }

    /// Whether `key` lies in the range.
    pub fn contains(&self, key: &[u8]) -> bool {
        self.start <= key && ends_after(&self.end, key)
    }
}

/// Whether an upper bound (empty: none) lies above `key`.
pub(crate) fn ends_after(end: &[u8], key: &[u8]) -> bool {
    end.is_empty() || key < end
}

/// The lesser of two upper bounds.
pub(crate) fn lesser_end(a: &Bytes, b: &Bytes) -> Bytes {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b.clone(),
        (_, true) => a.clone(),
        _ => a.min(b).clone(),
    }
}

/// The least key after `key`.
pub(crate) fn after(key: &[u8]) -> Bytes {
    [key, &[0]].concat().into()
}

/// How a scan walks its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanOptions {
    /// At most so many pairs are returned; fewer only where the range ends.
    pub limit: usize,
    /// From the greatest key down.
    pub reverse: bool,
    /// Return empty values.
    pub keys_only: bool,
}

impl ScanOptions {
    /// The first `limit` pairs, in ascending order, with values.
    pub fn first(limit: usize) -> Self {
        Self { limit, reverse: false, keys_only: false }
    }

    /// The last `limit` pairs, in descending order, with values.
    pub fn last(limit: usize) -> Self {
        Self { limit, reverse: true, keys_only: false }
    }

    /// The same without values.
    #[must_use]
    pub fn keys_only(self) -> Self {
        Self { keys_only: true, ..self }
    }
}
