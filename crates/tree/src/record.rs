//! Records of a tree, and changes to them.

use braid_types::Entry;
use bytes::Bytes;

use crate::{EntryView, TreeError, Value};

/// One path of a tree and what it maps to. Clones share their bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The path's raw bytes.
    pub key: Bytes,
    /// Identity and entry in stored form.
    pub value: Value,
}

impl Record {
    /// The record that maps `path` to `entry`.
    pub fn new(path: impl Into<Bytes>, entry: &Entry) -> Self {
        Self { key: path.into(), value: Value::of(entry) }
    }

    /// Takes stored bytes as a record.
    ///
    /// # Errors
    /// [`TreeError::Malformed`] if the value is not well framed.
    pub fn from_stored(key: Bytes, value: Bytes) -> Result<Self, TreeError> {
        match Value::from_bytes(value) {
            Ok(value) => Ok(Self { key, value }),
            Err(reason) => Err(TreeError::Malformed { key, reason }),
        }
    }

    /// What makes two records of one path the same content.
    pub fn identity(&self) -> &[u8] {
        self.value.identity()
    }

    /// Decodes the entry.
    ///
    /// # Errors
    /// [`TreeError::Malformed`] if the data is not an entry.
    pub fn entry(&self) -> Result<Entry, TreeError> {
        self.entry_view().map(|view| view.to_entry())
    }

    /// Reads the entry in place.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub fn entry_view(&self) -> Result<EntryView<'_>, TreeError> {
        self.value.entry_view().map_err(|reason| TreeError::Malformed { key: self.key.clone(), reason })
    }
}

/// Whether two sides of a path are the same content, absence included.
pub(crate) fn same_content(left: Option<&Record>, right: Option<&Record>) -> bool {
    left.map(Record::identity) == right.map(Record::identity)
}

/// A path's new value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The path's raw bytes.
    pub key: Bytes,
    /// What it maps to from now on; `None` deletes it.
    pub value: Option<Value>,
}

impl Change {
    /// Maps `path` to `entry`.
    pub fn put(path: impl Into<Bytes>, entry: &Entry) -> Self {
        Record::new(path, entry).into()
    }

    /// Deletes `path`.
    pub fn delete(path: impl Into<Bytes>) -> Self {
        Self { key: path.into(), value: None }
    }
}

impl From<Record> for Change {
    fn from(record: Record) -> Self {
        Self { key: record.key, value: Some(record.value) }
    }
}
