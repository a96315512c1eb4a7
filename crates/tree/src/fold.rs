//! From a tree and changes to a tree.
//!
//! A fold goes through the base's ranges in key order. At a boundary of the new tree, a range without effective
//! changes is reused by its id. Any other is rewritten: its records and the changes are merged into the range being
//! written, which ends where the format says. When that is where the old range ended too, the fold is at a boundary
//! again. So the new tree breaks where [`build`] would break it.

mod foreign;
mod output;

use std::sync::Arc;

use braid_sstable::Table;
use futures::{Stream, StreamExt};

use crate::changes::Changes;
use crate::range_file::open_described;
use crate::value::identity;
use crate::{
    Change, Pool, RangeDescriptor, RangeStore, Record, TreeError, TreeFormat, TreeId, Value, open_tree,
};
use foreign::EndCheck;
use output::Output;

/// A written tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Folded {
    /// The tree.
    pub tree: TreeId,
    /// What it took.
    pub summary: Summary,
}

/// What a fold changed, read and wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Paths that the base did not have.
    pub added: u64,
    /// Paths whose content is another now.
    pub changed: u64,
    /// Paths that are gone.
    pub removed: u64,
    /// Ranges of the base that were read.
    pub ranges_read: u64,
    /// Ranges that were written.
    pub ranges_written: u64,
    /// Ranges of the base that are part of the new tree as they were.
    pub ranges_reused: u64,
    /// Bytes of all files written.
    pub bytes_written: u64,
}

impl Summary {
    /// Whether the new tree is the base.
    pub fn is_unchanged(&self) -> bool {
        self.added + self.changed + self.removed == 0
    }
}

/// Applies changes, in strictly ascending key order, to a tree.
///
/// A put of the content that the base has keeps the base's record. Changes without any effect give the base's own id,
/// and nothing is written. A tree that was built in this format comes out as [`build`] would write it; one that breaks
/// elsewhere keeps the ends of its ranges.
///
/// # Errors
/// [`TreeError::Unordered`] if the changes are not in order; those of the stream and the store. Ranges that were
/// written by then stay in the store.
pub async fn fold(
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    base: TreeId,
    changes: impl Stream<Item = Result<Change, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    let (store, _) = (&**store, pool);
    let metarange = open_tree(store, base).await?;
    let mut fold = Fold {
        store,
        format,
        changes: Changes::new(changes).await?,
        output: Output::new(store, format),
        summary: Summary::default(),
    };
    fold.ranges(metarange.ranges()).await?;
    fold.finish(base).await
}

/// Writes the tree of these records, which come in strictly ascending key order.
///
/// # Errors
/// As [`fold`].
pub async fn build(
    store: &Arc<dyn RangeStore>,
    pool: &Pool,
    format: &TreeFormat,
    records: impl Stream<Item = Result<Record, TreeError>> + Send + Unpin,
) -> Result<Folded, TreeError> {
    fold(store, pool, format, None, records.map(|record| record.map(Change::from))).await
}

struct Fold<'a, S> {
    store: &'a dyn RangeStore,
    format: &'a TreeFormat,
    changes: Changes<S>,
    output: Output<'a>,
    summary: Summary,
}

