//! How much is stored under a prefix: of all of it, or directory by directory.
//!
//! What is in trees is told by their descriptors, also where layers show it elsewhere. What is staged is walked, each change
//! compared with what it hides.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_tree::Usage;
use braid_types::{PathPrefix, RefExpression, RepositoryName, Result};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::list_objects::{ListRequest, Listing, ObjectCursor};
use crate::catalog::{Catalog, load_repository};
use crate::view::View;

/// How many directories are listed at a time, and how many of them are summed up at a time.
const LISTED_AT_ONCE: usize = 100;
const SUMMED_AT_ONCE: usize = 8;

/// How much there is under one prefix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrefixUsage {
    /// The prefix.
    pub prefix: PathPrefix,
    /// How much there is.
    pub usage: Usage,
}

/// How much there is in each directory of a prefix, by path; last in the whole prefix.
pub struct DirectoryUsages {
    prefix: PathPrefix,
    /// `None` when all of it was listed.
    listing: Option<ObjectCursor>,
    view: View,
    snapshot: Arc<dyn Snapshot>,
    sum: Usage,
}

impl Catalog {
    /// How much is stored at `reference` under paths that begin with `prefix`.
    pub async fn usage(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        prefix: &PathPrefix,
    ) -> Result<Usage> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let view = self.view(&snapshot, &repository, reference).await?;
        view.usage(&snapshot, prefix.as_bytes()).await
    }

    /// The same, and before it of each common prefix below, up to and with the `delimiter`; all from one state.
    pub async fn usage_by_directory(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        prefix: &PathPrefix,
        delimiter: &str,
    ) -> Result<DirectoryUsages> {
        let snapshot = self.snapshot().await?;
        let list =
            ListRequest { prefix: prefix.clone(), delimiter: delimiter.to_owned(), after: String::new() };
        let listing = self.cursor_in(Arc::clone(&snapshot), repository, reference, &list).await?;
        let repository = load_repository(&snapshot, repository).await?;
        let view = self.view(&snapshot, &repository, reference).await?;
        let prefix = prefix.clone();
        Ok(DirectoryUsages { prefix, listing: Some(listing), view, snapshot, sum: Usage::default() })
    }
}

impl DirectoryUsages {
    /// Some more; nothing at the end. After an error there is no going on.
    pub async fn next_items(&mut self) -> Result<Vec<PrefixUsage>> {
        while let Some(listing) = &mut self.listing {
            let items = listing.next_items(LISTED_AT_ONCE).await?;
            if items.is_empty() {
                self.listing = None;
                return Ok(vec![PrefixUsage { prefix: self.prefix.clone(), usage: self.sum }]);
            }
            let directories = self.sum_up(items).await?;
            if !directories.is_empty() {
                return Ok(directories);
            }
        }
        Ok(Vec::new())
    }

    async fn sum_up(&mut self, items: Vec<Listing>) -> Result<Vec<PrefixUsage>> {
        let mut prefixes = Vec::new();
        for item in items {
            match item {
                Listing::Object(object) => {
                    self.sum = self.sum.plus(Usage { entries: 1, data_bytes: object.entry.size });
                }
                Listing::CommonPrefix(prefix) => prefixes.push(PathPrefix::new(prefix)?),
            }
        }
        let sums: Vec<_> =
            prefixes.into_iter().map(|prefix| of_prefix(&self.view, &self.snapshot, prefix)).collect();
        let directories: Vec<PrefixUsage> = stream::iter(sums).buffered(SUMMED_AT_ONCE).try_collect().await?;
        for directory in &directories {
            self.sum = self.sum.plus(directory.usage);
        }
        Ok(directories)
    }
}

async fn of_prefix(view: &View, snapshot: &Arc<dyn Snapshot>, prefix: PathPrefix) -> Result<PrefixUsage> {
    let usage = view.usage(snapshot, prefix.as_bytes()).await?;
    Ok(PrefixUsage { prefix, usage })
}
