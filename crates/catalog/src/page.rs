//! Pages of unary lists. A page token carries the state that was read, so that all pages show one.

use std::sync::Arc;

use braid_kv::{KeyRange, Snapshot, Timestamp};
use braid_types::{Code, Error, IdentityHasher, Result, limits};
use bytes::Bytes;

use crate::catalog::Catalog;

/// Which page a caller wants.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The token of the page before; empty for the first page.
    pub token: String,
    /// At most so many items; 0 for the default. Never more than [`limits::PAGE_ITEMS`].
    pub size: usize,
}

impl PageRequest {
    /// How many items the page may hold.
    pub(crate) fn limit(&self) -> usize {
        match self.size {
            0 => limits::PAGE_ITEMS,
            size => size.min(limits::PAGE_ITEMS),
        }
    }
}

/// Which names of a list are wanted. All that begin with a prefix come from a `&str`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Names<'a> {
    /// Only names that begin with it.
    pub prefix: &'a str,
    /// Only names after it, which need not exist. A page token says more, and decides.
    pub after: &'a str,
    /// Of branches, also those that are hidden.
    pub hidden: bool,
}

impl<'a> From<&'a str> for Names<'a> {
    fn from(prefix: &'a str) -> Self {
        Self { prefix, after: "", hidden: false }
    }
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, in order.
    pub items: Vec<T>,
    /// The token of the next page; empty on the last one.
    pub next_token: String,
}

/// Where one page of a list begins, and in which state of the store.
pub(crate) struct PageStart {
    pub(crate) snapshot: Arc<dyn Snapshot>,
    /// The last key of the page before.
    pub(crate) after: Option<Vec<u8>>,
    scope: [u8; 8],
}

impl PageStart {
    /// Opens the state that a page is read from; `scope` says which list it is a page of, so that a token of one list
    /// is not taken for another.
    pub(crate) async fn open(catalog: &Catalog, request: &PageRequest, scope: &[&str]) -> Result<Self> {
        let scope = hash_scope(scope);
        if request.token.is_empty() {
            return Ok(Self { snapshot: catalog.snapshot().await?, after: None, scope });
        }
        let (timestamp, after) = parse(&request.token, scope)?;
        let snapshot = catalog.parts.kv.snapshot_at(timestamp).await?;
        Ok(Self { snapshot, after: Some(after), scope })
    }

    /// The part of `all` that the page is read from. A first page begins after the key `name` if a name was given.
    pub(crate) fn range(&self, all: KeyRange, after: &str, name: impl FnOnce(&str) -> Bytes) -> KeyRange {
        match &self.after {
            Some(key) => all.after(key),
            None if after.is_empty() => all,
            None => all.after(&name(after)),
        }
    }

    /// The token of the page that begins after `key`. It keeps this page's state reachable.
    pub(crate) fn token_after(&self, key: &[u8]) -> String {
        self.snapshot.pin();
        let timestamp = u64::from(self.snapshot.timestamp());
        hex::encode([&timestamp.to_be_bytes()[..], &self.scope, key].concat())
    }
}

fn hash_scope(scope: &[&str]) -> [u8; 8] {
    let hash = IdentityHasher::new().strings(scope).finish();
    hash[..8].try_into().expect("eight bytes of a hash are eight bytes")
}

fn parse(token: &str, scope: [u8; 8]) -> Result<(Timestamp, Vec<u8>)> {
    let invalid =
        || Error::new(Code::InvalidPageToken, token, "the page token belongs to another list or is damaged");
    let bytes = hex::decode(token).map_err(|_| invalid())?;
    let (timestamp, rest) = bytes.split_first_chunk::<8>().ok_or_else(invalid)?;
    let (found, after) = rest.split_first_chunk::<8>().ok_or_else(invalid)?;
    if *found != scope {
        return Err(invalid());
    }
    Ok((Timestamp::from(u64::from_be_bytes(*timestamp)), after.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_other_lists_and_damaged_ones_are_refused() {
        let token = hex::encode([&7u64.to_be_bytes()[..], &hash_scope(&["branches", "a"]), b"key"].concat());
        let (timestamp, after) = parse(&token, hash_scope(&["branches", "a"])).unwrap();
        assert_eq!((u64::from(timestamp), &after[..]), (7, &b"key"[..]));
        for (token, scope) in
            [(&token[..], ["branches", "b"]), ("zz", ["branches", "a"]), ("0011", ["branches", "a"])]
        {
            assert_eq!(parse(token, hash_scope(&scope)).unwrap_err().code(), Code::InvalidPageToken);
        }
    }
}
