//! Trees of other things than entries: lakeFS dumps references as such trees.
//!
//! Their files are those of any tree, with labels that say what the records are; labels are part of the files' ids. Where
//! ranges break is the writer's choice: nothing needs these trees to be canonical.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::vec;

use braid_sstable::{Cursor, Table, WriterOptions};
use braid_types::{MetarangeId, RangeId};
use bytes::Bytes;

use crate::range_builder::RangeBuilder;
use crate::range_file::check_described;
use crate::{
    FileId, Metarange, Pool, RangeDescriptor, RangeStore, Record, TreeError, TreeFormat, metarange,
    open_range, verify_range,
};

const ENTITY: &str = "entity";
const SCHEMA_NAME: &str = "schema_name";
const SCHEMA_DEFINITION: &str = "schema_definition";

/// What the records of a tree are, in lakeFS's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Labels {
    /// The kind of thing, such as `commit`.
    pub entity: &'static str,
    /// The full name of the protobuf message that the data of each record is.
    pub schema_name: &'static str,
    /// That message's descriptor as JSON.
    pub schema_definition: &'static str,
}

impl Labels {
    fn properties(self) -> BTreeMap<String, String> {
        let labels = [
            (ENTITY, self.entity),
            (SCHEMA_NAME, self.schema_name),
            (SCHEMA_DEFINITION, self.schema_definition),
        ];
        labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Writes a tree with labels, record by record. One range of it is in memory at a time.
pub struct LabelledWriter {
    store: Arc<dyn RangeStore>,
    format: TreeFormat,
    labels: BTreeMap<String, String>,
    open: Option<RangeBuilder>,
    ranges: Vec<RangeDescriptor>,
}

impl LabelledWriter {
    /// A tree without records. Its tables have lakeFS's shape; ranges are as large as those of `format`.
    pub fn new(store: Arc<dyn RangeStore>, format: TreeFormat, labels: Labels) -> Self {
        let format = TreeFormat { table: WriterOptions::default(), ..format };
        Self { store, format, labels: labels.properties(), open: None, ranges: Vec::new() }
    }

    /// Adds a record, whose key comes after the one added last. When a range is full this returns once it is durable.
    ///
    /// # Errors
    /// [`TreeError::Unordered`], [`TreeError::Unwritable`], and those of the store.
    pub async fn add(&mut self, record: &Record) -> Result<(), TreeError> {
        self.check_order(&record.key)?;
        let range =
            self.open.get_or_insert_with(|| RangeBuilder::labelled(self.format, &record.key, &self.labels));
        if range.add(&record.key, record.value.as_bytes())? {
            self.end_range().await?;
        }
        Ok(())
    }

    /// Writes what is left, then the metarange, also when there are no records.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn finish(mut self) -> Result<MetarangeId, TreeError> {
        self.end_range().await?;
        let (id, file) = metarange::encode_labelled(&self.ranges, &self.labels, self.format.table);
        self.store.put_metarange(&id, file).await?;
        Ok(id)
    }

    /// Within a range the table's writer minds the order.
    fn check_order(&self, key: &Bytes) -> Result<(), TreeError> {
        match (&self.open, self.ranges.last()) {
            (None, Some(last)) if *key <= last.max_key => {
                Err(TreeError::Unordered { previous: last.max_key.clone(), key: key.clone() })
            }
            _ => Ok(()),
        }
    }

    async fn end_range(&mut self) -> Result<(), TreeError> {
        let Some(range) = self.open.take() else {
            return Ok(());
        };
        let (descriptor, file) = range.finish()?;
        self.store.put_range(&descriptor.id, file).await?;
        self.ranges.push(descriptor);
        Ok(())
    }
}

/// A record, and the file that it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledRecord {
    /// The file.
    pub range: RangeId,
    /// The record.
    pub record: Record,
}

/// Reads a tree with labels in key order. Files are read as they are durable and hashed to their names before any record of
/// theirs is given; one is in memory at a time.
pub struct LabelledReader {
    store: Arc<dyn RangeStore>,
    pool: Pool,
    count: u64,
    ranges: vec::IntoIter<RangeDescriptor>,
    open: Option<(RangeId, Cursor)>,
}

impl LabelledReader {
    /// Opens the tree of this name, whose records are to be of the kind `entity`.
    ///
    /// # Errors
    /// [`TreeError::Corrupt`], also if its records are of another kind; [`TreeError::Missing`]; those of the store.
    pub async fn open(
        store: Arc<dyn RangeStore>,
        pool: Pool,
        id: MetarangeId,
        entity: &str,
    ) -> Result<Self, TreeError> {
        let file = store.file(id.into()).await?;
        let metarange = Metarange::decode(&id, file.clone())?;
        check_entity(id, file, entity)?;
        let (count, ranges) = (metarange.count(), metarange.ranges().to_vec().into_iter());
        Ok(Self { store, pool, count, ranges, open: None })
    }

    /// How many records there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The next record.
    ///
    /// # Errors
    /// [`TreeError::Corrupt`], [`TreeError::Missing`] and [`TreeError::Malformed`], those of the store. After an error there
    /// is no going on.
    pub async fn next(&mut self) -> Result<Option<LabelledRecord>, TreeError> {
        loop {
            if let Some((range, cursor)) = &mut self.open {
                let range = *range;
                let found = cursor.next().map_err(|corruption| TreeError::corruption(range, &corruption))?;
                if let Some((key, value)) = found {
                    let (key, value) = (Bytes::copy_from_slice(key), Bytes::copy_from_slice(value));
                    return Ok(Some(LabelledRecord { range, record: Record::from_stored(key, value)? }));
                }
            }
            let Some(described) = self.ranges.next() else {
                self.open = None;
                return Ok(None);
            };
            self.open = Some((described.id, self.read(described).await?.cursor()));
        }
    }

    async fn read(&self, described: RangeDescriptor) -> Result<Table, TreeError> {
        let file = self.store.file(FileId::Range(described.id)).await?;
        let opened = move || {
            let table = open_range(&described.id, file)?;
            check_described(&described, table.index())?;
            verify_range(&described.id, &table)?;
            Ok(table)
        };
        self.pool.run(opened).await
    }
}

/// Ranges need no such look: the metarange names them by hashes, which their labels are part of.
fn check_entity(id: MetarangeId, file: Bytes, expected: &str) -> Result<(), TreeError> {
    let table = Table::open(file).map_err(|corruption| TreeError::corruption(id, &corruption))?;
    let found = table.properties().get(ENTITY).map(|entity| String::from_utf8_lossy(entity));
    match found.as_deref() {
        Some(found) if found == expected => Ok(()),
        Some(found) => Err(TreeError::corrupt(id, format!("its records are '{found}', not '{expected}'"))),
        None => Err(TreeError::corrupt(id, format!("it does not say that its records are '{expected}'"))),
    }
}
