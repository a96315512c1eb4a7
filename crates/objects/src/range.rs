//! Which bytes of an object are wanted.

use std::ops::Range;

/// A part of an object, as in an HTTP `Range` header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From the first offset up to, not including, the second.
    Span(u64, u64),
    /// From the offset to the end.
    From(u64),
    /// That many bytes at the end, or the whole object if it is shorter.
    Last(u64),
}

impl ByteRange {
    /// The offsets this is in an object of `size` bytes, clipped to its end; `None` if there is no byte in it.
    #[must_use]
    pub fn within(self, size: u64) -> Option<Range<u64>> {
        let (from, to) = match self {
            Self::Span(from, to) => (from, to.min(size)),
            Self::From(from) => (from, size),
            Self::Last(count) => (size.saturating_sub(count), size),
        };
        (from < to).then_some(from..to)
    }

    /// The value of a `Range` header that says this; `None` if the range is empty whatever the object.
    #[must_use]
    pub fn header(self) -> Option<String> {
        match self {
            Self::Span(from, to) if from < to => Some(format!("bytes={from}-{}", to - 1)),
            Self::From(from) => Some(format!("bytes={from}-")),
            Self::Last(count) if count > 0 => Some(format!("bytes=-{count}")),
            Self::Span(..) | Self::Last(_) => None,
        }
    }
}

impl From<Range<u64>> for ByteRange {
    fn from(range: Range<u64>) -> Self {
        Self::Span(range.start, range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::ByteRange;

    #[test]
    fn ranges_are_clipped_to_the_object() {
        assert_eq!(ByteRange::Span(2, 5).within(10), Some(2..5));
        assert_eq!(ByteRange::Span(2, 50).within(10), Some(2..10));
        assert_eq!(ByteRange::From(9).within(10), Some(9..10));
        assert_eq!(ByteRange::Last(3).within(10), Some(7..10));
        assert_eq!(ByteRange::Last(30).within(10), Some(0..10));
    }

    #[test]
    fn a_range_without_a_byte_is_none() {
        for range in [ByteRange::Span(5, 5), ByteRange::Span(10, 11), ByteRange::From(10), ByteRange::Last(0)]
        {
            assert_eq!(range.within(10), None, "{range:?}");
        }
        assert_eq!(ByteRange::Last(1).within(0), None);
    }

    #[test]
    fn headers_count_from_zero_and_include_the_last_byte() {
        assert_eq!(ByteRange::Span(0, 1).header().as_deref(), Some("bytes=0-0"));
        assert_eq!(ByteRange::From(7).header().as_deref(), Some("bytes=7-"));
        assert_eq!(ByteRange::Last(7).header().as_deref(), Some("bytes=-7"));
        assert_eq!(ByteRange::Span(3, 3).header(), None);
        assert_eq!(ByteRange::Last(0).header(), None);
    }
}
