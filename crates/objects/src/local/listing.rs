//! Listing, with what is below a delimiter folded into one line.

use super::index::Snapshot;
use super::record::{StoredObject, decode};

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ListingQuery {
    /// What keys start with.
    pub(crate) prefix: String,
    /// Keys that have this after the prefix are folded into the part up to and including it.
    pub(crate) delimiter: Option<String>,
    /// Begin after this key, or folded part.
    pub(crate) after: Option<String>,
    /// The most lines.
    pub(crate) limit: usize,
}

/// A line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Listed {
    Object(String, StoredObject),
    /// All keys that start so.
    Prefix(String),
}

impl Listed {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Object(name, _) | Self::Prefix(name) => name,
        }
    }
}

impl ListingQuery {
    /// What `key` is folded into; `None` if it is listed itself.
    pub(super) fn folded<'k>(&self, key: &'k str) -> Option<&'k str> {
        let delimiter = self.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty())?;
        let rest = key.strip_prefix(&*self.prefix)?;
        let end = rest.find(delimiter)? + delimiter.len();
        Some(&key[..self.prefix.len() + end])
    }

    /// Where to begin, and whether a key that is exactly that is listed; `None` if nothing can follow.
    pub(super) fn start(&self) -> Option<(String, bool)> {
        match self.after.as_deref() {
            Some(after) if after >= &*self.prefix => match self.folded(after) {
                Some(folded) if folded == after => successor(after).map(|next| (next, true)),
                _ => Some((after.to_owned(), false)),
            },
            _ => Some((self.prefix.clone(), true)),
        }
    }
}

/// The lines of a bucket, in the order of their bytes, and one more than asked for if there are more.
pub(super) fn list(
    snapshot: &Snapshot,
    bucket: &str,
    query: &ListingQuery,
) -> Result<Vec<Listed>, redb::Error> {
    let mut lines = Vec::new();
    let mut start = query.start();
    while let Some((from, inclusive)) = start.take() {
        for row in snapshot.objects.range((bucket, &*from)..)? {
            let (place, bytes) = row?;
            let (in_bucket, key) = place.value();
            if in_bucket != bucket || !key.starts_with(&*query.prefix) || lines.len() > query.limit {
                break;
            }
            if !inclusive && key == from {
                continue;
            }
            if let Some(folded) = query.folded(key) {
                lines.push(Listed::Prefix(folded.to_owned()));
                start = successor(folded).map(|next| (next, true));
                break;
            }
            lines.push(Listed::Object(key.to_owned(), decode(bytes.value())?));
        }
    }
    Ok(lines)
}

/// The names of all buckets that hold something.
pub(super) fn buckets(snapshot: &Snapshot) -> Result<Vec<String>, redb::Error> {
    let mut names: Vec<String> = Vec::new();
    loop {
        // No key is empty, and a name followed by NUL is the next possible name.
        let from = names.last().map_or(String::new(), |last| format!("{last}\0"));
        let Some(row) = snapshot.objects.range((&*from, "")..)?.next() else { return Ok(names) };
        names.push(row?.0.value().0.to_owned());
    }
}

/// The least text that is greater than all that start with `prefix`; `None` if there is none.
pub(super) fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        if let Some(next) = (last..=char::MAX).nth(1) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::successor;

    proptest! {
        #[test]
        fn a_successor_is_above_all_that_start_so_and_below_the_rest(
            prefix in "[a-b\u{d7ff}\u{10ffff}]{0,3}", other in "[a-c\u{d7ff}\u{e000}\u{10ffff}]{0,4}",
        ) {
            let above = successor(&prefix);
            let is_below = above.as_ref().is_none_or(|above| other < *above);
            let expected = other < prefix || other.starts_with(&prefix);
            prop_assert_eq!(is_below, expected, "{:?}", above);
        }
    }
}
