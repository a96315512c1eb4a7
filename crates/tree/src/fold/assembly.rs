//! Makes a tree of units that are computed side by side.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::future::{BoxFuture, FutureExt, poll_fn};
use futures::stream::{FuturesUnordered, Stream, StreamExt};

use super::piece::{Piece, Reused, Written};
use super::stitch::Stitcher;
use super::unit::Effect;
use crate::limits::Limits;
use crate::plan::same_ranges;
use crate::window::Window;
use crate::{
    Conflict, Folded, Metarange, Pool, RangeStore, Summary, TreeError, TreeFormat, TreeId, metarange,
};

/// How many finished ranges may be on their way to the store at a time.
const UPLOADS: usize = 8;
/// What a metarange has for each range, about.
const DESCRIPTOR_BYTES: u64 = 250;

/// A unit that is being computed.
pub(crate) type Job = BoxFuture<'static, Result<Segment, TreeError>>;

/// What stands in the new tree in the place of some ranges of the base.
#[derive(Default)]
pub(crate) struct Segment {
    /// The ranges, by their indices. Those between segments are reused.
    pub(crate) base: Range<usize>,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) effect: Effect,
    /// If there are any, there is no new tree.
    pub(crate) conflicts: Vec<Conflict>,
}

/// A new tree, made of a base and segments in key order.
pub(crate) struct Assembly {
    store: Arc<dyn RangeStore>,
    pool: Pool,
    format: TreeFormat,
    tree: TreeId,
    base: Arc<Metarange>,
    /// How many of the base's ranges were reused or replaced.
    behind: usize,
    jobs: Window<Result<Segment, TreeError>>,
    stitcher: Stitcher,
    finished: VecDeque<Written>,
    uploads: FuturesUnordered<BoxFuture<'static, Result<(), TreeError>>>,
    summary: Summary,
    conflicts: Vec<Conflict>,
}

enum Event {
    Uploaded(Result<(), TreeError>),
    Computed(Result<Segment, TreeError>),
    Next(Option<Result<Job, TreeError>>),
}

impl Assembly {
    /// A new tree in place of the tree whose metarange is `base`.
    pub(crate) fn new(
        store: &Arc<dyn RangeStore>,
        pool: &Pool,
        format: &TreeFormat,
        (tree, base): (TreeId, Arc<Metarange>),
        limits: Limits,
    ) -> Self {
        Self {
            store: Arc::clone(store),
            pool: pool.clone(),
            format: *format,
            tree,
            base,
            behind: 0,
            jobs: Window::new(limits.units),
            stitcher: Stitcher::new(Arc::clone(store), pool.clone(), *format),
            finished: VecDeque::new(),
            uploads: FuturesUnordered::new(),
            summary: Summary::default(),
            conflicts: Vec::new(),
        }
    }

    /// Computes all segments and puts them in place. Once there is a conflict, nothing more is written.
    pub(crate) async fn add_all(
        &mut self,
        mut jobs: impl Stream<Item = Result<Job, TreeError>> + Unpin,
    ) -> Result<(), TreeError> {
        let mut are_more = true;
        while are_more || !self.jobs.is_empty() {
            match poll_fn(|context| self.poll_event(are_more, &mut jobs, context)).await {
                Event::Uploaded(uploaded) => uploaded?,
                Event::Computed(segment) => self.place(segment?).await?,
                Event::Next(Some(job)) => self.jobs.begin(job?),
                Event::Next(None) => are_more = false,
            }
        }
        Ok(())
    }

    /// Writes what is left, and then the metarange. `read` ranges were read by the jobs.
    pub(crate) async fn finish(mut self, read: u64) -> Result<Result<Folded, Vec<Conflict>>, TreeError> {
        if !self.conflicts.is_empty() {
            return Ok(Err(self.conflicts));
        }
        self.reuse_up_to(self.base.ranges().len()).await?;
        self.stitcher.end().await?;
        self.finished.extend(self.stitcher.take_finished());
        while let Some(uploaded) = poll_fn(|context| self.poll_uploads(context)).await {
            uploaded?;
        }
        let (ranges, stitched) = self.stitcher.into_ranges();
        let mut summary = self.summary;
        summary.ranges_read = read + stitched.read;
        (summary.ranges_reused, summary.ranges_taken) = (stitched.reused, stitched.taken);
        if same_ranges(&ranges, self.base.ranges()) {
            return Ok(Ok(Folded { tree: self.tree, summary }));
        }
        if ranges.is_empty() {
            return Ok(Ok(Folded { tree: None, summary }));
        }
        let table = self.format.table;
        let bytes = DESCRIPTOR_BYTES * ranges.len() as u64;
        let (id, file) = self.pool.run_over(bytes, true, move || metarange::encode(&ranges, table)).await;
        summary.bytes_written += file.len() as u64;
        self.store.put_metarange(&id, file).await?;
        Ok(Ok(Folded { tree: Some(id), summary }))
    }

    fn poll_event(
        &mut self,
        are_more: bool,
        jobs: &mut (impl Stream<Item = Result<Job, TreeError>> + Unpin),
        context: &mut Context<'_>,
    ) -> Poll<Event> {
        if let Poll::Ready(Some(uploaded)) = self.poll_uploads(context) {
            return Poll::Ready(Event::Uploaded(uploaded));
        }
        // Segments wait in the window while there is too much to upload.
        if !self.finished.is_empty() {
            self.jobs.advance(context);
            return Poll::Pending;
        }
        if let Poll::Ready(Some(segment)) = self.jobs.poll_next(context) {
            return Poll::Ready(Event::Computed(segment));
        }
        match are_more && self.jobs.has_room() {
            true => jobs.poll_next_unpin(context).map(Event::Next),
            false => Poll::Pending,
        }
    }

    /// The next upload that is done; `None` if there is none.
    fn poll_uploads(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<(), TreeError>>> {
        while self.uploads.len() < UPLOADS
            && let Some(Written { range, file }) = self.finished.pop_front()
        {
            self.summary.ranges_written += 1;
            self.summary.bytes_written += file.len() as u64;
            let store = Arc::clone(&self.store);
            self.uploads.push(async move { store.put_range(&range.id, file).await }.boxed());
        }
        self.uploads.poll_next_unpin(context)
    }

    async fn place(&mut self, segment: Segment) -> Result<(), TreeError> {
        self.conflicts.extend(segment.conflicts);
        if !self.conflicts.is_empty() {
            self.finished.clear();
            self.uploads.clear();
            return Ok(());
        }
        self.reuse_up_to(segment.base.start).await?;
        self.behind = self.behind.max(segment.base.end);
        for piece in segment.pieces {
            self.jobs.alongside(self.stitcher.push(piece)).await?;
        }
        self.summary.added += segment.effect.added;
        self.summary.changed += segment.effect.changed;
        self.summary.removed += segment.effect.removed;
        self.finished.extend(self.stitcher.take_finished());
        Ok(())
    }

    /// Reuses the base's ranges up to one.
    async fn reuse_up_to(&mut self, end: usize) -> Result<(), TreeError> {
        let base = Arc::clone(&self.base);
        while self.behind < end {
            let range = base.ranges()[self.behind].clone();
            self.behind += 1;
            let is_last = self.behind == base.ranges().len();
            if let Some(passed) = self.stitcher.try_reuse(Reused::whole(range, is_last)) {
                self.jobs.alongside(self.stitcher.push(Piece::Reused(passed))).await?;
            }
        }
        Ok(())
    }
}
