//! Ranges of objects, as requests ask for them and answers name them.

use s3s::dto::Range as Asked;
use s3s::{S3Result, s3_error as refuse};

use crate::ByteRange;

/// The port's form of the range of a read.
#[must_use]
pub fn byte_range(range: Asked) -> ByteRange {
    match range {
        Asked::Int { first, last: Some(last) } => ByteRange::Span(first, last.saturating_add(1)),
        Asked::Int { first, last: None } => ByteRange::From(first),
        Asked::Suffix { length } => ByteRange::Last(length),
    }
}

/// What an answer says of the `range` that it holds of an object of `size` bytes. The range holds a byte.
#[must_use]
pub fn content_range(range: &std::ops::Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", range.start, range.end - 1)
}

/// The bytes of an object of `size` bytes that `x-amz-copy-source-range` names; `None` if it is not there. Other than the
/// range of a read it has both its ends, and is not clipped.
///
/// # Errors
/// `InvalidArgument` if it has not the form `bytes=first-last`; `InvalidRange` if it reaches beyond the object.
pub fn copied_range(asked: Option<&str>, size: u64) -> S3Result<Option<std::ops::Range<u64>>> {
    let Some(asked) = asked else { return Ok(None) };
    let malformed =
        || refuse!(InvalidArgument, "x-amz-copy-source-range is bytes=first-last, not \"{asked}\"");
    let (first, last) = ends(asked).ok_or_else(malformed)?;
    if last >= size {
        return Err(refuse!(InvalidRange, "the range {asked} is not within the source, of {size} bytes"));
    }
    Ok(Some(first..last + 1))
}

fn ends(asked: &str) -> Option<(u64, u64)> {
    let (first, last) = asked.strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
    let (first, last): (u64, u64) = (number(first)?, number(last)?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copied(asked: &str) -> Result<std::ops::Range<u64>, String> {
        let range = copied_range(Some(asked), 10).map_err(|error| error.code().as_str().to_owned());
        range.map(|range| range.expect("a range was asked for"))
    }

    #[test]
    fn a_copied_range_has_both_ends_within_the_source() {
        assert_eq!(copied("bytes=0-9"), Ok(0..10));
        assert_eq!(copied("bytes=3-3"), Ok(3..4));
        assert_eq!(copied_range(None, 0).unwrap(), None);
        for beyond in ["bytes=0-10", "bytes=10-10", "bytes=5-18446744073709551615"] {
            assert_eq!(copied(beyond), Err("InvalidRange".to_owned()), "{beyond}");
        }
        for malformed in [
            "",
            "0-9",
            "bytes=0",
            "bytes=-5",
            "bytes=5-",
            "bytes=4-3",
            "bytes=0-a",
            "bytes=+0-1",
            "bytes=0-2,3-5",
            "bytes=0-99999999999999999999",
        ] {
            assert_eq!(copied(malformed), Err("InvalidArgument".to_owned()), "{malformed}");
        }
    }

    #[test]
    fn ranges_of_reads_may_be_open() {
        assert_eq!(byte_range(Asked::Int { first: 1, last: Some(2) }), ByteRange::Span(1, 3));
        assert_eq!(byte_range(Asked::Int { first: 1, last: None }), ByteRange::From(1));
        assert_eq!(byte_range(Asked::Suffix { length: 4 }), ByteRange::Last(4));
        assert_eq!(content_range(&(1..3), 10), "bytes 1-2/10");
    }
}
