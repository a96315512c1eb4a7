//! Writes a table from records in key order.

use std::collections::BTreeMap;

use crate::block_builder::BlockBuilder;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::key::{self, KEY_TRAILER_LEN, RECORD_TRAILER, SEPARATOR_TRAILER};
use crate::metaindex;
use crate::properties::{self, Properties, Totals};
use crate::stored_block::{BlockSealer, append_as_is, append_plain};
use crate::{BlockEnds, BlockHandle, Compression, Corruption, Footer, TRAILER_LEN, Table, WriteError};

/// Longest key that is written, in bytes.
pub const MAX_KEY_BYTES: usize = 64 * 1024;
/// Longest value that is written, in bytes: two parts as long as lakeFS reads them (40 MiB), and their lengths.
pub const MAX_VALUE_BYTES: usize = 2 * (40 * 1024 * 1024 + 4);
/// The most that the names and values of a table's own properties take together, in bytes.
pub const MAX_PROPERTIES_BYTES: usize = 1024 * 1024;

/// How much of a refused key is quoted, in bytes.
const QUOTED_KEY_BYTES: usize = 64;

/// The shape of a table. The default has lakeFS's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterOptions {
    /// Where data blocks end.
    pub blocks: BlockEnds,
    /// Of how many keys in a row the first is stored whole. Zero is taken as 1.
    pub restart_interval: usize,
    /// How data and index blocks are compressed.
    pub compression: Compression,
}

impl Default for WriterOptions {
    fn default() -> Self {
        Self { blocks: BlockEnds::Size(4096), restart_interval: 16, compression: Compression::Snappy }
    }
}

/// Where a data block ended in a table that is being written: what it takes to go on from there.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    totals: Totals,
    /// The internal key before it.
    last_key: Vec<u8>,
}

impl Checkpoint {
    /// How many data blocks come before it.
    pub fn blocks(&self) -> usize {
        usize::try_from(self.totals.data_blocks).expect("blocks were in memory")
    }

    /// The lengths of all keys and values before it, in bytes, before compression.
    pub fn raw_bytes(&self) -> u64 {
        self.totals.raw_bytes()
    }
}

/// Builds a table in memory. The same records, options and properties give the same bytes.
#[derive(Debug)]
pub struct Writer {
    options: WriterOptions,
    file: Vec<u8>,
    data: BlockBuilder,
    index: BlockBuilder,
    sealer: BlockSealer,
    totals: Totals,
    /// The data block that is stored but not in the index: its separator depends on the key that comes next.
    unindexed: Option<BlockHandle>,
    /// Where the last block ended that was stored.
    end: Option<Checkpoint>,
    /// Room for the internal key of a record or separator.
    scratch: Vec<u8>,
}

impl Writer {
    /// A table without records.
    pub fn new(options: WriterOptions) -> Self {
        let options = WriterOptions {
            blocks: options.blocks.clamped(),
            restart_interval: options.restart_interval.max(1),
            ..options
        };
        Self {
            options,
            file: Vec::new(),
            data: BlockBuilder::new(options.restart_interval),
            index: BlockBuilder::new(1),
            sealer: BlockSealer::new(options.compression),
            totals: Totals::default(),
            unindexed: None,
            end: None,
            scratch: Vec::new(),
        }
    }

