//! Reading ahead of merges that come one after the other.

use futures::future;

use crate::limits::Limits;
use crate::plan::Plan;
use crate::run::Bounds;
use crate::{Pool, RangeDescriptor, RangeStore, TreeError, TreeId, open_tree};

/// How many places in which trees differ are read ahead, at most.
const PLACES: usize = 8;

/// Lets the store have at hand what a merge of `tree` into a tree like `beside` is going to read first: ranges that `beside` does
/// not have. Nothing is given but that they are there, if the store keeps what it reads.
///
/// # Errors
/// Those of the store.
pub async fn warm(
    store: &dyn RangeStore,
    pool: &Pool,
    tree: TreeId,
    beside: TreeId,
) -> Result<(), TreeError> {
    if tree == beside {
        return Ok(());
    }
    let trees = future::try_join(open_tree(store, tree), open_tree(store, beside)).await?;
    let plan = Plan::new([trees.0, trees.1], Bounds::default(), Limits::of_fold(pool).ramp());
    let mut wanted: Vec<RangeDescriptor> = Vec::new();
    for interval in plan.clone().take(PLACES) {
        let known = plan.ranges(&interval, 1);
        let is_known = |range: &RangeDescriptor| known.iter().any(|known| known.id == range.id);
        wanted.extend(plan.ranges(&interval, 0).iter().filter(|range| !is_known(range)).cloned());
    }
    future::try_join_all(wanted.iter().map(|range| store.range(&range.id))).await.map(drop)
}
