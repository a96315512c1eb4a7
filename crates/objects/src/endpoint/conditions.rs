//! Conditional requests (RFC 9110, section 13) as S3 has them.

use s3s::dto::{ETag, ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Result, s3_error};

use crate::local::{Condition, StoredObject};

/// The conditions of a read.
#[derive(Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

impl ReadConditions {
    /// Refuses the read of an object for which a condition does not hold. Tags go before dates.
    pub(super) fn check(&self, object: &StoredObject) -> S3Result<()> {
        let unmodified = |since: &Timestamp| object.modified <= seconds(since);
        let unwanted_change = match &self.if_match {
            Some(condition) => !matches(condition, object),
            None => self.if_unmodified_since.as_ref().is_some_and(|since| !unmodified(since)),
        };
        if unwanted_change {
            return Err(s3_error!(PreconditionFailed, "the object is another than the one asked for"));
        }
        let known = match &self.if_none_match {
            Some(condition) => matches(condition, object),
            None => self.if_modified_since.as_ref().is_some_and(unmodified),
        };
        if known {
            return Err(s3_error!(NotModified));
        }
        Ok(())
    }
}

fn matches(condition: &ETagCondition, object: &StoredObject) -> bool {
    match condition {
        ETagCondition::Any => true,
        ETagCondition::ETag(etag) => etag.value() == object.etag,
    }
}

/// The condition of a write.
pub(super) fn write_condition(
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

/// The entity tag of an object.
pub(super) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

/// A time as the protocol library has it.
pub(super) fn timestamp(seconds: i64) -> Timestamp {
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
    use crate::local::Attributes;

    fn object() -> StoredObject {
        StoredObject::new_for_test(10, "tag", 1000, Attributes::default())
    }

    fn check(conditions: &ReadConditions) -> Option<String> {
        conditions.check(&object()).err().map(|error| error.code().as_str().to_owned())
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
