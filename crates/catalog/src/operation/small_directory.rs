//! The entries of a prefix, where they are few.

use braid_tree::{ListQuery, Listed, Record, list_page};
use braid_types::Result;
use bytes::Bytes;

use super::restructure::Scene;
use crate::view::View;

/// What is seen under a prefix.
#[derive(Debug)]
pub(super) enum Contents {
    /// All of it.
    Few(Vec<Record>),
    /// The first of it.
    Many(Vec<Record>),
}

impl Contents {
    /// The first entries, or all.
    pub(super) fn entries(&self) -> &[Record] {
        match self {
            Self::Few(entries) | Self::Many(entries) => entries,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }
}

impl Scene<'_> {
    /// What is seen on the branch under `prefix`.
    pub(super) async fn contents(&self, prefix: &[u8]) -> Result<Contents> {
        self.contents_of(&self.view, prefix).await
    }

    /// What is seen in a view under `prefix`.
    pub(super) async fn contents_of(&self, view: &View, prefix: &[u8]) -> Result<Contents> {
        let mut cursor = view.cursor(&self.snapshot);
        let prefix = Bytes::copy_from_slice(prefix);
        let query =
            ListQuery { prefix, limit: self.catalog.settings.small_directory.max(1), ..ListQuery::default() };
        let page = list_page(&mut *cursor, &query).await?;
        let is_all = page.next_after.is_none();
        let record = |listed| match listed {
            Listed::Record(record) => record,
            Listed::CommonPrefix(_) => unreachable!("no delimiter was given"),
        };
        let entries = page.items.into_iter().map(record).collect();
        Ok(if is_all { Contents::Few(entries) } else { Contents::Many(entries) })
    }
}
