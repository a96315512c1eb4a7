//! Ordered scans.

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use braid_sstable::{DataBlock, Table, TableIndex};
use bytes::Bytes;
use futures::future::{self, BoxFuture, FutureExt, MaybeDone};

use crate::open_range::{OpenRange, Stepped};
use crate::range_file::{index_described, open_described, read_blocks};
use crate::read_ahead::{ReadAhead, records_a_block};
use crate::{Metarange, RangeDescriptor, RangeStore, Record, TreeError, TreeId, open_tree};

/// Walks records in key order.
#[async_trait]
pub trait Cursor: Send {
    /// Goes before the first record whose key is `key` or after it, forwards or backwards. Reads nothing that the
    /// next `next` does not need.
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError>;

    /// Steps to the next record and returns it; `None` at the end, and ever after until a seek.
    async fn next(&mut self) -> Result<Option<Record>, TreeError>;

    /// Says what will be taken from now on, so that neither more nor less is read than that takes. Only a hint, and one
    /// takes the place of the other.
    fn expect(&mut self, wanted: Wanted) {
        let _ = wanted;
    }
}

/// What a reader will take from a [`Cursor`]. The default is nothing known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// No record from this key on: the cursor may end there.
    pub end: Option<Bytes>,
    /// So many records after each seek, surely, if there are as many.
    pub first: u64,
    /// Not more records than so many.
    pub most: Option<u64>,
}

/// Walks the records of a tree. Reads only blocks that it returns records of, and, the longer it goes on without a seek,
/// those behind them: one block, then 64 KiB, then four times more each time, then whole ranges, the next one while the
/// records of this one are taken. So it holds at most two ranges in memory.
pub struct TreeCursor {
    store: Arc<dyn RangeStore>,
    tree: TreeId,
    metarange: Option<Arc<Metarange>>,
    /// The number of the range in which it stands, or before which.
    place: usize,
    /// If that range is not open: it goes on at the first key from here on.
    from: Option<Bytes>,
    /// It ends before this key.
    until: Option<Bytes>,
    open: Option<OpenRange>,
    ahead: ReadAhead,
    /// What is being read.
    fetch: Option<Fetch>,
    /// The damage that it met.
    failed: Option<TreeError>,
}

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Want {
    Metarange,
    Index(usize),
    Whole(usize),
    Blocks(usize, Range<usize>),
}

/// What was read.
enum Fetched {
    Metarange(Arc<Metarange>),
    Index(Arc<TableIndex>),
    Whole(Table),
    Blocks(Range<usize>, Vec<DataBlock>),
}

/// A read under way.
struct Fetch {
    want: Want,
    read: MaybeDone<BoxFuture<'static, Result<Fetched, TreeError>>>,
}

