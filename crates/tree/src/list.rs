//! Pages of a listing, with common prefixes.

use bytes::Bytes;

use crate::{Cursor, Record, TreeError, Wanted, key_after, prefix_end};

/// What to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Only paths that begin so.
    pub prefix: Bytes,
    /// Paths are listed up to and with the first delimiter after the prefix, once each. An empty one is none.
    pub delimiter: Option<Bytes>,
    /// Only items (paths, or common prefixes as they are listed) that come after this.
    pub after: Option<Bytes>,
    /// At most so many items.
    pub limit: usize,
}

impl ListQuery {
    fn delimiter(&self) -> Option<&Bytes> {
        self.delimiter.as_ref().filter(|delimiter| !delimiter.is_empty())
    }
}

/// One item of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// A path.
    Record(Record),
    /// All paths that begin so.
    CommonPrefix(Bytes),
}

impl Listed {
    /// What the item is listed as: the path or the common prefix.
    pub fn name(&self) -> &Bytes {
        match self {
            Self::Record(record) => &record.key,
            Self::CommonPrefix(prefix) => prefix,
        }
    }
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
pub async fn list_page(cursor: &mut dyn Cursor, query: &ListQuery) -> Result<ListPage, TreeError> {
    let mut page = ListPage::default();
    let Some(start) = start(query).filter(|_| query.limit > 0) else {
        return Ok(page);
    };
    let most = (query.limit as u64).saturating_add(1);
    let first = if query.delimiter().is_none() { most } else { 1 };
    cursor.expect(Wanted { end: prefix_end(&query.prefix), first, most: Some(most) });
    cursor.seek(&start).await?;
    while let Some(record) = cursor.next().await? {
        if !record.key.starts_with(&query.prefix) {
            break;
        }
        if page.items.len() == query.limit {
            page.next_after = page.items.last().map(|item| item.name().clone());
            break;
        }
        let Some(prefix) = common_prefix(&record.key, query) else {
            page.items.push(Listed::Record(record));
            continue;
        };
        page.items.push(Listed::CommonPrefix(prefix.clone()));
        let Some(end) = prefix_end(&prefix) else {
            break;
        };
        cursor.seek(&end).await?;
    }
    Ok(page)
}

/// The first key that may be part of the first item; `None` if no key can be.
pub(crate) fn start(query: &ListQuery) -> Option<Bytes> {
    let Some(after) = &query.after else {
        return Some(query.prefix.clone());
    };
    let start = match common_prefix(after, query) {
        // The common prefix itself is not after `after`, and no path under it is listed on its own.
        Some(prefix) => prefix_end(&prefix)?,
        None => key_after(after),
    };
    Some(start.max(query.prefix.clone()))
}

/// What a key is rolled up into, if it is in the query's prefix and has a delimiter behind that.
pub(crate) fn common_prefix(key: &Bytes, query: &ListQuery) -> Option<Bytes> {
    let delimiter = query.delimiter()?;
    let rest = key.strip_prefix(&query.prefix[..])?;
    let at = rest.windows(delimiter.len()).position(|window| window == delimiter)?;
    Some(key.slice(..query.prefix.len() + at + delimiter.len()))
}
