//! A walk over a tree that sees ranges before it opens them, so that they can be skipped.

use std::mem;
use std::sync::Arc;

use braid_types::RangeId;
use bytes::{Bytes, BytesMut};

use crate::range_file::open_described;
use crate::{Metarange, RangeDescriptor, RangeStore, Record, TreeError, TreeId, Value, open_tree};

/// Keys are copied into pieces of memory of about this size, so that not each of them is an allocation.
const KEY_CHUNK_BYTES: usize = 4096;

/// A seek decodes a block again; a record that is near is cheaper to step to.
const STEPS_BEFORE_SEEK: usize = 16;

/// Walks a tree in key order. It is [ready](Self::ready) once its metarange is open.
pub(crate) struct Walk {
    store: Arc<dyn RangeStore>,
    tree: TreeId,
    metarange: Option<Arc<Metarange>>,
    /// The range at which the walk stands, entered or not.
    index: usize,
    /// If the range is not entered: the walk goes on at its first key from here on.
    from: Option<Bytes>,
    /// The walk ends before this key.
    until: Option<Bytes>,
    /// The range that was entered last.
    open: Option<OpenRange>,
    /// The record at which the walk stands, if it has entered the range.
    head: Option<Record>,
}

/// Where a walk stands.
pub(crate) enum Position<'a> {
    /// Before a range that is not entered. Some of its first records may be out of the walk.
    Range(&'a RangeDescriptor),
    /// At a record.
    Record(&'a Record),
    /// Behind the last record.
    End,
}

impl<'a> Position<'a> {
    /// No record from here on has a lower key. `None` at the end.
    pub(crate) fn key(&self) -> Option<&'a Bytes> {
        match self {
            Self::Range(range) => Some(&range.min_key),
            Self::Record(record) => Some(&record.key),
            Self::End => None,
        }
    }

    pub(crate) fn is_range(&self) -> bool {
        matches!(self, Self::Range(_))
    }
}

impl Walk {
    /// A walk from the first record on. Nothing is read yet.
    pub(crate) fn new(store: Arc<dyn RangeStore>, tree: TreeId) -> Self {
        Self { store, tree, metarange: None, index: 0, from: None, until: None, open: None, head: None }
    }

    /// The tree that is walked.
    pub(crate) fn tree(&self) -> TreeId {
        self.tree
    }

    /// Ends the walk before `key`.
    pub(crate) fn end_before(&mut self, key: Bytes) {
        self.until = Some(key);
    }

    /// Opens the metarange. Everything else that looks at the tree needs this first.
    pub(crate) async fn ready(&mut self) -> Result<(), TreeError> {
        if self.metarange.is_some() {
            return Ok(());
        }
        self.metarange = Some(open_tree(&*self.store, self.tree).await?);
        match self.from.take() {
            Some(key) => self.seek(key),
            None => Ok(()),
        }
    }

