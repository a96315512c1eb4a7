//! Pages of a listing, with common prefixes.
use bytes::Bytes;

use crate::{Cursor, Record, TreeError};

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only paths that begin so.
    pub prefix: Bytes,
    /// Paths are listed up to and with the first delimiter after the prefix, once each. Not empty.
    pub delimiter: Option<Bytes>,
    /// Only items (paths, or common prefixes as they are listed) that come after this.
    pub after: Option<Bytes>,
    /// At most so many items.
    pub limit: usize,
}

/// One item of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A path.
    Record(Record),
    /// All paths that begin so.
    CommonPrefix(Bytes),
}

/// A part of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListPage {
    /// The items, in order.
    pub items: Vec<Listed>,
    /// What to give as `after` for the next page; `None` if there are no more items.
    pub next_after: Option<Bytes>,
}

/// Reads one page. Paths under a common prefix are skipped by a seek.
pub async fn list_page(_cursor: &mut dyn Cursor, _query: &ListQuery) -> Result<ListPage, TreeError> {
    todo!()
}

/// The first key after all keys that begin with `prefix`; `None` if there can be none.
pub fn prefix_end(_prefix: &[u8]) -> Option<Bytes> {
    todo!()
}