impl<'a, S> Fold<'a, S>
where
    S: Stream<Item = Result<Change, TreeError>> + Send + Unpin,
{
    async fn ranges(&mut self, base: &[RangeDescriptor]) -> Result<(), TreeError> {
        let Some((last, others)) = base.split_last() else {
            return Ok(());
        };
        for range in others {
            self.range(range, false).await?;
        }
        self.range(last, true).await
    }

    /// Brings one range of the base, and the changes up to its end, into the new tree.
    async fn range(&mut self, range: &RangeDescriptor, is_last: bool) -> Result<(), TreeError> {
        let mut table = None;
        if self.output.is_at_boundary() {
            let is_rewritten =
                self.finds_effect(range, &mut table).await? || (is_last && self.goes_on_after(range).await?);
            if !is_rewritten {
                self.output.reuse(range);
                self.summary.ranges_reused += 1;
                return Ok(());
            }
        }
        let table = self.opened(range, &mut table).await?;
        let end = self.rewrite(range, &table).await?;
        if !is_last && end.is_foreign() {
            self.output.end_range().await?;
        }
        Ok(())
    }

    /// Drops changes up to the range's end that have no effect, until one has.
    async fn finds_effect(
        &mut self,
        range: &RangeDescriptor,
        table: &mut Option<Table>,
    ) -> Result<bool, TreeError> {
        while let Some(change) = self.changes.head().filter(|change| change.key <= range.max_key).cloned() {
            if self.has_effect(&change, range, table).await? {
                return Ok(true);
            }
            self.changes.take().await?;
        }
        Ok(false)
    }

    async fn has_effect(
        &mut self,
        change: &Change,
        range: &RangeDescriptor,
        table: &mut Option<Table>,
    ) -> Result<bool, TreeError> {
        if change.key < range.min_key {
            return Ok(change.value.is_some());
        }
        let table = self.opened(range, table).await?;
        let old =
            table.get(&change.key).map_err(|corruption| TreeError::corruption(range.id, &corruption))?;
        let old = old.as_deref().map(|value| identity_in(range, value)).transpose()?;
        Ok(old != change.value.as_ref().map(Value::identity))
    }

    /// Whether records come to follow the base's last range, and that range ended only because the tree ended.
    async fn goes_on_after(&mut self, last: &RangeDescriptor) -> Result<bool, TreeError> {
        if self.format.is_closed(last) {
            return Ok(false);
        }
        while self.changes.head().is_some_and(|change| change.value.is_none()) {
            self.changes.take().await?;
        }
        Ok(self.changes.head().is_some())
    }

    async fn opened(
        &mut self,
        range: &RangeDescriptor,
        table: &mut Option<Table>,
    ) -> Result<Table, TreeError> {
        if let Some(table) = table {
            return Ok(table.clone());
        }
        self.summary.ranges_read += 1;
        Ok(table.insert(open_described(self.store, range).await?).clone())
    }

    /// Merges a range's records with the changes up to its end.
    async fn rewrite(&mut self, range: &RangeDescriptor, table: &Table) -> Result<EndCheck<'a>, TreeError> {
        let mut end = EndCheck::new(self.format);
        let mut cursor = table.cursor();
        while let Some((key, value)) =
            cursor.next().map_err(|corruption| TreeError::corruption(range.id, &corruption))?
        {
            end.add(key, value);
            self.add_new(Some(key)).await?;
            match self.changes.key().is_some_and(|changed| changed == key) {
                true => self.replace(range, key, value).await?,
                false => self.output.add(key, value).await?,
            }
        }
        Ok(end)
    }

    /// Takes the changes before a key, or all that are left: they are of paths that the base does not have.
    async fn add_new(&mut self, before: Option<&[u8]>) -> Result<(), TreeError> {
        while self.changes.key().is_some_and(|key| before.is_none_or(|before| key < before)) {
            if let Some(Change { key, value: Some(value) }) = self.changes.take().await? {
                self.summary.added += 1;
                self.output.add(&key, value.as_bytes()).await?;
            }
        }
        Ok(())
    }

    /// Takes the change of a path that the base has.
    async fn replace(&mut self, range: &RangeDescriptor, key: &[u8], old: &[u8]) -> Result<(), TreeError> {
        let change = self.changes.take().await?.expect("the caller saw the change");
        let Some(new) = change.value else {
            self.summary.removed += 1;
            return Ok(());
        };
        if identity_in(range, old)? == new.identity() {
            return self.output.add(key, old).await;
        }
        self.summary.changed += 1;
        self.output.add(key, new.as_bytes()).await
    }

    async fn finish(mut self, base: TreeId) -> Result<Folded, TreeError> {
        self.add_new(None).await?;
        if self.summary.is_unchanged() {
            return Ok(Folded { tree: base, summary: self.summary });
        }
        let (tree, written) = self.output.finish().await?;
        let summary =
            Summary { ranges_written: written.ranges, bytes_written: written.bytes, ..self.summary };
        Ok(Folded { tree, summary })
    }
}

fn identity_in<'v>(range: &RangeDescriptor, value: &'v [u8]) -> Result<&'v [u8], TreeError> {
    identity(value).map_err(|error| TreeError::corrupt(range.id, error.to_string()))
}