    /// Goes on at a checkpoint, with the blocks before it as `table` has them, a table of the same records. `None` if that does not
    /// have them in such blocks.
    ///
    /// # Errors
    /// [`Corruption`] of one of those blocks.
    pub fn resume(
        options: WriterOptions,
        table: &Table,
        at: &Checkpoint,
    ) -> Result<Option<Self>, Corruption> {
        let (index, blocks) = (table.index(), at.blocks());
        if blocks == 0 || blocks > index.blocks() || index.span(0..blocks) != (0..at.totals.data_size) {
            return Ok(None);
        }
        // The same records up to the same key are the same records.
        let mut records = BlockCursor::new(table.read_data(blocks - 1)?, KeyForm::Record);
        records.seek_to_last()?;
        if records.key() != at.last_key {
            return Ok(None);
        }
        let mut writer = Self::new(options);
        for block in 0..blocks {
            let stored = table.stored_data(block)?;
            table.check_checksum(block, stored)?;
            if let Some(before) = block.checked_sub(1) {
                let mut separator = index.separator(before);
                separator.extend_from_slice(&SEPARATOR_TRAILER);
                writer.index.add(&separator, &index.handle(before).encode());
            }
            append_as_is(stored, &mut writer.file);
        }
        writer.unindexed = Some(index.handle(blocks - 1));
        writer.data.pass(&at.last_key);
        (writer.totals, writer.end) = (at.totals, Some(at.clone()));
        Ok(Some(writer))
    }

    /// Where the last block ended that was stored.
    pub fn checkpoint(&self) -> Option<&Checkpoint> {
        self.end.as_ref()
    }

    /// How many data blocks were stored.
    pub fn blocks(&self) -> u64 {
        self.totals.data_blocks
    }

    /// Adds a record, whose key must come after the one added last, in byte order.
    pub fn add(&mut self, key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        self.check(key, value)?;
        let last = self.last_key().unwrap_or_default();
        if self.options.blocks.end_before(&self.data, last, key.len() + KEY_TRAILER_LEN, value.len()) {
            self.store_block();
        }
        self.index_block(Some(key));
        self.scratch.clear();
        self.scratch.extend_from_slice(key);
        self.scratch.extend_from_slice(&RECORD_TRAILER);
        self.data.add(&self.scratch, value);
        self.totals.count(&self.scratch, value);
        Ok(())
    }

    /// Adds the records of another table's data block as it is stored there, without building it again, and says whether it did.
    /// That it does where it makes no difference: if a block begins here, and ends where that one does. `takes` is called with each
    /// of the records, and may refuse; then nothing is added.
    ///
    /// # Errors
    /// [`Corruption`] of that block. Nothing is added.
    pub fn add_block(
        &mut self,
        table: &Table,
        block: usize,
        mut takes: impl FnMut(&[u8], &[u8]) -> bool,
    ) -> Result<bool, Corruption> {
        let last = self.last_key().unwrap_or_default();
        if self.data.count() > 0 && !self.options.blocks.end_after(self.data.len(), last) {
            return Ok(false);
        }
        let (contents, stored) = table.read_whole(block)?;
        let (len, mut totals) = (contents.contents().len(), self.totals);
        let mut records = BlockCursor::new(contents, KeyForm::Record);
        let mut first = None::<Vec<u8>>;
        while records.advance()? {
            let (key, value) = (records.user_key(), records.value());
            let is_first = first.is_none();
            let is_ours = records.key().ends_with(&RECORD_TRAILER)
                && if is_first { self.check(key, value) } else { check_lengths(key, value) }.is_ok();
            if !is_ours || !takes(key, value) {
                return Ok(false);
            }
            if is_first {
                first = Some(key.to_vec());
            }
            totals.count(records.key(), value);
        }
        let (Some(first), true) = (first, self.options.blocks.end_after(len, records.user_key())) else {
            return Ok(false);
        };
        if self.data.count() > 0 {
            self.store_block();
            (totals.data_blocks, totals.data_size) = (self.totals.data_blocks, self.totals.data_size);
        }
        self.index_block(Some(&first));
        self.totals = totals;
        let handle = append_as_is(stored, &mut self.file);
        self.data.pass(records.key());
        self.note_stored(handle);
        Ok(true)
    }

    /// How many records were added.
    pub fn count(&self) -> u64 {
        self.totals.entries
    }

    /// The lengths of all keys and values added, in bytes, before compression.
    pub fn raw_bytes(&self) -> u64 {
        self.totals.raw_bytes()
    }

