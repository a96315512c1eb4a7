//! A table whose whole file is in memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::index::{IndexCursor, handle_at};
use crate::properties::{self, NUM_ENTRIES, Properties, Totals};
use crate::{
    BlockHandle, Corruption, Cursor, Defect, FOOTER_LEN, Footer, TRAILER_LEN, decode_block, footer, metaindex,
};

/// A table whose whole file is in memory; clones share it.
///
/// It reads tables of format version 2 with CRC32C, blocks stored plainly or with snappy, an index of one or two levels,
/// and records that are plain values, one for each key: those of this crate's `Writer`, of lakeFS, and of RocksDB's
/// writer of external files if told so.
#[derive(Debug, Clone)]
pub struct Table {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: Bytes,
    index: Block,
    two_levels: bool,
    properties: Properties,
    properties_offset: u64,
    /// Range deletions, which hide nothing.
    range_deletions: Totals,
    count: u64,
}

impl Table {
    /// Opens a table. Its footer, properties and index (of two levels, the top) are checked here, other blocks whenever they
    /// are read.
    pub fn open(file: Bytes) -> Result<Self, Corruption> {
        let footer = Footer::parse(&file, file.len() as u64)?;
        let metaindex = metaindex::parse(read_block(&file, footer.metaindex)?)?;
        let mut range_deletions = Totals::default();
        for handle in metaindex.range_deletions {
            metaindex::count_range_deletions(read_block(&file, handle)?, &mut range_deletions)?;
        }
        let properties = properties::parse(read_block(&file, metaindex.properties)?)?;
        let properties_offset = metaindex.properties.offset;
        let unsupported = |what| Corruption::new(properties_offset, what);
        let two_levels = properties::has_two_levels(&properties).map_err(unsupported)?;
        let count = count_records(&properties, &range_deletions).map_err(unsupported)?;
        let index = read_block(&file, footer.index)?;
        check_index(&index, &file)?;
        let inner = Inner { file, index, two_levels, properties, properties_offset, range_deletions, count };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// The value of the record with this key, sharing the memory of its block; `None` if the table has no such record.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Corruption> {
        let Some(handle) = IndexCursor::new(self).seek(self, key)? else {
            return Ok(None);
        };
        let mut block = BlockCursor::new(self.read_block(handle)?, KeyForm::Record);
        let found = block.seek(key)? && block.user_key() == key;
        Ok(found.then(|| block.value_bytes()))
    }

    /// A cursor before the first record.
    pub fn cursor(&self) -> Cursor {
        Cursor::new(self.clone())
    }

    /// All properties, raw: the format's own, whose names begin with `rocksdb.`, and the writer's.
    pub fn properties(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.inner.properties
    }

    /// How many records the table says it has. Only [`verify`](crate::verify()) counts them.
    pub fn count(&self) -> u64 {
        self.inner.count
    }

    /// The whole file.
    pub fn file(&self) -> &Bytes {
        &self.inner.file
    }

    pub(crate) fn index(&self) -> &Block {
        &self.inner.index
    }

    #[cfg(test)]
    pub(crate) fn index_offset(&self) -> usize {
        self.inner.index.offset() as usize
    }

    pub(crate) fn has_two_levels(&self) -> bool {
        self.inner.two_levels
    }

    /// Where the properties block stands in the file.
    pub(crate) fn properties_offset(&self) -> u64 {
        self.inner.properties_offset
    }

    /// What is in the table beside records.
    pub(crate) fn range_deletions(&self) -> Totals {
        self.inner.range_deletions
    }

    pub(crate) fn read_block(&self, handle: BlockHandle) -> Result<Block, Corruption> {
        read_block(&self.inner.file, handle)
    }
}

fn read_block(file: &Bytes, handle: BlockHandle) -> Result<Block, Corruption> {
    footer::check_place(handle, blocks_end(file))?;
    let start = handle.offset as usize;
    let end = start + handle.size as usize + TRAILER_LEN;
    let contents = decode_block(&file.slice(start..end), handle.offset)?;
    Block::parse(contents, handle.offset)
}

/// Where the footer starts, in a file that has one.
fn blocks_end(file: &Bytes) -> u64 {
    (file.len() - FOOTER_LEN) as u64
}

/// How many records the properties say that there are: RocksDB counts range deletions with them.
fn count_records(properties: &Properties, range_deletions: &Totals) -> Result<u64, Defect> {
    let stated = properties::number(properties, NUM_ENTRIES)?;
    let found = range_deletions.entries;
    stated.checked_sub(found).ok_or(Defect::PropertyCount { name: NUM_ENTRIES, stated, found })
}

/// Checks that separators ascend and that their blocks stand in the file, one after the other.
fn check_index(index: &Block, file: &Bytes) -> Result<(), Corruption> {
    let mut cursor = BlockCursor::new(index.clone(), KeyForm::Bound);
    let mut previous_end = 0;
    while cursor.advance()? {
        let handle = handle_at(&cursor)?;
        footer::check_place(handle, blocks_end(file))?;
        if handle.offset < previous_end {
            return Err(Corruption::new(index.offset(), Defect::IndexOverlap { at: cursor.at() }));
        }
        previous_end = handle.offset + handle.size + TRAILER_LEN as u64;
    }
    Ok(())
}