impl TreeCursor {
    /// A cursor before the first record. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, tree: TreeId) -> Self {
        Self {
            store,
            tree,
            metarange: None,
            place: 0,
            from: None,
            until: None,
            open: None,
            ahead: ReadAhead::default(),
            fetch: None,
            failed: None,
        }
    }

    /// The record of this key. Keys that are asked for one after the other in key order are read as by a scan where they
    /// are close to each other.
    pub(crate) async fn find(&mut self, key: &Bytes) -> Result<Option<Record>, TreeError> {
        while self.metarange.is_none() {
            self.fetch().await?;
        }
        if self.metarange().covering(key).is_none() {
            return Ok(None);
        }
        self.go(key.clone(), true)?;
        let found = self.next().await?;
        Ok(found.filter(|record| record.key == key))
    }

    /// Goes before the first record from `key` on. Reading goes on as before if that is at hand, or `is_scan` and close.
    fn go(&mut self, key: Bytes, is_scan: bool) -> Result<(), TreeError> {
        self.failed = None;
        let Some(metarange) = &self.metarange else {
            self.from = Some(key);
            return Ok(());
        };
        let place = metarange.position(&key);
        let is_inside = metarange.ranges().get(place).is_some_and(|range| range.min_key < key);
        let from = is_inside.then_some(key);
        if let (Some(open), true) = (&mut self.open, place == self.place) {
            if let Err(error) = open.seek(from) {
                return Err(self.failed.insert(error).clone());
            }
            let at_hand = open.at_hand();
            let is_close = is_scan && (at_hand.end..=at_hand.end + at_hand.len()).contains(&open.at());
            if !at_hand.contains(&open.at()) && !is_close {
                self.ahead.jump();
            }
            return Ok(());
        }
        (self.place, self.from, self.open) = (place, from, None);
        self.ahead.jump();
        Ok(())
    }

    /// The next record if no read is needed for it, `None` at the end.
    #[inline]
    fn step(&mut self) -> Result<Option<Step>, TreeError> {
        if let Some(failed) = &self.failed {
            return Err(failed.clone());
        }
        let Some(open) = &mut self.open else {
            return self.step_between_ranges();
        };
        let block = open.at();
        match open.step() {
            Ok(Stepped::Record(record)) if self.until.as_ref().is_some_and(|until| record.key >= *until) => {
                Ok(None)
            }
            Ok(Stepped::Record(record)) => {
                self.ahead.took();
                Ok(Some(Step::Record { record, is_new_block: open.at() != block }))
            }
            Ok(Stepped::Unread) => Ok(Some(Step::Fetch)),
            Ok(Stepped::End) => {
                (self.place, self.from, self.open) = (self.place + 1, None, None);
                self.step_between_ranges()
            }
            Err(error) => Err(self.failed.insert(error).clone()),
        }
    }

    fn step_between_ranges(&self) -> Result<Option<Step>, TreeError> {
        let is_at_end = self.metarange.is_some() && self.range_before_end(self.place).is_none();
        Ok((!is_at_end).then_some(Step::Fetch))
    }

    /// Reads what the next step needs, and begins to read what the steps after it will need.
    async fn fetch(&mut self) -> Result<(), TreeError> {
        let want = self.wanted_now();
        let is_under_way = self.fetch.as_ref().is_some_and(|fetch| fetch.want.begins_as(&want));
        if !is_under_way {
            self.fetch = Some(self.start(want));
        }
        let fetch = self.fetch.as_mut().expect("it was started if it was not under way");
        (&mut fetch.read).await;
        let fetched = Pin::new(&mut fetch.read).take_output().expect("it was awaited to its end");
        self.fetch = None;
        if let Err(error) = self.receive(fetched?) {
            return Err(self.failed.insert(error).clone());
        }
        self.fetch = self.wanted_next().map(|want| self.start(want));
        Ok(())
    }

    fn receive(&mut self, fetched: Fetched) -> Result<(), TreeError> {
        match fetched {
            Fetched::Metarange(metarange) => {
                self.metarange = Some(metarange);
                if let Some(key) = self.from.take() {
                    self.go(key, false)?;
                }
            }
            Fetched::Index(index) => self.enter(|range| OpenRange::indexed(range, index))?,
            Fetched::Whole(table) => {
                self.enter(|range| OpenRange::whole(range, table))?;
                self.ahead.grow();
            }
            Fetched::Blocks(blocks, read) => {
                let open = self.open.as_mut().expect("blocks are read of a range that is open");
                open.load(blocks.start, read);
                self.ahead.grow();
            }
        }
        Ok(())
    }

    fn enter(&mut self, open: impl FnOnce(&RangeDescriptor) -> OpenRange) -> Result<(), TreeError> {
        let mut open = open(&self.metarange().ranges()[self.place]);
        open.seek(self.from.take())?;
        self.open = Some(open);
        Ok(())
    }

    fn wanted_now(&self) -> Want {
        match &self.open {
            _ if self.metarange.is_none() => Want::Metarange,
            None => self.wanted_to_enter(self.place, self.from.is_some()),
            Some(open) => self.wanted_blocks(open, open.at()),
        }
    }

    /// What is needed after what is at hand, if it is time to read that.
    fn wanted_next(&self) -> Option<Want> {
        let open = self.open.as_ref()?;
        let at_hand = open.at_hand();
        let blocks = at_hand.end.saturating_sub(open.at()) as u64;
        if blocks == 0 || !self.ahead.runs_ahead(blocks * records_a_block(open.index())) {
            return None;
        }
        if at_hand.end < self.last_block(open) {
            return Some(self.wanted_blocks(open, at_hand.end));
        }
        self.range_before_end(self.place + 1)?;
        Some(self.wanted_to_enter(self.place + 1, false))
    }

    fn wanted_to_enter(&self, place: usize, is_inside: bool) -> Want {
        let range = &self.metarange().ranges()[place];
        let is_all = !is_inside && self.until.as_ref().is_none_or(|until| range.max_key < *until);
        match is_all && self.ahead.takes_whole(range.count) {
            true => Want::Whole(place),
            false => Want::Index(place),
        }
    }

    fn wanted_blocks(&self, open: &OpenRange, start: usize) -> Want {
        let limit = self.last_block(open).max(start + 1);
        Want::Blocks(self.place, start..self.ahead.end(open.index(), start, limit))
    }

    /// Behind the last block in which it may go before its end.
    fn last_block(&self, open: &OpenRange) -> usize {
        let last = self.until.as_ref().and_then(|until| open.index().find(until));
        last.map_or(open.index().blocks(), |last| last + 1)
    }

    fn range_before_end(&self, place: usize) -> Option<&RangeDescriptor> {
        let range = self.metarange().ranges().get(place)?;
        self.until.as_ref().is_none_or(|until| range.min_key < *until).then_some(range)
    }

    fn metarange(&self) -> &Metarange {
        self.metarange.as_ref().expect("the metarange is read first")
    }

    /// Begins a read; it goes on when it is polled.
    fn start(&self, want: Want) -> Fetch {
        let (store, tree) = (Arc::clone(&self.store), self.tree);
        let described = |place: usize| self.metarange().ranges()[place].clone();
        let read = match want.clone() {
            Want::Metarange => async move { open_tree(&*store, tree).await.map(Fetched::Metarange) }.boxed(),
            Want::Index(place) => {
                let range = described(place);
                async move { index_described(&*store, &range).await.map(Fetched::Index) }.boxed()
            }
            Want::Whole(place) => {
                let range = described(place);
                async move { open_described(&*store, &range).await.map(Fetched::Whole) }.boxed()
            }
            Want::Blocks(_, blocks) => {
                let open = self.open.as_ref().expect("blocks are read of a range that is open");
                let (id, index) = open.source();
                let read = async move {
                    let read = read_blocks(&*store, &id, &index, blocks.clone()).await?;
                    Ok(Fetched::Blocks(blocks, read))
                };
                read.boxed()
            }
        };
        Fetch { want, read: future::maybe_done(read) }
    }

    /// Lets the read that is under way get on, without waiting for it.
    async fn tend(&mut self) {
        let Some(fetch) = &mut self.fetch else {
            return;
        };
        future::poll_fn(|context| {
            // It is kept, and its end is noticed when it is awaited.
            let _ = fetch.read.poll_unpin(context);
            Poll::Ready(())
        })
        .await;
    }
}

enum Step {
    Record { record: Record, is_new_block: bool },
    Fetch,
}

impl Want {
    /// Whether both begin with the same block, or are the same.
    fn begins_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Blocks(place, blocks), Self::Blocks(other_place, others)) => {
                place == other_place && blocks.start == others.start
            }
            _ => self == other,
        }
    }
}

#[async_trait]
impl Cursor for TreeCursor {
    async fn seek(&mut self, key: &[u8]) -> Result<(), TreeError> {
        self.go(Bytes::copy_from_slice(key), false)
    }

    async fn next(&mut self) -> Result<Option<Record>, TreeError> {
        loop {
            match self.step()? {
                None => return Ok(None),
                Some(Step::Fetch) => self.fetch().await?,
                Some(Step::Record { record, is_new_block }) => {
                    if is_new_block {
                        self.tend().await;
                    }
                    return Ok(Some(record));
                }
            }
        }
    }

    fn expect(&mut self, wanted: Wanted) {
        self.ahead.expect(&wanted);
        self.until = wanted.end;
    }
}
