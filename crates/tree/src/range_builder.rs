//! Writes one range.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_sstable::{Corruption, RecordHasher, Table, WriteError, Writer};
use braid_types::RangeId;
use bytes::Bytes;

use crate::checkpoints::{Checkpoint, OfRange};
use crate::range_file::{KIND, add_labels, own_properties, user_properties};
use crate::value::entry_size;
use crate::{RangeDescriptor, TreeError, TreeFormat};

/// A range that is being written. It has at least one record.
pub(crate) struct RangeBuilder {
    format: TreeFormat,
    writer: Writer,
    hasher: RecordHasher,
    min_key: Bytes,
    /// The sum of the entries' sizes, as long as each record had one.
    data_bytes: Option<u64>,
    checkpoints: OfRange,
    /// What the file says of itself beside its kind; part of its id.
    labels: BTreeMap<String, String>,
}

impl RangeBuilder {
    /// A range that begins with the record of `min_key`, which is still to be added.
    pub(crate) fn new(format: TreeFormat, min_key: &[u8]) -> Self {
        Self {
            format,
            writer: Writer::new(format.table),
            hasher: RecordHasher::new(),
            min_key: Bytes::copy_from_slice(min_key),
            data_bytes: Some(0),
            checkpoints: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    /// The same for records that are no entries: the file carries labels, which are part of its id.
    pub(crate) fn labelled(format: TreeFormat, min_key: &[u8], labels: &BTreeMap<String, String>) -> Self {
        Self { data_bytes: None, labels: labels.clone(), ..Self::new(format, min_key) }
    }

    /// Goes on with another range, of which `table` is the table, at the last of these checkpoints of its. `None` if the table is laid
    /// out otherwise.
    pub(crate) fn resume(
        format: TreeFormat,
        min_key: &Bytes,
        table: &Table,
        checkpoints: &[Arc<Checkpoint>],
    ) -> Result<Option<Self>, Corruption> {
        let Some(last) = checkpoints.last() else {
            return Ok(None);
        };
        let resumed = Writer::resume(format.table, table, &last.table)?;
        Ok(resumed.map(|writer| Self {
            format,
            writer,
            hasher: last.hasher.clone(),
            min_key: min_key.clone(),
            data_bytes: last.data_bytes,
            checkpoints: checkpoints.to_vec(),
            labels: BTreeMap::new(),
        }))
    }

    /// Adds a record, and says whether the range ends with it.
    pub(crate) fn add(&mut self, key: &[u8], value: &[u8]) -> Result<bool, TreeError> {
        let blocks = self.writer.blocks();
        self.writer.add(key, value).map_err(|error| refused(key, error))?;
        if self.writer.blocks() > blocks {
            self.mark();
        }
        self.hasher.add(key, value);
        self.data_bytes = self.data_bytes.and_then(|sum| sum.checked_add(entry_size(value)?));
        Ok(self.format.ends_after(self.writer.raw_bytes(), key))
    }

    /// Adds the records of another range's block as it is stored there, if it would be stored so here too and the range does not end
    /// within it. Says whether the range ends with it; `None`: nothing was added. `each` is called with each of the records that are
    /// added, or were tried to be.
    pub(crate) fn add_block(
        &mut self,
        table: &Table,
        block: usize,
        mut each: impl FnMut(&[u8], &[u8]),
    ) -> Result<Option<bool>, Corruption> {
        let (mut hasher, mut data_bytes) = (self.hasher.clone(), self.data_bytes);
        let (mut size, mut ends) = (self.writer.raw_bytes(), false);
        let format = self.format;
        let is_added = self.writer.add_block(table, block, |key, value| {
            if ends {
                return false;
            }
            hasher.add(key, value);
            data_bytes = data_bytes.and_then(|sum| sum.checked_add(entry_size(value)?));
            size += (key.len() + value.len()) as u64;
            ends = format.ends_after(size, key);
            each(key, value);
            true
        })?;
        if !is_added {
            return Ok(None);
        }
        (self.hasher, self.data_bytes) = (hasher, data_bytes);
        self.mark();
        Ok(Some(ends))
    }

    /// Notes that the block stored last ended just behind what is hashed.
    fn mark(&mut self) {
        if let Some(table) = self.writer.checkpoint().cloned() {
            let (hasher, data_bytes) = (self.hasher.clone(), self.data_bytes);
            self.checkpoints.push(Arc::new(Checkpoint { table, hasher, data_bytes }));
        }
    }

    /// The format it is written in.
    pub(crate) fn format(&self) -> TreeFormat {
        self.format
    }

    /// Where blocks ended.
    pub(crate) fn take_checkpoints(&mut self) -> OfRange {
        std::mem::take(&mut self.checkpoints)
    }

    /// Whether no record was added yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.writer.count() == 0
    }

    /// The finished file and what the metarange says of it.
    pub(crate) fn finish(self) -> Result<(RangeDescriptor, Bytes), TreeError> {
        let max_key = Bytes::copy_from_slice(self.writer.last_key().unwrap_or_default());
        let (count, size) = (self.writer.count(), self.writer.raw_bytes());
        let mut properties = user_properties(KIND, &self.min_key, &max_key, count, size);
        add_labels(&mut properties, &self.labels);
        let file = self.writer.finish(&properties).map_err(|error| refused(&max_key, error))?;
        let id = RangeId::from_bytes(self.hasher.finish(&own_properties(KIND, &self.labels)));
        let (min_key, data_bytes) = (self.min_key, self.data_bytes);
        Ok((RangeDescriptor { min_key, max_key, id, size, count, data_bytes }, file.into()))
    }
}

fn refused(key: &[u8], error: WriteError) -> TreeError {
    let key = Bytes::copy_from_slice(key);
    match error {
        WriteError::KeyOrder { previous, .. } => TreeError::Unordered { previous: previous.into(), key },
        reason => TreeError::Unwritable { key, reason },
    }
}
