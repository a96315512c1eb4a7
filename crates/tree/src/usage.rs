//! How much is stored under a prefix.

use std::ops::Range;

use braid_sstable::{DataBlock, TableIndex};
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::range_file::{index_described, read_blocks};
use crate::value::entry_size;
use crate::{RangeDescriptor, RangeStore, TreeError, TreeId, open_tree, prefix_end};

/// How many ranges are read at a time.
const RANGES_AT_ONCE: usize = 8;

/// How many bytes of a range are read at a time, about.
const READ_BYTES: u64 = 1 << 20;

/// What there is under a prefix.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Paths.
    pub entries: u64,
    /// Bytes of the objects that they stand for, each path's counted.
    pub data_bytes: u64,
}

impl Usage {
    /// Both together. Bytes beyond 64 bits are held at the greatest number.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            entries: self.entries + other.entries,
            data_bytes: self.data_bytes.saturating_add(other.data_bytes),
        }
    }
}

/// Sums up the paths of a tree that begin with `prefix`. As [`usage_between`].
///
/// # Errors
/// As [`usage_between`].
pub async fn usage(store: &dyn RangeStore, tree: TreeId, prefix: &[u8]) -> Result<Usage, TreeError> {
    usage_between(store, tree, prefix, prefix_end(prefix).as_deref()).await
}

/// Sums up the paths of a tree from `from` on, before `until` if that is given.
///
/// Ranges in between count from their descriptors. What is read are the blocks at both ends of the one or two ranges at the
/// edges, and ranges whose descriptors do not tell their bytes: those that lakeFS wrote.
///
/// # Errors
/// [`TreeError::Corrupt`] also if a record that has to be read is no entry; those of the store.
pub async fn usage_between(
    store: &dyn RangeStore,
    tree: TreeId,
    from: &[u8],
    until: Option<&[u8]>,
) -> Result<Usage, TreeError> {
    let metarange = open_tree(store, tree).await?;
    let stretch = Stretch { from, until };
    let ranges = metarange.ranges()[metarange.position(from)..].iter();
    let ranges = ranges.take_while(|range| !stretch.ends_before(&range.min_key));
    let mut total = Usage::default();
    let mut unknown = Vec::new();
    for range in ranges {
        match range.data_bytes {
            Some(data_bytes) if stretch.holds(range) => {
                total = total.plus(Usage { entries: range.count, data_bytes });
            }
            _ => unknown.push(range),
        }
    }
    // Gathered before they run: the future of a stream that makes them as it goes is not `Send` for callers.
    let reads: Vec<_> = unknown.into_iter().map(|range| usage_in(store, range, stretch)).collect();
    let read = stream::iter(reads).buffer_unordered(RANGES_AT_ONCE);
    read.try_fold(total, async |sum, usage| Ok(sum.plus(usage))).await
}

/// Paths from one on, and before another.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    from: &'a [u8],
    until: Option<&'a [u8]>,
}

impl Stretch<'_> {
    fn ends_before(&self, key: &[u8]) -> bool {
        self.until.is_some_and(|until| key >= until)
    }

    fn holds(&self, range: &RangeDescriptor) -> bool {
        &range.min_key[..] >= self.from && !self.ends_before(&range.max_key)
    }
}

/// Reads a range as far as it is in the stretch.
async fn usage_in(
    store: &dyn RangeStore,
    range: &RangeDescriptor,
    stretch: Stretch<'_>,
) -> Result<Usage, TreeError> {
    let index = index_described(store, range).await?;
    let mut next = index.find(stretch.from).ok_or_else(|| TreeError::ends_early(range.id))?;
    let last = stretch.until.and_then(|until| index.find(until));
    let end = last.map_or(index.blocks(), |last| last + 1);
    let mut sum = Usage::default();
    while next < end {
        let stop = (next + 1..end).find(|&stop| span_len(&index, next..stop) >= READ_BYTES).unwrap_or(end);
        for block in read_blocks(store, &range.id, &index, next..stop).await? {
            sum = sum.plus(usage_of(range, &block, stretch)?);
        }
        next = stop;
    }
    Ok(sum)
}

fn span_len(index: &TableIndex, blocks: Range<usize>) -> u64 {
    let span = index.span(blocks);
    span.end - span.start
}

/// Sums up the records of a block that are in the stretch.
fn usage_of(range: &RangeDescriptor, block: &DataBlock, stretch: Stretch<'_>) -> Result<Usage, TreeError> {
    let corrupted = |corruption| TreeError::corruption(range.id, &corruption);
    let mut records = block.cursor();
    records.seek(stretch.from).map_err(corrupted)?;
    let mut sum = Usage::default();
    while let Some((key, value)) = records.next().map_err(corrupted)? {
        if stretch.ends_before(key) {
            break;
        }
        let data_bytes = entry_size(value)
            .ok_or_else(|| TreeError::corrupt(range.id, format!("'{}' is no entry", key.escape_ascii())))?;
        sum = sum.plus(Usage { entries: 1, data_bytes });
    }
    Ok(sum)
}
