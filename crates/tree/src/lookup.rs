//! Point lookups.
use crate::{RangeStore, Record, TreeError, TreeId};

/// Finds a path's record. Opens at most one metarange and one range.
pub async fn lookup(
    _store: &dyn RangeStore,
    _tree: TreeId,
    _key: &[u8],
) -> Result<Option<Record>, TreeError> {
    todo!()
}
