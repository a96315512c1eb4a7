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

/// Sums up the paths of a tree that begin with `prefix`.
///
/// Ranges inside the prefix count from their descriptors. What is read are the blocks that hold the prefix of the one or
/// two ranges at its edges, and ranges whose descriptors do not tell their bytes: those that lakeFS wrote.
///
/// # Errors
/// [`TreeError::Corrupt`] also if a record that has to be read is no entry; those of the store.
pub async fn usage(store: &dyn RangeStore, tree: TreeId, prefix: &[u8]) -> Result<Usage, TreeError> {
    let metarange = open_tree(store, tree).await?;
    let end = prefix_end(prefix);
    let from = metarange.position(prefix);
    let ranges = metarange.ranges()[from..].iter();
    let ranges = ranges.take_while(|range| end.as_ref().is_none_or(|end| range.min_key < *end));
    let mut total = Usage::default();
    let mut unknown = Vec::new();
    for range in ranges {
        match range.data_bytes {
            Some(data_bytes) if is_inside(range, prefix) => {
                total = total.plus(Usage { entries: range.count, data_bytes });
            }
            _ => unknown.push(range),
        }
    }
    // Gathered before they run: the future of a stream that makes them as it goes is not `Send` for callers.
    let reads: Vec<_> = unknown.into_iter().map(|range| usage_in(store, range, prefix)).collect();
    let read = stream::iter(reads).buffer_unordered(RANGES_AT_ONCE);
    read.try_fold(total, async |sum, usage| Ok(sum.plus(usage))).await
}

fn is_inside(range: &RangeDescriptor, prefix: &[u8]) -> bool {
    range.min_key.starts_with(prefix) && range.max_key.starts_with(prefix)
}

/// Reads a range as far as it is under the prefix.
async fn usage_in(
    store: &dyn RangeStore,
    range: &RangeDescriptor,
    prefix: &[u8],
) -> Result<Usage, TreeError> {
    let index = index_described(store, range).await?;
    let mut next = index.find(prefix).ok_or_else(|| TreeError::ends_early(range.id))?;
    let last = prefix_end(prefix).and_then(|end| index.find(&end));
    let end = last.map_or(index.blocks(), |last| last + 1);
    let mut sum = Usage::default();
    while next < end {
        let stop = (next + 1..end).find(|&stop| span_len(&index, next..stop) >= READ_BYTES).unwrap_or(end);
        for block in read_blocks(store, &range.id, &index, next..stop).await? {
            sum = sum.plus(usage_of(range, &block, prefix)?);
        }
        next = stop;
    }
    Ok(sum)
}

fn span_len(index: &TableIndex, blocks: Range<usize>) -> u64 {
    let span = index.span(blocks);
    span.end - span.start
}

/// Sums up the records of a block that are under the prefix.
fn usage_of(range: &RangeDescriptor, block: &DataBlock, prefix: &[u8]) -> Result<Usage, TreeError> {
    let corrupted = |corruption| TreeError::corruption(range.id, &corruption);
    let mut records = block.cursor();
    records.seek(prefix).map_err(corrupted)?;
    let mut sum = Usage::default();
    while let Some((key, value)) = records.next().map_err(corrupted)? {
        if !key.starts_with(prefix) {
            break;
        }
        let data_bytes = entry_size(value)
            .ok_or_else(|| TreeError::corrupt(range.id, format!("'{}' is no entry", key.escape_ascii())))?;
        sum = sum.plus(Usage { entries: 1, data_bytes });
    }
    Ok(sum)
}
