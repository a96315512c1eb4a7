//! Tables put together by hand, so that any part can be wrong while its checksum is right.

use crate::block_builder::BlockBuilder;
use crate::key::{RECORD_TRAILER, SEPARATOR_TRAILER};
use crate::properties::{self, Properties, Totals};
use crate::stored_block::append_plain;
use crate::tests::support::open;
use crate::{BlockHandle, Compression, Footer, decode_block, metaindex, varint};

/// A table taken apart.
pub(super) struct Parts {
    /// The data blocks as stored, and any other blocks before the index.
    pub(super) blocks: Vec<u8>,
    /// The contents of the index, or of its top level.
    pub(super) index: Vec<u8>,
    /// The properties; absent if they are to be missing.
    pub(super) properties: Properties,
    /// What the metaindex names beside the properties.
    pub(super) others: Vec<(&'static str, BlockHandle)>,
}

impl Parts {
    /// Takes a table apart that has been written.
    pub(super) fn of(file: Vec<u8>) -> Self {
        let table = open(file).unwrap();
        let index = table.index_block();
        Self {
            blocks: table.file()[..index.offset() as usize].to_vec(),
            index: index.contents().to_vec(),
            properties: table.properties().clone(),
            others: Vec::new(),
        }
    }

    /// A table of the one data block that has these contents, and says that it has `count` records.
    pub(super) fn of_block(contents: &[u8], last_key: &str, count: u64) -> Self {
        let mut blocks = Vec::new();
        let handle = append_plain(contents, &mut blocks);
        let totals = Totals { entries: count, data_blocks: 1, ..Totals::default() };
        let properties = properties::describe(&totals, Compression::None);
        let index = block(&[(separator(last_key), handle.encode())]);
        Self { blocks, index, properties, others: Vec::new() }
    }

    /// Turns the index into one of two levels, with partitions of two data blocks each. Their separators at the top are
    /// raised by a zero byte, if asked for: they need not be the lowest possible.
    pub(super) fn split_index(&mut self, file: Vec<u8>, raise: bool) {
        let table = open(file).unwrap();
        let mut cursor = table.index_cursor();
        let mut entries = Vec::new();
        while let Some(handle) = table.next_entry(&mut cursor).unwrap() {
            entries.push((cursor.internal_separator().to_vec(), handle.encode()));
        }
        let partitions = entries.chunks(2).map(|entries| {
            let (last, _) = entries.last().unwrap();
            let user_key = &last[..last.len() - SEPARATOR_TRAILER.len()];
            let raised = [user_key, b"\0", &SEPARATOR_TRAILER].concat();
            let handle = append_plain(&block(entries), &mut self.blocks);
            (if raise { raised } else { last.clone() }, handle.encode())
        });
        self.index = block(&Vec::from_iter(partitions));
        self.set("rocksdb.block.based.table.index.type", &[2, 0, 0, 0]);
    }

    /// Sets a property.
    pub(super) fn set(&mut self, name: &str, value: &[u8]) {
        self.properties.insert(name.to_owned(), value.to_vec());
    }

    /// Puts the table together.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = self.blocks.clone();
        let index = append_plain(&self.index, &mut file);
        let properties: Vec<_> =
            self.properties.iter().map(|(name, value)| (name.clone().into_bytes(), value.clone())).collect();
        let properties = append_plain(&block(&properties), &mut file);
        let mut names = metaindex::build(properties);
        for (name, handle) in &self.others {
            names.add(name.as_bytes(), &handle.encode());
        }
        let metaindex = names.finish(|contents| append_plain(contents, &mut file));
        file.extend(Footer { metaindex, index }.encode());
        file
    }
}

/// The contents of a block of whole keys.
pub(super) fn block(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let mut block = BlockBuilder::new(1);
    for (key, value) in entries {
        block.add(key, value);
    }
    block.finish(<[u8]>::to_vec)
}

/// The contents of a block of records with these keys.
pub(super) fn records(keys: &[&str]) -> Vec<u8> {
    block(&Vec::from_iter(keys.iter().map(|key| (record(key), b"value".to_vec()))))
}

/// The contents of a block with these entries (how much of the key before is shared, the rest of the key, value) and
/// restart points.
pub(super) fn raw_block(entries: &[(u64, &[u8], &str)], restarts: &[u32]) -> Vec<u8> {
    let mut contents = Vec::new();
    for (shared, suffix, value) in entries {
        for len in [*shared, suffix.len() as u64, value.len() as u64] {
            varint::put(&mut contents, len);
        }
        contents.extend_from_slice(suffix);
        contents.extend_from_slice(value.as_bytes());
    }
    for word in restarts.iter().chain([&(restarts.len() as u32)]) {
        contents.extend(word.to_le_bytes());
    }
    contents
}

/// The internal key of a record.
pub(super) fn record(user_key: &str) -> Vec<u8> {
    [user_key.as_bytes(), &RECORD_TRAILER].concat()
}

/// The internal key of a separator.
pub(super) fn separator(user_key: &str) -> Vec<u8> {
    [user_key.as_bytes(), &SEPARATOR_TRAILER].concat()
}

/// Where each block of a file stands: data blocks, index, partitions, properties, metaindex, in the file's order.
pub(super) fn handles(file: &[u8]) -> Vec<BlockHandle> {
    let footer = Footer::parse(file, file.len() as u64).unwrap();
    let table = open(file.to_vec()).unwrap();
    let mut index = table.index_cursor();
    let mut handles = Vec::new();
    while let Some(handle) = table.next_entry(&mut index).unwrap() {
        handles.push(handle);
    }
    let metaindex = table.read_block(footer.metaindex).unwrap();
    let properties = metaindex::parse(metaindex).unwrap().properties;
    handles.extend([footer.index, properties, footer.metaindex]);
    handles
}

/// Puts other contents of the same stored length in a block's place, with the right checksum.
pub(super) fn replace(file: &mut [u8], handle: BlockHandle, contents: &[u8]) {
    let mut stored = Vec::new();
    append_plain(contents, &mut stored);
    file[handle.offset as usize..][..stored.len()].copy_from_slice(&stored);
}

/// The contents of a block of a file.
pub(super) fn contents(file: &[u8], handle: BlockHandle) -> Vec<u8> {
    let stored = file[handle.offset as usize..handle.end().unwrap() as usize].to_vec();
    decode_block(&stored.into(), handle.offset).unwrap().to_vec()
}
