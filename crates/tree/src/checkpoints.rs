//! Where blocks ended in ranges that were written lately: a fold that changes such a range begins at its first change, and neither
//! decodes nor hashes what comes before.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use braid_sstable::RecordHasher;
use braid_types::RangeId;
use parking_lot::Mutex;

use crate::TreeFormat;

/// How many ranges are remembered: some 20 KiB for each.
const RANGES: usize = 256;

/// What a range that is being written has come to where a data block ended.
#[derive(Debug, Clone)]
pub(crate) struct Checkpoint {
    pub(crate) table: braid_sstable::Checkpoint,
    pub(crate) hasher: RecordHasher,
    /// As in the range's builder.
    pub(crate) data_bytes: Option<u64>,
}

/// The checkpoints of one range, in order.
pub(crate) type OfRange = Vec<Arc<Checkpoint>>;

/// Checkpoints of the ranges that were written last.
#[derive(Debug, Default)]
pub(crate) struct Checkpoints(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    ranges: HashMap<RangeId, (TreeFormat, Arc<OfRange>)>,
    /// The one first that was written first.
    order: VecDeque<RangeId>,
}

impl Checkpoints {
    /// Remembers a range.
    pub(crate) fn remember(&self, range: RangeId, format: TreeFormat, checkpoints: OfRange) {
        let mut remembered = self.0.lock();
        if remembered.ranges.insert(range, (format, Arc::new(checkpoints))).is_none() {
            remembered.order.push_back(range);
        }
        if remembered.order.len() > RANGES
            && let Some(first) = remembered.order.pop_front()
        {
            remembered.ranges.remove(&first);
        }
    }

    /// The checkpoints of a range that was written in this format.
    pub(crate) fn of(&self, range: &RangeId, format: TreeFormat) -> Option<Arc<OfRange>> {
        let remembered = self.0.lock();
        let (written, checkpoints) = remembered.ranges.get(range)?;
        (*written == format).then(|| Arc::clone(checkpoints))
    }
}
