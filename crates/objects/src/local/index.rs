//! The index: which objects there are and what they are made of. One redb database.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::RwLock;
use redb::{Database, ReadableDatabase, ReadableTable, Table, TableDefinition};

use super::error::OpenError;
use super::files::Files;
use super::record::{FileId, StoredObject, StoredPart, StoredUpload, decode};
use super::small;

const PATH: &str = "index.redb";

/// Bucket and key → [`StoredObject`].
const OBJECTS: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("objects");
/// Bucket, key and upload id → [`StoredUpload`].
const UPLOADS: TableDefinition<(&str, &str, &str), &[u8]> = TableDefinition::new("uploads");
/// Upload id and part number → [`StoredPart`].
const PARTS: TableDefinition<(&str, u16), &[u8]> = TableDefinition::new("parts");
/// Every content file that an object or a part names.
const FILES: TableDefinition<(u64, u64), ()> = TableDefinition::new("files");
/// Bucket and key of a small object → its [content](super::small).
const SMALL: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("small");
/// Counters.
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");
/// How often the store was opened.
const BOOT: &str = "boot";
/// How many batches were committed.
const BATCH: &str = "batch";

/// The index, open. It is opened anew after a failed write, because redb then refuses everything.
#[derive(Debug)]
pub(super) struct Index {
    files: Arc<dyn Files>,
    open: RwLock<Option<Open>>,
}

/// The database, and its state as of the last commit: to open a snapshot takes longer than most reads of it.
#[derive(Debug)]
struct Open {
    database: Database,
    newest: Snapshot,
}

/// The tables in a write transaction.
pub(super) struct Tables<'t> {
    pub(super) objects: Table<'t, (&'static str, &'static str), &'static [u8]>,
    pub(super) uploads: Table<'t, (&'static str, &'static str, &'static str), &'static [u8]>,
    pub(super) parts: Table<'t, (&'static str, u16), &'static [u8]>,
    pub(super) files: Table<'t, (u64, u64), ()>,
    pub(super) small: Table<'t, (&'static str, &'static str), &'static [u8]>,
}

/// The tables in a snapshot.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) objects: redb::ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    pub(super) uploads: redb::ReadOnlyTable<(&'static str, &'static str, &'static str), &'static [u8]>,
    pub(super) parts: redb::ReadOnlyTable<(&'static str, u16), &'static [u8]>,
    pub(super) files: redb::ReadOnlyTable<(u64, u64), ()>,
    pub(super) small: redb::ReadOnlyTable<(&'static str, &'static str), &'static [u8]>,
    counters: redb::ReadOnlyTable<&'static str, u64>,
}

/// A write that failed.
#[derive(Debug)]
pub(super) struct WriteError {
    pub(super) cause: Box<redb::Error>,
    /// Whether it may have been carried out all the same.
    pub(super) may_have_happened: bool,
}

impl Index {
    /// Opens the index and answers how often that was done, this time included.
    pub(super) fn open(files: Arc<dyn Files>) -> Result<(Self, u64), OpenError> {
        let database = files.open_index(PATH)?;
        let boot = count_opening(&database).map_err(|error| OpenError::Write(Box::new(error)))?;
        let newest = Snapshot::of(&database).map_err(|error| OpenError::Write(Box::new(error)))?;
        Ok((Self { files, open: RwLock::new(Some(Open { database, newest })) }, boot))
    }

    /// Runs `look` on the state as of the last commit.
    pub(super) fn read<T>(
        &self,
        look: impl FnOnce(&Snapshot) -> Result<T, redb::Error>,
    ) -> Result<T, redb::Error> {
        self.reopen_if_closed()?;
        let open = self.open.read();
        look(&open.as_ref().ok_or(redb::Error::DatabaseClosed)?.newest)
    }

