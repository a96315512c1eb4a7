//! Listing objects: pages of one state, or all of it as a cursor.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::{Cursor, ListQuery, Listed, list_page};
use braid_types::{PathPrefix, RefExpression, RepositoryName, Result};
use bytes::Bytes;

use crate::catalog::{Catalog, load_repository};
use crate::page::{Page, PageRequest, PageStart};
use crate::view::Object;

/// What to list.
#[derive(Debug, Clone, Default)]
pub struct ListRequest {
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// Paths that hold it after the prefix are rolled up into one common prefix; empty for none.
    pub delimiter: String,
    /// Only paths after it; empty for all.
    pub after: String,
}

/// One line of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listing {
    /// An object.
    Object(Object),
    /// The beginning that several paths share, up to and with the delimiter.
    CommonPrefix(String),
}

/// All that a listing finds, in order, from one state.
pub struct ObjectCursor {
    cursor: Box<dyn Cursor>,
    query: ListQuery,
    namespace: Arc<str>,
    done: bool,
    // Holds the state that the cursor reads.
    _snapshot: Arc<dyn Snapshot>,
}

impl ObjectCursor {
    /// The next items, at most `limit`; none at the end.
    pub async fn next_items(&mut self, limit: usize) -> Result<Vec<Listing>> {
        if self.done {
            return Ok(Vec::new());
        }
        self.query.limit = limit;
        let page = list_page(&mut *self.cursor, &self.query).await?;
        match page.next_after {
            Some(after) => self.query.after = Some(after),
            None => self.done = true,
        }
        page.items.into_iter().map(|listed| listing(listed, &self.namespace)).collect()
    }
}

impl Catalog {
    /// One page of the objects at `reference`.
    pub async fn list_objects(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        list: &ListRequest,
        page: &PageRequest,
    ) -> Result<Page<Listing>> {
        let scope = [
            "objects",
            repository.as_str(),
            reference.text(),
            list.prefix.as_str(),
            &list.delimiter,
            &list.after,
        ];
        let start = PageStart::open(self, page, &scope).await?;
        let mut cursor = self.cursor_in(Arc::clone(&start.snapshot), repository, reference, list).await?;
        if let Some(after) = &start.after {
            cursor.query.after = Some(Bytes::copy_from_slice(after));
        }
        let items = cursor.next_items(page.limit()).await?;
        let next_token = match &cursor.query.after {
            Some(after) if !cursor.done => start.token_after(after),
            _ => String::new(),
        };
        Ok(Page { items, next_token })
    }

    /// All objects at `reference`, from one state.
    pub async fn object_cursor(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        list: &ListRequest,
    ) -> Result<ObjectCursor> {
        self.cursor_in(self.snapshot().await?, repository, reference, list).await
    }

    pub(super) async fn cursor_in(
        &self,
        snapshot: Arc<dyn Snapshot>,
        repository: &RepositoryName,
        reference: &RefExpression,
        list: &ListRequest,
    ) -> Result<ObjectCursor> {
        let repository = load_repository(&snapshot, repository).await?;
        let view = self.view(&snapshot, &repository, reference).await?;
        let given = |text: &str| (!text.is_empty()).then(|| Bytes::copy_from_slice(text.as_bytes()));
        let query = ListQuery {
            prefix: Bytes::copy_from_slice(list.prefix.as_bytes()),
            delimiter: given(&list.delimiter),
            after: given(&list.after),
            limit: 0,
        };
        let cursor = view.cursor(&snapshot);
        let namespace = repository.storage_namespace;
        Ok(ObjectCursor { cursor, query, namespace, done: false, _snapshot: snapshot })
    }
}

fn listing(listed: Listed, namespace: &Arc<str>) -> Result<Listing> {
    match listed {
        Listed::Record(record) => Object::from_record(&record, namespace).map(Listing::Object),
        Listed::CommonPrefix(prefix) => Ok(Listing::CommonPrefix(common_prefix(&prefix))),
    }
}

/// A common prefix ends at a delimiter, which is UTF-8 between whole characters of a path.
fn common_prefix(prefix: &[u8]) -> String {
    String::from_utf8_lossy(prefix).into_owned()
}
