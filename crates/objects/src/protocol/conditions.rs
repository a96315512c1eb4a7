//! Conditional requests (RFC 9110, section 13) as S3 has them.

use http::HeaderMap;
use s3s::dto::{
    CopyObjectInput, ETag, ETagCondition, GetObjectInput, HeadObjectInput, Timestamp, TimestampFormat,
    UploadPartCopyInput,
};
use s3s::{S3Result, s3_error};

use crate::local::Condition;

/// The conditions of a read.
#[derive(Debug, Default)]
pub struct ReadConditions {
    /// The object must have this tag.
    pub if_match: Option<ETagCondition>,
    /// The object must have another tag.
    pub if_none_match: Option<ETagCondition>,
    /// The object must have been written after this.
    pub if_modified_since: Option<Timestamp>,
    /// The object must not have been written after this.
    pub if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Refuses the read of an object with this entity tag, written at this second since 1970, for which a condition does
    /// not hold. Tags go before dates.
    ///
    /// # Errors
    /// `PreconditionFailed`, or `NotModified`.
    pub fn check(&self, etag: &str, modified: i64) -> S3Result<()> {
        let unmodified = |since: &Timestamp| modified <= seconds(since);
        let unwanted_change = match &self.if_match {
            Some(condition) => !matches(condition, etag),
            None => self.if_unmodified_since.as_ref().is_some_and(|since| !unmodified(since)),
        };
        if unwanted_change {
            return Err(s3_error!(PreconditionFailed, "the object is another than the one asked for"));
        }
        let known = match &self.if_none_match {
            Some(condition) => matches(condition, etag),
            None => self.if_modified_since.as_ref().is_some_and(unmodified),
        };
        if known {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }
}

impl From<&GetObjectInput> for ReadConditions {
    fn from(input: &GetObjectInput) -> Self {
        Self {
            if_match: input.if_match.clone(),
            if_none_match: input.if_none_match.clone(),
            if_modified_since: input.if_modified_since.clone(),
            if_unmodified_since: input.if_unmodified_since.clone(),
        }
    }
}

impl From<&HeadObjectInput> for ReadConditions {
    fn from(input: &HeadObjectInput) -> Self {
        Self {
            if_match: input.if_match.clone(),
            if_none_match: input.if_none_match.clone(),
            if_modified_since: input.if_modified_since.clone(),
            if_unmodified_since: input.if_unmodified_since.clone(),
        }
    }
}

/// Of the source.
impl From<&CopyObjectInput> for ReadConditions {
    fn from(input: &CopyObjectInput) -> Self {
        Self {
            if_match: input.copy_source_if_match.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
        }
    }
}

/// Of the source.
impl From<&UploadPartCopyInput> for ReadConditions {
    fn from(input: &UploadPartCopyInput) -> Self {
        Self {
            if_match: input.copy_source_if_match.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
        }
    }
}

fn matches(condition: &ETagCondition, etag: &str) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(wanted) => wanted.value() == etag,
    }
}

/// The condition of a write.
///
/// # Errors
/// `NotImplemented` for one that S3 does not have.
pub fn write_condition(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> S3Result<Condition> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::None),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::Any), None) => Ok(Condition::Present),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Matches(etag.into_value())),
        (_, Some(_)) => Err(s3_error!(NotImplemented, "a write takes If-Match, or If-None-Match with *")),
    }
}

/// A condition that a header gives, for operations whose input lacks it.
///
/// # Errors
/// `InvalidArgument`.
pub fn header_condition(headers: &HeaderMap, name: &str) -> S3Result<Option<ETagCondition>> {
    let parse = |value: &http::HeaderValue| ETagCondition::parse_http_header(value.as_bytes());
    let parsed = headers.get(name).map(parse).transpose();
    parsed.map_err(|error| s3_error!(InvalidArgument, "{name}: {error}"))
}

/// The entity tag of an object.
pub fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

/// A time as the protocol library has it.
pub fn timestamp(seconds: i64) -> Timestamp {
    let seconds = std::time::Duration::from_secs(seconds.unsigned_abs());
    (std::time::UNIX_EPOCH + seconds).into()
}

fn seconds(timestamp: &Timestamp) -> i64 {
    let mut text = Vec::new();
    timestamp.format(TimestampFormat::EpochSeconds, &mut text).expect("a vector takes all that is written");
    let text = String::from_utf8(text).expect("a number is ASCII");
    let whole = text.split_once('.').map_or(text.as_str(), |(whole, _)| whole);
    whole.parse().expect("seconds since 1970 are a number")
}

#[cfg(test)]
mod tests {
    use super::*;
    fn check(conditions: &ReadConditions) -> Option<String> {
        conditions.check("tag", 1000).err().map(|error| error.code().as_str().to_owned())
    }

    fn tag(value: &str) -> Option<ETagCondition> {
        Some(ETagCondition::ETag(etag(value)))
    }

    #[test]
    fn tags_go_before_dates() {
        let none = ReadConditions::default;
        let (before, after) = (Some(timestamp(999)), Some(timestamp(1000)));
        let failed = Some("PreconditionFailed".to_owned());
        let known = Some("NotModified".to_owned());
        assert_eq!(check(&none()), None);
        assert_eq!(check(&ReadConditions { if_match: tag("other"), ..none() }), failed);
        assert_eq!(check(&ReadConditions { if_match: Some(ETagCondition::Any), ..none() }), None);
        let both = ReadConditions { if_match: tag("tag"), if_unmodified_since: before.clone(), ..none() };
        assert_eq!(check(&both), None);
        assert_eq!(check(&ReadConditions { if_unmodified_since: before.clone(), ..none() }), failed);
        assert_eq!(check(&ReadConditions { if_unmodified_since: after.clone(), ..none() }), None);
        assert_eq!(check(&ReadConditions { if_none_match: tag("tag"), ..none() }), known);
        let both = ReadConditions { if_none_match: tag("other"), if_modified_since: after.clone(), ..none() };
        assert_eq!(check(&both), None);
        assert_eq!(check(&ReadConditions { if_modified_since: after, ..none() }), known);
        assert_eq!(check(&ReadConditions { if_modified_since: before, ..none() }), None);
    }
}
