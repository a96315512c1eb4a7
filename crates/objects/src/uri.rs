//! Storage namespaces: where a repository's objects live.

use std::fmt;
use std::str::FromStr;

/// A parsed `s3://bucket/prefix`.
///
/// A bucket whose name holds a dot, such as `braid.local`, is a bucket of the embedded local store; any other
/// is one of S3's. The prefix is empty or ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StorageUri {
    bucket: String,
    prefix: String,
}

/// Why a text is not a storage namespace.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid storage namespace \"{text}\": {rule}")]
pub struct InvalidStorageUri {
    /// The text.
    pub text: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl StorageUri {
    /// The bucket's name.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// What every key begins with: empty, or ending in `/`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether this is in the embedded local store.
    #[must_use]
    pub fn is_local(&self) -> bool {
        is_local_bucket(&self.bucket)
    }

    /// The part of an absolute address `s3://bucket/key` after this namespace; `None` if it is not in here.
    #[must_use]
    pub fn relative<'a>(&self, address: &'a str) -> Option<&'a str> {
        let path = address.strip_prefix("s3://")?;
        path.strip_prefix(&self.bucket)?.strip_prefix('/')?.strip_prefix(&self.prefix)
    }
}

/// Whether a bucket of this name is the embedded local store's.
#[must_use]
pub fn is_local_bucket(bucket: &str) -> bool {
    is_bucket_name(bucket) && bucket.contains('.')
}

/// S3's rules for names of buckets, but for the list of reserved prefixes and suffixes.
fn is_bucket_name(name: &str) -> bool {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    let inside = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '.';
    (3..=63).contains(&name.len())
        && name.chars().all(inside)
        && edge(name.chars().next())
        && edge(name.chars().last())
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
}

impl FromStr for StorageUri {
    type Err = InvalidStorageUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |rule| InvalidStorageUri { text: text.to_owned(), rule };
        let path = text.strip_prefix("s3://").ok_or_else(|| invalid("it starts with \"s3://\""))?;
        let (bucket, prefix) = path.split_once('/').unwrap_or((path, ""));
        if !is_bucket_name(bucket) {
            return Err(invalid("the bucket's name has 3 to 63 of a-z, 0-9, \"-\" and \".\""));
        }
        if prefix.starts_with('/') || prefix.contains("//") {
            return Err(invalid("the prefix has no empty part"));
        }
        if prefix.len() > MAX_PREFIX_BYTES {
            return Err(invalid("the prefix has at most 512 bytes"));
        }
        let ending = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
        Ok(Self { bucket: bucket.to_owned(), prefix: format!("{prefix}{ending}") })
    }
}

/// Leaves half of a key to what is under the prefix.
const MAX_PREFIX_BYTES: usize = 512;

impl fmt::Display for StorageUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::StorageUri;

    fn parse(text: &str) -> StorageUri {
        text.parse().unwrap()
    }

    #[test]
    fn a_prefix_ends_in_a_slash_or_is_empty() {
        for (text, bucket, prefix) in [
            ("s3://lake", "lake", ""),
            ("s3://lake/", "lake", ""),
            ("s3://lake/a/b", "lake", "a/b/"),
            ("s3://lake/a/b/", "lake", "a/b/"),
        ] {
            let uri = parse(text);
            assert_eq!((uri.bucket(), uri.prefix()), (bucket, prefix));
            assert_eq!(parse(&uri.to_string()), uri);
        }
    }

    #[test]
    fn a_dot_in_the_bucket_means_the_local_store() {
        assert!(parse("s3://braid.local/x").is_local());
        assert!(!parse("s3://lake--use1-az4--x-s3/a.b").is_local());
    }

    #[test]
    fn an_address_is_relative_to_the_namespace_that_holds_it() {
        let uri = parse("s3://lake/a");
        assert_eq!(uri.relative("s3://lake/a/data/1"), Some("data/1"));
        for outside in ["s3://lake/ab/data", "s3://lakes/a/data", "gs://lake/a/data", "s3://lake"] {
            assert_eq!(uri.relative(outside), None, "{outside}");
        }
    }

    #[test]
    fn what_is_no_bucket_of_s3_is_refused() {
        let long = format!("s3://lake/{}", "x".repeat(513));
        for text in [
            "",
            "lake/a",
            "gs://lake",
            "s3://",
            "s3:///a",
            "s3://ab",
            "s3://Lake",
            "s3://-lake",
            "s3://la..ke",
            "s3://10.0.0.1",
            "s3://la ke",
            "s3://lake//a",
            "s3://lake/a//b",
            long.as_str(),
        ] {
            assert!(text.parse::<StorageUri>().is_err(), "{text}");
        }
    }
}
