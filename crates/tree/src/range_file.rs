//! Range files: opening and checking them, and what they say of themselves.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use braid_sstable::{DataBlock, RecordHasher, Table, TableIndex, Tail};
use braid_types::RangeId;
use bytes::Bytes;

use crate::{RangeDescriptor, RangeStore, TreeError};

pub(crate) const KIND: &str = "ranges";

/// The properties that are part of a file's id; a reference dump of lakeFS has all four.
const HASHED: [&str; 4] = ["type", "entity", "schema_name", "schema_definition"];

/// Opens a range's file. Its blocks are checked when they are read; [`verify_range`] checks all at once.
///
/// # Errors
/// [`TreeError::Corrupt`] if the file is damaged at its ends, or is not a range.
pub fn open_range(id: &RangeId, file: Bytes) -> Result<Table, TreeError> {
    let table = Table::open(file).map_err(|corruption| TreeError::corruption(*id, &corruption))?;
    check_kind(id, table.properties())?;
    Ok(table)
}

/// Opens a range's index from the last bytes of its file, or from all of it, as [`TableIndex::from_tail`].
///
/// # Errors
/// As [`open_range`].
pub fn open_range_index(id: &RangeId, tail: Bytes, file_len: Option<u64>) -> Result<Tail, TreeError> {
    let opened = TableIndex::from_tail(tail, file_len);
    let opened = opened.map_err(|corruption| TreeError::corruption(*id, &corruption))?;
    if let Tail::Opened(index) = &opened {
        check_kind(id, index.properties())?;
    }
    Ok(opened)
}

/// Decodes a block of a range from its stored bytes, as [`TableIndex::read`].
///
/// # Errors
/// [`TreeError::Corrupt`].
pub fn read_range_block(
    id: &RangeId,
    index: &TableIndex,
    block: usize,
    stored: &Bytes,
) -> Result<DataBlock, TreeError> {
    index.read(block, stored).map_err(|corruption| TreeError::corruption(*id, &corruption))
}

/// Decodes blocks of a range whose file is in memory, as [`Table::data_block`].
///
/// # Errors
/// [`TreeError::Corrupt`].
pub fn range_blocks(id: &RangeId, table: &Table, blocks: Range<usize>) -> Result<Vec<DataBlock>, TreeError> {
    let read = |block| table.data_block(block).map_err(|found| TreeError::corruption(*id, &found));
    blocks.map(read).collect()
}

/// Reads all of a range and checks that its records hash to `id`.
///
/// # Errors
/// [`TreeError::Corrupt`].
pub fn verify_range(id: &RangeId, table: &Table) -> Result<(), TreeError> {
    let properties = check_kind(id, table.properties())?;
    let mut hasher = RecordHasher::new();
    let mut cursor = table.cursor();
    while let Some((key, value)) =
        cursor.next().map_err(|corruption| TreeError::corruption(*id, &corruption))?
    {
        hasher.add(key, value);
    }
    let found = RangeId::from_bytes(hasher.finish(&properties));
    if found != *id {
        return Err(TreeError::corrupt(*id, format!("its records hash to '{found}'")));
    }
    Ok(())
}

/// Opens the range that a metarange describes, and checks that it is that one.
pub(crate) async fn open_described(
    store: &dyn RangeStore,
    range: &RangeDescriptor,
) -> Result<Table, TreeError> {
    let table = store.range(&range.id).await?;
    check_described(range, table.index())?;
    Ok(table)
}

/// Opens the index of the range that a metarange describes, and checks that it is that one.
pub(crate) async fn index_described(
    store: &dyn RangeStore,
    range: &RangeDescriptor,
) -> Result<Arc<TableIndex>, TreeError> {
    let index = store.index(&range.id).await?;
    check_described(range, &index)?;
    Ok(index)
}

/// Reads blocks of a range of which there is at least one.
pub(crate) async fn read_blocks(
    store: &dyn RangeStore,
    id: &RangeId,
    index: &Arc<TableIndex>,
    blocks: Range<usize>,
) -> Result<Vec<DataBlock>, TreeError> {
    let wanted = blocks.len();
    let read = store.blocks(id, index, blocks).await?;
    assert_eq!(read.len(), wanted, "a store reads all blocks that it is asked for");
    Ok(read)
}

pub(crate) fn check_described(range: &RangeDescriptor, index: &TableIndex) -> Result<(), TreeError> {
    let property = |name: &str| index.properties().get(name).map(|value| &value[..]);
    let is_the_one = index.count() == range.count
        && property("min_key") == Some(&range.min_key)
        && property("max_key") == Some(&range.max_key);
    if is_the_one {
        return Ok(());
    }
    Err(TreeError::corrupt(range.id, "its count or its bounds are not those in the metarange"))
}

fn check_kind(
    id: &RangeId,
    properties: &BTreeMap<String, Vec<u8>>,
) -> Result<BTreeMap<String, String>, TreeError> {
    hashed_properties(properties, KIND).map_err(|what| TreeError::corrupt(*id, what))
}

/// The properties, beside the table's own, that a range or metarange carries.
pub(crate) fn user_properties(
    kind: &str,
    min_key: &[u8],
    max_key: &[u8],
    count: u64,
    size: u64,
) -> BTreeMap<String, Vec<u8>> {
    BTreeMap::from([
        ("type".to_owned(), kind.as_bytes().to_vec()),
        ("min_key".to_owned(), min_key.to_vec()),
        ("max_key".to_owned(), max_key.to_vec()),
        ("count".to_owned(), count.to_string().into_bytes()),
        ("estimated_size_bytes".to_owned(), size.to_string().into_bytes()),
    ])
}

/// The properties that are part of the id of a file of this kind with these labels.
pub(crate) fn own_properties(kind: &str, labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut properties = labels.clone();
    properties.insert("type".to_owned(), kind.to_owned());
    properties
}

/// Adds labels to what a file carries.
pub(crate) fn add_labels(properties: &mut BTreeMap<String, Vec<u8>>, labels: &BTreeMap<String, String>) {
    debug_assert!(labels.keys().all(|name| HASHED.contains(&&**name)), "readers hash these and no others");
    properties.extend(labels.iter().map(|(name, value)| (name.clone(), value.clone().into_bytes())));
}

/// The properties that are part of a file's id, if the file is of this kind.
pub(crate) fn hashed_properties(
    properties: &BTreeMap<String, Vec<u8>>,
    kind: &str,
) -> Result<BTreeMap<String, String>, String> {
    let mut hashed = BTreeMap::new();
    for name in HASHED {
        if let Some(value) = properties.get(name) {
            hashed.insert(name.to_owned(), String::from_utf8_lossy(value).into_owned());
        }
    }
    match hashed.get("type") {
        Some(found) if found == kind => Ok(hashed),
        found => Err(format!("its type is {found:?}, not '{kind}'")),
    }
}