    pub(crate) fn position(&self) -> Position<'_> {
        let position = match (&self.head, self.ranges().get(self.index)) {
            (Some(record), _) => Position::Record(record),
            (None, Some(range)) => Position::Range(range),
            (None, None) => Position::End,
        };
        match (position.key(), &self.until) {
            (Some(key), Some(until)) if key >= until => Position::End,
            _ => position,
        }
    }

    /// The range that was entered last.
    pub(crate) fn entered(&self) -> Option<RangeId> {
        self.open.as_ref().map(|open| open.id)
    }

    /// Opens the range before which the walk stands and goes to its first record.
    pub(crate) async fn enter(&mut self) -> Result<(), TreeError> {
        let entered = self.open.take();
        let range = &self.ranges()[self.index];
        let open = match entered {
            Some(open) if open.id == range.id => open,
            _ => OpenRange::open(&*self.store, range).await?,
        };
        let open = self.open.insert(open);
        let Some(first) = open.seek(self.from.as_deref())? else {
            return Err(TreeError::corrupt(open.id, "it ends before its greatest key"));
        };
        self.head = Some(first);
        self.from = None;
        Ok(())
    }

    /// Passes over the range before which the walk stands.
    pub(crate) fn skip_range(&mut self) {
        debug_assert!(self.head.is_none(), "the range is not entered");
        self.index += 1;
        self.from = None;
    }

    /// Takes the record at which the walk stands.
    pub(crate) fn take(&mut self) -> Result<Record, TreeError> {
        let open = self.open.as_mut().expect("a record is in an entered range");
        let next = open.next()?;
        if next.is_none() {
            self.index += 1;
        }
        Ok(mem::replace(&mut self.head, next).expect("the walk stands at a record"))
    }

    /// Goes before the first record from `key` on, forwards or backwards. Opens nothing.
    pub(crate) fn seek(&mut self, key: Bytes) -> Result<(), TreeError> {
        let Some(metarange) = &self.metarange else {
            self.from = Some(key);
            return Ok(());
        };
        let index = metarange.position(&key);
        let is_entered = self.head.take().is_some() && index == self.index;
        self.index = index;
        self.from = None;
        if metarange.ranges().get(index).is_none_or(|range| range.min_key >= key) {
            return Ok(());
        }
        self.from = Some(key);
        if let (Some(open), true) = (&mut self.open, is_entered) {
            self.head = open.seek(self.from.as_deref())?;
            self.from = None;
        }
        Ok(())
    }

    /// Goes forward to the first record from `key` on, if the walk is not there or behind it already.
    pub(crate) fn seek_forward(&mut self, key: &Bytes) -> Result<(), TreeError> {
        for _ in 0..STEPS_BEFORE_SEEK {
            match self.position() {
                Position::Record(record) if record.key < key => self.take()?,
                _ => break,
            };
        }
        match self.position().key() {
            Some(here) if here < key => self.seek(key.clone()),
            _ => Ok(()),
        }
    }

    /// The record of `key`, which is not before where the walk stands; the walk goes there.
    pub(crate) async fn find(&mut self, key: &Bytes) -> Result<Option<Record>, TreeError> {
        self.seek_forward(key)?;
        if matches!(self.position(), Position::Range(range) if range.min_key <= key) {
            self.enter().await?;
        }
        match self.position() {
            Position::Record(record) if record.key == key => Ok(Some(record.clone())),
            _ => Ok(None),
        }
    }

    fn ranges(&self) -> &[RangeDescriptor] {
        self.metarange.as_ref().expect("the walk is ready").ranges()
    }
}

/// A range whose records are read.
struct OpenRange {
    id: RangeId,
    cursor: braid_sstable::Cursor,
    keys: BytesMut,
}

impl OpenRange {
    async fn open(store: &dyn RangeStore, range: &RangeDescriptor) -> Result<Self, TreeError> {
        let cursor = open_described(store, range).await?.cursor();
        Ok(Self { id: range.id, cursor, keys: BytesMut::new() })
    }

    /// The first record, or the first from a key on.
    fn seek(&mut self, from: Option<&[u8]>) -> Result<Option<Record>, TreeError> {
        match from {
            Some(key) => {
                self.cursor.seek(key).map_err(|corruption| TreeError::corruption(self.id, &corruption))?;
            }
            None => self.cursor.seek_to_first(),
        }
        self.next()
    }

    fn next(&mut self) -> Result<Option<Record>, TreeError> {
        let next = self.cursor.next().map_err(|corruption| TreeError::corruption(self.id, &corruption))?;
        let Some((key, _)) = next else {
            return Ok(None);
        };
        let key = copy_key(&mut self.keys, key);
        let value = self.cursor.value().expect("the cursor is at a record");
        match Value::from_bytes(value) {
            Ok(value) => Ok(Some(Record { key, value })),
            Err(error) => {
                Err(TreeError::corrupt(self.id, format!("value of '{}': {error}", key.escape_ascii())))
            }
        }
    }
}

fn copy_key(keys: &mut BytesMut, key: &[u8]) -> Bytes {
    if keys.capacity() < key.len() {
        keys.reserve(key.len().max(KEY_CHUNK_BYTES));
    }
    keys.extend_from_slice(key);
    keys.split().freeze()
}
