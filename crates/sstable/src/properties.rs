//! The properties of a table: what RocksDB, lakeFS and this crate need to know to read it, beside the writer's own.
//!
//! Integers are varints unless a name says otherwise. Those written are the ones that lakeFS writes, with its values.

use std::collections::BTreeMap;

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::key::KEY_TRAILER_LEN;
use crate::{Compression, Corruption, Defect, MAX_PROPERTIES_BYTES, varint};

/// What the names of the format's own properties start with.
pub(crate) const RESERVED_PREFIX: &str = "rocksdb.";

pub(crate) const NUM_ENTRIES: &str = "rocksdb.num.entries";
pub(crate) const NUM_DATA_BLOCKS: &str = "rocksdb.num.data.blocks";
/// Lengths of all internal keys.
pub(crate) const RAW_KEY_SIZE: &str = "rocksdb.raw.key.size";
/// Lengths of all values.
pub(crate) const RAW_VALUE_SIZE: &str = "rocksdb.raw.value.size";

const COMPARATOR: &str = "rocksdb.comparator";
const BYTEWISE: &[u8] = b"leveldb.BytewiseComparator";
/// Four bytes, little endian.
const INDEX_TYPE: &str = "rocksdb.block.based.table.index.type";
const INDEX_TYPE_BINARY_SEARCH: [u8; 4] = 0u32.to_le_bytes();
const INDEX_TYPE_TWO_LEVEL: [u8; 4] = 2u32.to_le_bytes();
const INDEX_KEY_IS_USER_KEY: &str = "rocksdb.index.key.is.user.key";
const INDEX_VALUE_IS_DELTA: &str = "rocksdb.index.value.is.delta.encoded";
/// What lakeFS says, and RocksDB for any column family whose id is not known.
const UNKNOWN_COLUMN_FAMILY: u64 = 0x7fff_ffff;

/// The most that names and values of a table's properties take together, in bytes: what a writer may be given, and the
/// format's own. A block that is made to harm could have names that are long because each shares nearly all of the one before.
const MAX_READ_BYTES: usize = MAX_PROPERTIES_BYTES + 64 * 1024;

pub(crate) type Properties = BTreeMap<String, Vec<u8>>;

/// What a table has. Sizes are in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Totals {
    pub(crate) entries: u64,
    pub(crate) data_blocks: u64,
    /// Internal keys, uncompressed.
    pub(crate) raw_key_size: u64,
    /// Values, uncompressed.
    pub(crate) raw_value_size: u64,
    /// Data blocks as stored, with their trailers.
    pub(crate) data_size: u64,
    /// The index as stored, with its trailer.
    pub(crate) index_size: u64,
}

impl Totals {
    /// The lengths of all keys, without what makes them internal, and values.
    pub(crate) fn raw_bytes(&self) -> u64 {
        self.raw_key_size + self.raw_value_size - self.entries * KEY_TRAILER_LEN as u64
    }

    /// Counts an entry with this internal key.
    pub(crate) fn count(&mut self, key: &[u8], value: &[u8]) {
        self.entries += 1;
        self.raw_key_size += key.len() as u64;
        self.raw_value_size += value.len() as u64;
    }
}

