//! Reads all of a table that is not data: what it takes to read its records.

use crate::block::Block;
use crate::file_tail::{FileTail, Unread};
use crate::index::{self, IndexCursor};
use crate::places::Places;
use crate::properties::{self, NUM_ENTRIES, Properties, Totals};
use crate::separators::{Separators, SeparatorsBuilder};
use crate::{Corruption, Defect, TableIndex, metaindex};

/// The most that the separators of a table take together, in bytes. An index that is damaged, or made to harm, could have
/// keys that are long because each shares nearly all of the one before.
const MAX_SEPARATOR_BYTES: usize = 64 * 1024 * 1024;

/// What a table has beside its data blocks.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) index: TableIndex,
    /// The index as it is stored; of two levels, the top.
    pub(crate) index_block: Block,
    pub(crate) two_levels: bool,
    pub(crate) properties: Properties,
    pub(crate) properties_offset: u64,
    /// Range deletions, which hide nothing.
    pub(crate) range_deletions: Totals,
}

/// Reads footer, metaindex, range deletions, properties and all of the index.
pub(crate) fn open(file: &FileTail) -> Result<Opened, Unread> {
    let footer = file.footer();
    file.require(&[footer.metaindex, footer.index])?;
    let metaindex = metaindex::parse(file.read(footer.metaindex)?)?;
    file.require(&metaindex.range_deletions)?;
    file.require(&[metaindex.properties])?;
    let mut range_deletions = Totals::default();
    for handle in metaindex.range_deletions {
        metaindex::count_range_deletions(file.read(handle)?, &mut range_deletions)?;
    }
    let properties = properties::parse(file.read(metaindex.properties)?)?;
    let properties_offset = metaindex.properties.offset;
    let unsupported = |what| Corruption::new(properties_offset, what);
    let two_levels = properties::has_two_levels(&properties).map_err(unsupported)?;
    let count = count_records(&properties, &range_deletions).map_err(unsupported)?;
    let index_block = file.read(footer.index)?;
    if two_levels {
        index::require_partitions(&index_block, file)?;
    }
    let (separators, places) = flatten(IndexCursor::new(index_block.clone(), two_levels), file)?;
    let index = TableIndex::new(file.file_len(), count, properties::own(&properties), separators, places);
    Ok(Opened { index, index_block, two_levels, properties, properties_offset, range_deletions })
}

/// How many records the properties say that there are: RocksDB counts range deletions with them.
fn count_records(properties: &Properties, range_deletions: &Totals) -> Result<u64, Defect> {
    let stated = properties::number(properties, NUM_ENTRIES)?;
    let found = range_deletions.entries;
    stated.checked_sub(found).ok_or(Defect::PropertyCount { name: NUM_ENTRIES, stated, found })
}

/// The index in one level: what it says of each data block.
fn flatten(index: IndexCursor, file: &FileTail) -> Result<(Separators, Places), Corruption> {
    let mut separators = SeparatorsBuilder::default();
    let mut handles = Vec::new();
    index::walk(index, file, |entry, handle| {
        if separators.bytes() + entry.separator().len() > MAX_SEPARATOR_BYTES {
            return Err(entry.corruption(|_| Defect::IndexTooLong { limit: MAX_SEPARATOR_BYTES }));
        }
        separators.push(entry.separator());
        handles.push(handle);
        Ok(())
    })?;
    Ok((separators.finish(), Places::new(&handles)))
}
