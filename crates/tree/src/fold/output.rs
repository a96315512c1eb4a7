//! The ranges of the new tree, in key order: reused ones and written ones.

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};

use crate::metarange;
use crate::range_builder::RangeBuilder;
use crate::{RangeDescriptor, RangeStore, TreeError, TreeFormat, TreeId};

/// How many finished ranges may be on their way to the store at a time.
const UPLOADS: usize = 8;

/// Takes records and ranges in key order and makes a tree of them.
pub(super) struct Output<'a> {
    store: &'a dyn RangeStore,
    format: &'a TreeFormat,
    ranges: Vec<RangeDescriptor>,
    open: Option<RangeBuilder<'a>>,
    uploads: FuturesUnordered<BoxFuture<'a, Result<(), TreeError>>>,
    written: Written,
}

/// What was written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Written {
    pub(super) ranges: u64,
    pub(super) bytes: u64,
}

impl<'a> Output<'a> {
    pub(super) fn new(store: &'a dyn RangeStore, format: &'a TreeFormat) -> Self {
        Self {
            store,
            format,
            ranges: Vec::new(),
            open: None,
            uploads: FuturesUnordered::new(),
            written: Written::default(),
        }
    }

    /// Whether the next record begins a range.
    pub(super) fn is_at_boundary(&self) -> bool {
        self.open.is_none()
    }

    /// Adds a record.
    pub(super) async fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), TreeError> {
        let range = self.open.get_or_insert_with(|| RangeBuilder::new(self.format, key));
        match range.add(key, value)? {
            true => self.end_range().await,
            false => Ok(()),
        }
    }

    /// Adds a range as it is, at a boundary.
    pub(super) fn reuse(&mut self, range: &RangeDescriptor) {
        assert!(self.is_at_boundary(), "a range that is being written would be cut short");
        self.ranges.push(range.clone());
    }

    /// Ends the range that is being written, if there is one.
    pub(super) async fn end_range(&mut self) -> Result<(), TreeError> {
        let Some(range) = self.open.take() else {
            return Ok(());
        };
        let (range, file) = range.finish()?;
        self.written.ranges += 1;
        self.written.bytes += file.len() as u64;
        let (store, id) = (self.store, range.id);
        self.ranges.push(range);
        self.uploads.push(async move { store.put_range(&id, file).await }.boxed());
        self.tend_uploads().await
    }

    /// Writes what is left, and then the metarange.
    pub(super) async fn finish(mut self) -> Result<(TreeId, Written), TreeError> {
        self.end_range().await?;
        while let Some(uploaded) = self.uploads.next().await {
            uploaded?;
        }
        if self.ranges.is_empty() {
            return Ok((None, self.written));
        }
        let (id, file) = metarange::encode(&self.ranges, self.format.table);
        self.written.bytes += file.len() as u64;
        self.store.put_metarange(&id, file).await?;
        Ok((Some(id), self.written))
    }

    /// Starts uploads that have not begun, and waits while there are too many.
    async fn tend_uploads(&mut self) -> Result<(), TreeError> {
        while self.uploads.len() >= UPLOADS {
            self.uploads.next().await.transpose()?;
        }
        while let Some(Some(uploaded)) = self.uploads.next().now_or_never() {
            uploaded?;
        }
        Ok(())
    }
}
