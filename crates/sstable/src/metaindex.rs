//! The metaindex: the names of the blocks that are neither data nor index, and where they stand.

use crate::block::Block;
use crate::block_builder::BlockBuilder;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::index::handle_at;
use crate::properties::Totals;
use crate::{BlockHandle, Corruption, Defect, key};

const PROPERTIES: &str = "rocksdb.properties";
/// What the names of blocks of range deletions start with.
const RANGE_DELETIONS: &str = "rocksdb.range_del";

/// The blocks that matter to a reader. Others, filters say, are not needed.
#[derive(Debug)]
pub(crate) struct Metaindex {
    pub(crate) properties: BlockHandle,
    pub(crate) range_deletions: Vec<BlockHandle>,
}

/// Reads the metaindex.
pub(crate) fn parse(block: Block) -> Result<Metaindex, Corruption> {
    let offset = block.offset();
    let mut cursor = BlockCursor::new(block, KeyForm::Name);
    let mut properties = None;
    let mut range_deletions = Vec::new();
    while cursor.advance()? {
        if cursor.key() == PROPERTIES.as_bytes() {
            properties = Some(handle_at(&cursor)?);
        } else if cursor.key().starts_with(RANGE_DELETIONS.as_bytes()) {
            range_deletions.push(handle_at(&cursor)?);
        }
    }
    let properties = properties.ok_or(Corruption::new(offset, Defect::NoProperties))?;
    Ok(Metaindex { properties, range_deletions })
}

/// The metaindex of a table that has properties alone.
pub(crate) fn build(properties: BlockHandle) -> BlockBuilder {
    let mut block = BlockBuilder::new(1);
    block.add(PROPERTIES.as_bytes(), &properties.encode());
    block
}

/// Refuses range deletions that may hide records, and counts the others. One at sequence number zero, as in an external
/// file, hides nothing: it would have to be newer than the record.
pub(crate) fn count_range_deletions(block: Block, totals: &mut Totals) -> Result<(), Corruption> {
    let mut cursor = BlockCursor::new(block, KeyForm::Bound);
    while cursor.advance()? {
        if key::sequence_number(cursor.key()) > 0 {
            return Err(cursor.corruption(Defect::RangeDeletion { at: cursor.at() }));
        }
        totals.count(cursor.key(), cursor.value());
    }
    Ok(())
}
