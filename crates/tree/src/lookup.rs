//! Point lookups.

use bytes::Bytes;

use crate::range_file::{index_described, read_blocks};
use crate::{RangeStore, Record, TreeError, TreeId, Value, open_tree};

/// Finds a path's record. Opens at most one metarange and one range's index, and reads at most one block.
pub async fn lookup(store: &dyn RangeStore, tree: TreeId, key: &[u8]) -> Result<Option<Record>, TreeError> {
    let metarange = open_tree(store, tree).await?;
    let Some(range) = metarange.covering(key) else {
        return Ok(None);
    };
    let index = index_described(store, range).await?;
    let Some(block) = index.find(key) else {
        return Err(TreeError::ends_early(range.id));
    };
    let blocks = read_blocks(store, &range.id, &index, block..block + 1).await?;
    let value = blocks[0].get(key).map_err(|corruption| TreeError::corruption(range.id, &corruption))?;
    let Some(value) = value else {
        return Ok(None);
    };
    let value = Value::from_bytes(value).map_err(|error| TreeError::corrupt(range.id, error.to_string()))?;
    Ok(Some(Record { key: Bytes::copy_from_slice(key), value }))
}
