//! Arguments that several commands take.

use std::collections::BTreeMap;

use braid_types::{RefExpression, Time};
use clap::Args;

use crate::address::BranchAddress;

/// A key and a value, given as `key=value`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pair {
    key: String,
    value: String,
}

/// Takes `key=value` apart at the first `=`.
pub(crate) fn pair(text: &str) -> Result<Pair, String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok(Pair { key: key.to_owned(), value: value.to_owned() }),
        _ => Err("it must be key=value".into()),
    }
}

/// The pairs as a map; a key that is given again takes the later value.
pub(crate) fn map(pairs: Vec<Pair>) -> BTreeMap<String, String> {
    pairs.into_iter().map(|pair| (pair.key, pair.value)).collect()
}

/// An etag, with or without its quotes.
pub(crate) fn etag(text: &str) -> Result<String, String> {
    match text.trim_matches('"') {
        "" => Err("it must not be empty".into()),
        etag => Ok(etag.to_owned()),
    }
}

/// A time, such as `2026-01-31T12:00:00Z`.
pub(crate) fn time(text: &str) -> Result<Time, String> {
    Time::parse_rfc3339(text).ok_or_else(|| "it must be a time such as 2026-01-31T12:00:00Z".into())
}

/// A commit whose change is undone or done again, and the branch that gets the new commit.
#[derive(Debug, Args)]
pub(crate) struct Picked {
    /// The branch to commit to: braid://repository/branch
    pub(crate) branch: BranchAddress,

    /// The commit: a ref of the same repository
    #[arg(value_name = "REF", value_parser = reference)]
    pub(crate) reference: RefExpression,

    /// Which parent to compare the commit with, counted from 1; a merge commit needs one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) parent: Option<u32>,
}

/// A ref expression without repository, where an address before it names that.
pub(crate) fn reference(text: &str) -> Result<RefExpression, String> {
    if text.contains('/') {
        return Err(
            "give the ref alone, such as 'main': the repository is that of the address before it".into()
        );
    }
    RefExpression::parse(text).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_end_their_key_at_the_first_equals_sign() {
        let pairs = ["a=1=2", "b=", "a=3"].map(|text| pair(text).unwrap()).to_vec();
        let expected = [("a", "3"), ("b", "")].map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(map(pairs), BTreeMap::from(expected));
        assert!(pair("a").is_err());
        assert!(pair("=1").is_err());
    }

    #[test]
    fn refs_and_times_are_checked() {
        assert_eq!(reference("main~1").unwrap().text(), "main~1");
        assert!(reference("braid://repo/main").unwrap_err().contains("give the ref alone"));
        assert!(reference("a b").is_err());
        assert_eq!(time("1970-01-01T00:00:09Z"), Ok(Time::from_seconds(9)));
        assert!(time("yesterday").is_err());
    }
}