    /// The finished file, which carries these properties beside the format's own.
    pub fn finish(mut self, user_properties: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, WriteError> {
        check_properties(user_properties)?;
        // lakeFS gives a table without records one block without entries.
        if self.data.count() > 0 || (self.index.count() == 0 && self.unindexed.is_none()) {
            self.store_block();
        }
        self.index_block(None);
        let index = self.index.finish(|contents| self.sealer.append(contents, &mut self.file));
        self.totals.index_size = index.size + TRAILER_LEN as u64;
        let mut properties = properties::describe(&self.totals, self.options.compression);
        properties.extend(user_properties.clone());
        let properties = append_properties(&properties, &mut self.file);
        let metaindex =
            metaindex::build(properties).finish(|contents| append_plain(contents, &mut self.file));
        self.file.extend(Footer { metaindex, index }.encode());
        Ok(self.file)
    }

    fn check(&self, key: &[u8], value: &[u8]) -> Result<(), WriteError> {
        check_lengths(key, value)?;
        match self.last_key() {
            Some(previous) if key <= previous => {
                Err(WriteError::KeyOrder { previous: previous.to_vec(), key: key.to_vec() })
            }
            _ => Ok(()),
        }
    }

    /// The user key added last; `None` if no record was added.
    pub fn last_key(&self) -> Option<&[u8]> {
        self.data.last_key().split_last_chunk::<KEY_TRAILER_LEN>().map(|(user_key, _)| user_key)
    }

    /// Stores the data block that is being built.
    fn store_block(&mut self) {
        let handle = self.data.finish(|contents| self.sealer.append(contents, &mut self.file));
        self.note_stored(handle);
    }

    fn note_stored(&mut self, handle: BlockHandle) {
        self.totals.data_blocks += 1;
        self.totals.data_size += handle.size + TRAILER_LEN as u64;
        self.unindexed = Some(handle);
        self.end = Some(Checkpoint { totals: self.totals, last_key: self.data.last_key().to_vec() });
    }

    /// Gives the data block that was stored last its index entry, if it has none yet. `next` is the key that comes after it, if one
    /// does.
    #[inline]
    fn index_block(&mut self, next: Option<&[u8]>) {
        if let Some(handle) = self.unindexed.take() {
            self.add_to_index(handle, next);
        }
    }

    fn add_to_index(&mut self, handle: BlockHandle, next: Option<&[u8]>) {
        let mut separator = std::mem::take(&mut self.scratch);
        let last = self.last_key().unwrap_or_default();
        match next {
            Some(next) => key::separate(last, next, &mut separator),
            None => key::succeed(last, &mut separator),
        }
        separator.extend_from_slice(&SEPARATOR_TRAILER);
        self.index.add(&separator, &handle.encode());
        self.scratch = separator;
    }
}

fn check_lengths(key: &[u8], value: &[u8]) -> Result<(), WriteError> {
    if key.len() > MAX_KEY_BYTES {
        let start = key[..QUOTED_KEY_BYTES].to_vec();
        return Err(WriteError::KeyTooLong { start, len: key.len(), limit: MAX_KEY_BYTES });
    }
    if value.len() > MAX_VALUE_BYTES {
        let (key, len) = (key.to_vec(), value.len());
        return Err(WriteError::ValueTooLong { key, len, limit: MAX_VALUE_BYTES });
    }
    Ok(())
}

fn check_properties(properties: &Properties) -> Result<(), WriteError> {
    if let Some(name) = properties.keys().find(|name| name.starts_with(properties::RESERVED_PREFIX)) {
        return Err(WriteError::ReservedProperty { name: name.clone() });
    }
    let len = properties.iter().map(|(name, value)| name.len() + value.len()).sum();
    if len > MAX_PROPERTIES_BYTES {
        return Err(WriteError::PropertiesTooLong { len, limit: MAX_PROPERTIES_BYTES });
    }
    Ok(())
}

fn append_properties(properties: &Properties, file: &mut Vec<u8>) -> BlockHandle {
    // RocksDB wants a single restart point here.
    let mut block = BlockBuilder::new(usize::MAX);
    for (name, value) in properties {
        block.add(name.as_bytes(), value);
    }
    block.finish(|contents| append_plain(contents, file))
}
