//! The decoded index of a table, to read its blocks one by one.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use bytes::Bytes;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::file_tail::{FileTail, Unread};
use crate::places::Places;
use crate::properties::Properties;
use crate::separators::Separators;
use crate::{BlockHandle, Corruption, DataBlock, Defect, TRAILER_LEN, decode_block, open};

/// What it takes to read any data block of a table alone: where the blocks stand and which keys each may have. An index of two
/// levels is made one of one.
#[derive(Debug, Clone)]
pub struct TableIndex {
    file_len: u64,
    count: u64,
    properties: Properties,
    separators: Separators,
    places: Places,
}

/// What the last bytes of a file give.
#[derive(Debug, Clone)]
pub enum Tail {
    /// All it takes to read the table's blocks.
    Opened(TableIndex),
    /// The index or the properties start further ahead.
    Short {
        /// A read of so many last bytes of the file, or more, is needed; one more such answer may follow.
        needed: u64,
    },
}

impl TableIndex {
    /// Reads the index and the properties from the last bytes of a file, or from all of it.
    ///
    /// If the file's length is not given, it follows from the footer, and checksums tell whether it is right. Give it if a read
    /// brought fewer bytes than it asked for, which are then all of the file: a damaged footer could ask for more forever.
    /// Offsets of corruptions are from the start of the tail if neither tells the length.
    ///
    /// # Errors
    /// [`Corruption`], as [`Table::open`](crate::Table::open), and that of any partition of the index.
    pub fn from_tail(tail: Bytes, file_len: Option<u64>) -> Result<Tail, Corruption> {
        match FileTail::new(tail, file_len).and_then(|tail| open::open(&tail)) {
            Ok(opened) => Ok(Tail::Opened(opened.index)),
            Err(Unread::Short { needed }) => Ok(Tail::Short { needed }),
            Err(Unread::Corrupted(corruption)) => Err(corruption),
        }
    }

    pub(crate) fn new(
        file_len: u64,
        count: u64,
        properties: Properties,
        separators: Separators,
        places: Places,
    ) -> Self {
        Self { file_len, count, properties, separators, places }
    }

    /// The file's length in bytes.
    pub fn file_len(&self) -> u64 {
        self.file_len
    }

    /// How many records the table says it has.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The properties that are not the format's own, raw: those that a writer was given.
    pub fn properties(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.properties
    }

    /// How many data blocks there are.
    pub fn blocks(&self) -> usize {
        self.separators.len()
    }

    /// Where a data block stands. The blocks are numbered from zero, in key order, which is also the file's.
    pub fn handle(&self, block: usize) -> BlockHandle {
        self.places.get(block)
    }

    /// The bytes of the file in which these blocks stand, trailers included.
    pub fn span(&self, blocks: Range<usize>) -> Range<u64> {
        if blocks.is_empty() {
            return 0..0;
        }
        let last = self.handle(blocks.end - 1);
        self.handle(blocks.start).offset..last.offset + last.size + TRAILER_LEN as u64
    }

    /// A block as it is stored, out of bytes of the file that start at the offset `at`: a tail, say, or a [`span`](Self::span).
    /// `None` if they do not have all of it.
    pub fn stored(&self, block: usize, bytes: &Bytes, at: u64) -> Option<Bytes> {
        let span = self.span(block..block + 1);
        let start = span.start.checked_sub(at)?;
        let end = span.end - at;
        (end <= bytes.len() as u64).then(|| bytes.slice(start as usize..end as usize))
    }

    /// The only block that may hold `key`, if any does. The first record at or after `key` is in this block, or else starts the
    /// next. `None` if all keys are below.
    pub fn find(&self, key: &[u8]) -> Option<usize> {
        self.separators.find(key)
    }

    /// Decodes a block from its stored bytes, trailer included. Its checksum is compared, and its first and last key with the
    /// separators around it, so that a block is not taken for another. Not more is allocated than the payload can hold.
    ///
    /// # Errors
    /// [`Corruption`].
    pub fn read(&self, block: usize, stored: &Bytes) -> Result<DataBlock, Corruption> {
        let handle = self.handle(block);
        let (stated, found) = (handle.size + TRAILER_LEN as u64, stored.len() as u64);
        if stated != found {
            return Err(Corruption::new(handle.offset, Defect::BlockLength { stated, found }));
        }
        let contents = decode_block(stored, handle.offset)?;
        let decoded = Block::parse(contents, handle.offset)?;
        self.check_bounds(block, &decoded)?;
        Ok(DataBlock::new(decoded))
    }

    /// How much memory the index takes, in bytes.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.separators.heap_bytes()
            + self.places.heap_bytes()
            + map_bytes(&self.properties)
    }

    /// The separator of a block.
    pub(crate) fn separator(&self, block: usize) -> Vec<u8> {
        self.separators.get(block)
    }

    /// Whether the table says that it has no records. Only then it has a block without, and no other.
    pub(crate) fn has_no_records(&self) -> bool {
        self.blocks() == 1 && self.count == 0
    }

    /// Checks that a block's keys come after the separator before it, and not after its own.
    fn check_bounds(&self, block: usize, decoded: &Block) -> Result<(), Corruption> {
        let mut records = BlockCursor::new(decoded.clone(), KeyForm::Record);
        let has_records = records.advance()?;
        let mut is_bounded = has_records || self.has_no_records();
        if has_records {
            let before = block.checked_sub(1);
            is_bounded =
                before.is_none_or(|before| self.separators.compare(before, records.user_key()).is_lt());
            records.seek_to_last()?;
            is_bounded &= self.separators.compare(block, records.user_key()) != Ordering::Less;
        }
        if is_bounded { Ok(()) } else { Err(records.corruption(Defect::SeparatorBounds)) }
    }
}

/// What a map takes on the heap, in bytes, roughly: nodes of a B-tree are between half full and full.
fn map_bytes(map: &Properties) -> usize {
    const ENTRIES_A_NODE: usize = 11;
    let node = ENTRIES_A_NODE * size_of::<(String, Vec<u8>)>() + 2 * size_of::<usize>();
    let strings: usize = map.iter().map(|(name, value)| name.len() + value.len()).sum();
    map.len().div_ceil(ENTRIES_A_NODE) * node + strings
}
