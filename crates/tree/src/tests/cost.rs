//! What operations read and write.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use async_trait::async_trait;
use braid_sstable::Table;
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;
use futures::executor::block_on;
use futures::{StreamExt, future, stream};

use super::support::*;
use crate::fold::fold_within;
use crate::limits::Limits;
use crate::testing::{Counts, MemoryRangeStore};
use crate::{
    Change, Diff, FileId, Metarange, Pool, RangeDescriptor, RangeStore, TreeError, TreeId, build, key_after,
};

const FRESH: Item = Item { content: 9, place: 9 };

fn ranges(stored: &Stored, tree: TreeId) -> Arc<Metarange> {
    block_on(stored.memory.metarange(&tree.unwrap())).unwrap()
}

#[test]
fn a_fold_reads_and_writes_the_ranges_it_touches_and_three_more_in_the_mean() {
    let (stored, format) = (Stored::new(), small_format());
    let tree = stored.build(&format, &numbered(2000));
    let metarange = ranges(&stored, tree);
    let mut dice = Dice::new(2);
    let (mut touched, mut read, mut written) = (0, 0, 0);
    const RUNS: u64 = 200;
    for _ in 0..RUNS {
        let edits: Edits = (0..=dice.roll(10)).map(|_| edit(&mut dice)).collect();
        let last = metarange.ranges().len() - 1;
        let positions: BTreeSet<_> = edits.keys().map(|key| metarange.position(key).min(last)).collect();
        touched += positions.len() as u64;
        stored.counting.take();
        stored.fold(&format, tree, &edits);
        let counts = stored.counting.take();
        read += counts.ranges_read + counts.metaranges_read;
        written += counts.ranges_written + counts.metaranges_written;
    }
    assert!(read <= touched + 3 * RUNS, "{read} files read for {touched} ranges in {RUNS} runs");
    assert!(written <= touched + 3 * RUNS, "{written} files written for {touched} ranges in {RUNS} runs");
}

fn edit(dice: &mut Dice) -> (Bytes, Option<Item>) {
    let number = dice.roll(2050);
    match dice.roll(3) {
        0 => (path(number), Some(FRESH)),
        1 => (format!("path/{number:06}x").into(), Some(FRESH)),
        _ => (path(number), None),
    }
}

#[test]
fn deleting_what_lies_between_ranges_reads_none_of_them() {
    let (stored, format) = (Stored::new(), small_format());
    let tree = stored.build(&format, &numbered(300));
    let behind = |range: &RangeDescriptor| (key_after(&range.max_key), None);
    let edits = ranges(&stored, tree).ranges().iter().map(behind).collect();
    stored.counting.take();
    assert_eq!(stored.fold(&format, tree, &edits).tree, tree);
    assert_eq!(stored.counting.take(), Counts { metaranges_read: 1, ..Counts::default() });
}

#[test]
fn a_last_range_that_is_full_is_not_read_when_records_follow_it() {
    let (stored, format) = (Stored::new(), small_format());
    let is_full = |tree| format.is_closed(ranges(&stored, tree).ranges().last().unwrap());
    let count = (100..).find(|&count| is_full(stored.build(&format, &numbered(count)))).unwrap();
    let tree = stored.build(&format, &numbered(count));
    let summary = stored.fold(&format, tree, &Edits::from([(path(count), Some(FRESH))])).summary;
    assert_eq!((summary.ranges_read, summary.ranges_written), (0, 1));
}

#[test]
fn a_diff_opens_only_ranges_that_differ() {
    let (stored, format) = (Stored::new(), small_format());
    let left = stored.build(&format, &numbered(2000));
    let folded = stored.fold(&format, left, &Edits::from([(path(1000), Some(FRESH))]));
    stored.counting.take();
    assert_eq!(drain!(Diff::new(Arc::clone(&stored.store), &Pool::inline(), left, folded.tree)).len(), 1);
    let counts = stored.counting.take();
    assert_eq!(counts.ranges_read, folded.summary.ranges_read + folded.summary.ranges_written);
    assert!(drain!(Diff::new(Arc::clone(&stored.store), &Pool::inline(), left, left)).is_empty());
    assert_eq!(stored.counting.take(), Counts::default(), "equal trees are not read");
}

#[test]
fn a_diff_skips_what_lies_behind_a_removed_range() {
    let (stored, format) = (Stored::new(), small_format());
    let left = stored.build(&format, &numbered(500));
    let first = ranges(&stored, left).ranges()[0].clone();
    let removed: Edits =
        numbered(500).into_keys().filter(|key| *key <= first.max_key).map(|key| (key, None)).collect();
    let right = stored.fold(&format, left, &removed).tree;
    stored.counting.take();
    let found = drain!(Diff::new(Arc::clone(&stored.store), &Pool::inline(), left, right));
    assert_eq!(found.len() as u64, first.count);
    assert_eq!(stored.counting.take().ranges_read, 1);
}

/// A store whose puts take a few turns, and that knows how many were under way at once.
#[derive(Default)]
struct SlowStore {
    inner: MemoryRangeStore,
    under_way: AtomicU64,
    most: AtomicU64,
    ranges: AtomicU64,
}

#[async_trait]
impl RangeStore for SlowStore {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.inner.range(id).await
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        self.inner.metarange(id).await
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        RangeStore::file(&self.inner, file).await
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(now, Ordering::SeqCst);
        let mut turns = 20;
        future::poll_fn(|context| {
            turns -= 1;
            context.waker().wake_by_ref();
            if turns == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        self.ranges.fetch_add(1, Ordering::SeqCst);
        self.inner.put_range(id, file).await
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        let metarange = Metarange::decode(id, file.clone())?;
        let written = self.ranges.load(Ordering::SeqCst);
        assert_eq!(written, metarange.ranges().len() as u64, "ranges are durable before the metarange");
        self.inner.put_metarange(id, file).await
    }
}

#[test]
fn uploads_overlap_and_are_bounded_and_come_before_the_metarange() {
    let slow = Arc::new(SlowStore::default());
    let store = Arc::clone(&slow) as Arc<dyn RangeStore>;
    let records = stream::iter(records(&numbered(2000)).into_iter().map(Ok));
    let folded = block_on(build(&store, &Pool::inline(), &small_format(), records)).unwrap();
    assert!(folded.summary.ranges_written > 50);
    assert_eq!(slow.most.load(Ordering::SeqCst), 8);
}

#[test]
fn an_upload_begins_as_soon_as_its_range_ends() {
    let slow = Arc::new(SlowStore::default());
    let store = Arc::clone(&slow) as Arc<dyn RangeStore>;
    let (records, format) = (records(&numbered(50)), small_format());
    let limits = Limits { units: 3, first_bytes: 1, most_bytes: 1 };
    let last = records.last().unwrap().clone();
    let seen = stream::iter(records).map(|record| {
        let begun = slow.most.load(Ordering::SeqCst);
        assert!(record != last || begun > 0, "no upload has begun");
        Ok(Change::from(record))
    });
    let folded = block_on(fold_within(limits, &store, &Pool::inline(), &format, None, seen)).unwrap();
    assert!((2..8).contains(&folded.summary.ranges_written), "{folded:?}");
}