/// The format's own properties of a table.
pub(crate) fn describe(totals: &Totals, compression: Compression) -> Properties {
    let fixed: [(&str, &[u8]); 12] = [
        (INDEX_TYPE, &INDEX_TYPE_BINARY_SEARCH),
        ("rocksdb.block.based.table.prefix.filtering", b"0"),
        ("rocksdb.block.based.table.whole.key.filtering", b"0"),
        (COMPARATOR, BYTEWISE),
        ("rocksdb.compression", compression_name(compression)),
        (
            "rocksdb.compression_options",
            b"window_bits=-14; level=32767; strategy=0; max_dict_bytes=0; zstd_max_train_bytes=0; enabled=0; ",
        ),
        ("rocksdb.external_sst_file.global_seqno", &0u64.to_le_bytes()),
        ("rocksdb.external_sst_file.version", &2u32.to_le_bytes()),
        ("rocksdb.merge.operator", b"pebble.concatenate"),
        ("rocksdb.prefix.extractor.name", b"nullptr"),
        ("rocksdb.property.collectors", b"[static]"),
        ("rocksdb.column.family.id", &varint_value(UNKNOWN_COLUMN_FAMILY)),
    ];
    let counted = [
        ("rocksdb.creation.time", 0),
        ("rocksdb.data.size", totals.data_size),
        ("rocksdb.deleted.keys", 0),
        ("rocksdb.filter.size", 0),
        ("rocksdb.fixed.key.length", 0),
        ("rocksdb.format.version", 0),
        (INDEX_KEY_IS_USER_KEY, 0),
        ("rocksdb.index.size", totals.index_size),
        (INDEX_VALUE_IS_DELTA, 0),
        ("rocksdb.merge.operands", 0),
        (NUM_DATA_BLOCKS, totals.data_blocks),
        (NUM_ENTRIES, totals.entries),
        ("rocksdb.num.range-deletions", 0),
        ("rocksdb.oldest.key.time", 0),
        (RAW_KEY_SIZE, totals.raw_key_size),
        (RAW_VALUE_SIZE, totals.raw_value_size),
    ];
    let fixed = fixed.map(|(name, value)| (name.to_owned(), value.to_vec()));
    let counted = counted.map(|(name, value)| (name.to_owned(), varint_value(value)));
    fixed.into_iter().chain(counted).collect()
}

/// Reads the block of properties.
pub(crate) fn parse(block: Block) -> Result<Properties, Corruption> {
    let offset = block.offset();
    let mut cursor = BlockCursor::new(block, KeyForm::Name);
    let mut properties = Properties::new();
    let mut bytes = 0;
    while cursor.advance()? {
        let Ok(name) = str::from_utf8(cursor.key()) else {
            return Err(Corruption::new(offset, Defect::PropertyName { at: cursor.at() }));
        };
        bytes += name.len() + cursor.value().len();
        if bytes > MAX_READ_BYTES {
            return Err(cursor.corruption(Defect::PropertiesTooLong { limit: MAX_READ_BYTES }));
        }
        properties.insert(name.to_owned(), cursor.value().to_vec());
    }
    Ok(properties)
}

/// The properties that are not the format's own.
pub(crate) fn own(properties: &Properties) -> Properties {
    let own = properties.iter().filter(|(name, _)| !name.starts_with(RESERVED_PREFIX));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether the index has two levels; an error if the table is of a kind that is not read.
pub(crate) fn has_two_levels(properties: &Properties) -> Result<bool, Defect> {
    expect_value(properties, COMPARATOR, BYTEWISE)?;
    expect_value(properties, INDEX_KEY_IS_USER_KEY, &[0])?;
    expect_value(properties, INDEX_VALUE_IS_DELTA, &[0])?;
    match properties.get(INDEX_TYPE) {
        Some(value) if *value == INDEX_TYPE_BINARY_SEARCH => Ok(false),
        Some(value) if *value == INDEX_TYPE_TWO_LEVEL => Ok(true),
        Some(value) => Err(Defect::PropertyValue { name: INDEX_TYPE, value: value.clone() }),
        None => Err(Defect::PropertyAbsent { name: INDEX_TYPE }),
    }
}

/// The integer that a property holds.
pub(crate) fn number(properties: &Properties, name: &'static str) -> Result<u64, Defect> {
    let value = properties.get(name).ok_or(Defect::PropertyAbsent { name })?;
    match varint::take(value) {
        Some((number, len)) if len == value.len() => Ok(number),
        _ => Err(Defect::PropertyValue { name, value: value.clone() }),
    }
}

/// Refuses any other value than `expected`. RocksDB leaves out what has its default value.
fn expect_value(properties: &Properties, name: &'static str, expected: &[u8]) -> Result<(), Defect> {
    match properties.get(name) {
        Some(value) if value != expected => Err(Defect::PropertyValue { name, value: value.clone() }),
        _ => Ok(()),
    }
}

fn compression_name(compression: Compression) -> &'static [u8] {
    match compression {
        Compression::None => b"NoCompression",
        Compression::Snappy => b"Snappy",
        Compression::Zstd { .. } => b"ZSTD",
    }
}

fn varint_value(value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    varint::put(&mut bytes, value);
    bytes
}
