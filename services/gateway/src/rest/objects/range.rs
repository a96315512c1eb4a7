//! The part of an object that a request asks for.

use braid_objects::ByteRange;
use http::HeaderMap;
use http::header::RANGE;

/// What a `Range` header asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// The whole object.
    All,
    /// One part of it.
    Part(ByteRange),
    /// Nothing that can be answered: several parts, or what is no range at all.
    Unanswerable,
}

/// Reads the `Range` header.
pub(super) fn asked(headers: &HeaderMap) -> Asked {
    let Some(value) = headers.get(RANGE) else { return Asked::All };
    value.to_str().ok().and_then(parse).map_or(Asked::Unanswerable, Asked::Part)
}

/// The bytes that a text such as `bytes=0-9` names.
pub(super) fn parse(value: &str) -> Option<ByteRange> {
    let (first, last) = value.strip_prefix("bytes=")?.trim().split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    match (first, last) {
        ("", last) => number(last).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => {
            let (first, last): (u64, u64) = (number(first)?, number(last)?);
            (first <= last).then(|| ByteRange::Span(first, last.saturating_add(1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> Asked {
        asked(&HeaderMap::from_iter([(RANGE, value.parse().unwrap())]))
    }

    #[test]
    fn one_range_is_read_in_its_three_forms() {
        assert_eq!(asked(&HeaderMap::new()), Asked::All);
        assert_eq!(of("bytes=0-9"), Asked::Part(ByteRange::Span(0, 10)));
        assert_eq!(of("bytes=5-"), Asked::Part(ByteRange::From(5)));
        assert_eq!(of("bytes=-5"), Asked::Part(ByteRange::Last(5)));
        assert_eq!(of("bytes=0-18446744073709551615"), Asked::Part(ByteRange::Span(0, u64::MAX)));
    }

    #[test]
    fn anything_else_cannot_be_answered() {
        for wrong in
            ["bytes=0-1,3-4", "bytes=5-4", "bytes=", "bytes=-", "items=0-1", "bytes=+1-2", "bytes=a-b"]
        {
            assert_eq!(of(wrong), Asked::Unanswerable, "{wrong}");
        }
    }
}