    /// Runs `change` and makes what it did durable, all or nothing. To be called by one thread only.
    pub(super) fn write<T>(
        &self,
        change: impl FnOnce(&mut Tables<'_>) -> Result<T, redb::Error>,
    ) -> Result<T, WriteError> {
        let before = self.batches().map_err(nothing_happened)?;
        let outcome = match self.open.read().as_ref() {
            Some(open) => commit(&open.database, before + 1, change),
            None => return Err(nothing_happened(redb::Error::DatabaseClosed)),
        };
        let outcome = outcome.and_then(|answer| self.show_newest().map(|()| answer));
        outcome.map_err(|cause| {
            // A commit that failed may still be seen in the page cache, and be on the disk or not: only what is
            // not even seen did not happen.
            *self.open.write() = None;
            let may_have_happened = self.batches().map_or(true, |after| after != before);
            WriteError { cause: Box::new(cause), may_have_happened }
        })
    }

    fn batches(&self) -> Result<u64, redb::Error> {
        self.read(|snapshot| Ok(snapshot.counters.get(BATCH)?.map_or(0, |count| count.value())))
    }

    /// Lets readers see the last commit.
    fn show_newest(&self) -> Result<(), redb::Error> {
        let mut open = self.open.write();
        let open = open.as_mut().ok_or(redb::Error::DatabaseClosed)?;
        open.newest = Snapshot::of(&open.database)?;
        Ok(())
    }

    fn reopen_if_closed(&self) -> Result<(), redb::Error> {
        if self.open.read().is_some() {
            return Ok(());
        }
        let mut open = self.open.write();
        if open.is_none() {
            let database = self.files.open_index(PATH)?;
            let newest = Snapshot::of(&database)?;
            *open = Some(Open { database, newest });
        }
        Ok(())
    }
}

fn nothing_happened(cause: redb::Error) -> WriteError {
    WriteError { cause: Box::new(cause), may_have_happened: false }
}

fn commit<T>(
    database: &Database,
    batch: u64,
    change: impl FnOnce(&mut Tables<'_>) -> Result<T, redb::Error>,
) -> Result<T, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    let answer = {
        transaction.open_table(COUNTERS)?.insert(BATCH, batch)?;
        change(&mut Tables {
            objects: transaction.open_table(OBJECTS)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            files: transaction.open_table(FILES)?,
            small: transaction.open_table(SMALL)?,
        })?
    };
    transaction.commit()?;
    Ok(answer)
}

/// Makes all tables, so that a snapshot finds them, and counts this opening.
fn count_opening(database: &Database) -> Result<u64, redb::Error> {
    let mut transaction = database.begin_write()?;
    transaction.set_quick_repair(true);
    transaction.open_table(OBJECTS)?;
    transaction.open_table(UPLOADS)?;
    transaction.open_table(PARTS)?;
    transaction.open_table(FILES)?;
    transaction.open_table(SMALL)?;
    let boot = {
        let mut counters = transaction.open_table(COUNTERS)?;
        let boot = counters.get(BOOT)?.map_or(0, |count| count.value()) + 1;
        counters.insert(BOOT, boot)?;
        boot
    };
    transaction.commit()?;
    Ok(boot)
}

/// Whether the disk had no room for a write of the index.
pub(super) fn is_full(error: &redb::Error) -> bool {
    use std::io::ErrorKind::{QuotaExceeded, StorageFull};
    matches!(error, redb::Error::Io(error) if matches!(error.kind(), StorageFull | QuotaExceeded))
}

impl Snapshot {
    /// The state as of the last commit.
    fn of(database: &Database) -> Result<Self, redb::Error> {
        let transaction = database.begin_read()?;
        Ok(Self {
            objects: transaction.open_table(OBJECTS)?,
            uploads: transaction.open_table(UPLOADS)?,
            parts: transaction.open_table(PARTS)?,
            files: transaction.open_table(FILES)?,
            small: transaction.open_table(SMALL)?,
            counters: transaction.open_table(COUNTERS)?,
        })
    }

    pub(super) fn object(&self, bucket: &str, key: &str) -> Result<Option<StoredObject>, redb::Error> {
        self.objects.get((bucket, key))?.map(|bytes| decode(bytes.value())).transpose()
    }

    /// The content of a small object.
    pub(super) fn small(&self, bucket: &str, key: &str) -> Result<Bytes, redb::Error> {
        let stored = self.small.get((bucket, key))?;
        let content = stored.and_then(|stored| small::read(stored.value()));
        content.ok_or_else(|| redb::Error::Corrupted(format!("content of '{key}' in bucket '{bucket}'")))
    }

    pub(super) fn upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
    ) -> Result<Option<StoredUpload>, redb::Error> {
        self.uploads.get((bucket, key, upload))?.map(|bytes| decode(bytes.value())).transpose()
    }

    /// The parts of an upload, numbers above `after`, in order.
    pub(super) fn parts(
        &self,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<Vec<(u16, StoredPart)>, redb::Error> {
        let mut parts = Vec::new();
        for row in self.parts.range((upload, after.saturating_add(1))..=(upload, u16::MAX))?.take(limit) {
            let (at, bytes) = row?;
            parts.push((at.value().1, decode(bytes.value())?));
        }
        Ok(parts)
    }

    pub(super) fn names(&self, file: FileId) -> Result<bool, redb::Error> {
        Ok(self.files.get((file.boot, file.number))?.is_some())
    }
}
