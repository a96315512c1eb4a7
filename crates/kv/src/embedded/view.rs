//! One committed state of the file, and the snapshot over it.

use super::{
    format::{self, DATA, failure},
    record,
    shared::Shared,
};
use crate::{KeyRange, KvError, ScanOptions, Snapshot, Timestamp};
use async_trait::async_trait;
use braid_types::Time;
use bytes::{Bytes, BytesMut};
use redb::{AccessGuard, Database, ReadOnlyTable, ReadableDatabase, StorageError};
use std::sync::Arc;

/// A redb read transaction and the timestamp of what it reads.
pub(super) struct View {
    timestamp: Timestamp,
    data: ReadOnlyTable<&'static [u8], &'static [u8]>,
}

type Pair<'a> = (AccessGuard<'a, &'static [u8]>, AccessGuard<'a, &'static [u8]>);

impl View {
    /// The newest committed state.
    pub(super) fn newest(database: &Database) -> Result<Arc<Self>, KvError> {
        let read = database.begin_read().map_err(|error| failure("begin to read", error))?;
        let data = read.open_table(DATA).map_err(|error| failure("begin to read", error))?;
        Ok(Arc::new(Self { timestamp: format::last(&read)?, data }))
    }

    pub(super) fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        let value = self.data.get(key).map_err(|error| failure("read", error))?;
        value.map(|value| record::open(key, value.value()).map(Bytes::copy_from_slice)).transpose()
    }

    fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        if range.is_empty() {
            return Ok(Vec::new());
        }
        let pairs = self.data.range::<&[u8]>(range.bounds()).map_err(|error| failure("scan", error))?;
        if options.reverse { collect(pairs.rev(), options) } else { collect(pairs, options) }
    }
}

/// Copies the pairs into one piece of memory, which they share: an allocation for each would take longer than the scan.
fn collect<'a>(
    pairs: impl Iterator<Item = Result<Pair<'a>, StorageError>>,
    options: ScanOptions,
) -> Result<Vec<(Bytes, Bytes)>, KvError> {
    let (mut memory, mut lengths) = (BytesMut::new(), Vec::new());
    for pair in pairs.take(options.limit) {
        let (key, value) = pair.map_err(|error| failure("scan", error))?;
        let value = record::open(key.value(), value.value())?;
        let value = if options.keys_only { &[] } else { value };
        memory.extend_from_slice(key.value());
        memory.extend_from_slice(value);
        lengths.push((key.value().len(), value.len()));
    }
    let mut memory = memory.freeze();
    Ok(lengths.into_iter().map(|(key, value)| (memory.split_to(key), memory.split_to(value))).collect())
}

/// A view as the port shows it.
pub(super) struct EmbeddedSnapshot {
    pub(super) shared: Arc<Shared>,
    pub(super) view: Arc<View>,
    pub(super) taken: Time,
}

#[async_trait]
impl Snapshot for EmbeddedSnapshot {
    fn timestamp(&self) -> Timestamp {
        self.view.timestamp
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.shared.readable(self.view.timestamp, self.taken)?;
        self.view.get(key)
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        self.shared.readable(self.view.timestamp, self.taken)?;
        keys.iter().map(|key| self.view.get(key)).collect()
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.shared.readable(self.view.timestamp, self.taken)?;
        self.view.scan(range, options)
    }

    fn pin(&self) {
        self.shared.pin(&self.view, self.taken);
    }
}
