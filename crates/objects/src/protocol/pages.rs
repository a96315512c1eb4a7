//! Pages of listings, and numbers of parts.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use s3s::{S3Result, s3_error as refuse};

use crate::{MAX_PAGE, MAX_PART_NUMBER};

/// The `max-keys` that an answer says for the one asked.
#[must_use]
pub(super) fn max_keys(asked: Option<i32>) -> i32 {
    let most = i32::try_from(MAX_PAGE).expect("a page is small");
    asked.unwrap_or(most).min(most)
}

/// A continuation token that goes on after `next`.
#[must_use]
pub(super) fn token(next: &str) -> String {
    URL_SAFE_NO_PAD.encode(next)
}

/// Where a continuation token goes on.
///
/// # Errors
/// `InvalidArgument`.
pub fn from_token(token: &str) -> S3Result<String> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.ok_or_else(|| refuse!(InvalidArgument, "the continuation token is not one of ours"))
}

/// The number of a part.
///
/// # Errors
/// `InvalidArgument`.
pub fn part_number(number: i32) -> S3Result<u16> {
    let valid = u16::try_from(number).ok().filter(|number| (1..=MAX_PART_NUMBER).contains(number));
    valid.ok_or_else(|| refuse!(InvalidArgument, "a part's number is 1 to {MAX_PART_NUMBER}, not {number}"))
}

/// How many items a page has at most when so many are asked for.
///
/// # Errors
/// `InvalidArgument`.
pub fn page_limit(asked: Option<i32>) -> S3Result<usize> {
    let asked = usize::try_from(asked.unwrap_or(1000));
    let asked = asked.map_err(|_| refuse!(InvalidArgument, "a page's length is not negative"))?;
    Ok(asked.clamp(1, MAX_PAGE))
}
