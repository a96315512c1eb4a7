//! The store: opening, reading, writing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use braid_types::Clock;
use bytes::Bytes;
use parking_lot::Mutex;

use super::change::{self as put, Answer, Change, Condition, Place};
use super::content::Content;
use super::disk::DiskFiles;
use super::error::{LocalError, OpenError};
use super::files::Files;
use super::index::{Index, Snapshot};
use super::listing::{self, Listed, ListingQuery};
use super::pins::Pins;
use super::record::{Attributes, FileId, StoredObject};
use super::small;
use super::sweep;
use super::upload::{Upload, Written};
use super::writer::Writer;
use crate::{MAX_PAGE, ObjectError, Page, check_key};

/// Objects on a local disk. What it acknowledges outlives a crash of the process and of the machine.
#[derive(Debug)]
pub struct LocalStore {
    files: Arc<dyn Files>,
    index: Arc<Index>,
    pins: Arc<Pins>,
    clock: Arc<dyn Clock>,
    small: usize,
    boot: u64,
    next_number: AtomicU64,
    /// Present until the store is dropped.
    writer: Option<Writer>,
    stop: Arc<AtomicBool>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl LocalStore {
    /// Opens the store in the folder `root`, or makes it. One process at a time can have it open. Blocks for as
    /// long as that takes; what an earlier process left behind is removed in the background.
    ///
    /// # Errors
    /// [`OpenError`] if the disk fails, or another process has the store open.
    pub fn open(root: &Path, clock: Arc<dyn Clock>) -> Result<Arc<Self>, OpenError> {
        Self::open_in(Arc::new(DiskFiles::open(root)?), clock, small::MOST_BYTES)
    }

    /// Opens the store on `files`. The content of objects of at most `small` bytes is kept in the index.
    pub(crate) fn open_in(
        files: Arc<dyn Files>,
        clock: Arc<dyn Clock>,
        small: usize,
    ) -> Result<Arc<Self>, OpenError> {
        for dir in ["tmp".to_owned(), "content".to_owned()].into_iter().chain(sweep::shards()) {
            files.create_dir(&dir)?;
        }
        files.sync_dir("content")?;
        let (index, boot) = Index::open(Arc::clone(&files))?;
        files.sync_dir("")?;
        let index = Arc::new(index);
        let stop = Arc::new(AtomicBool::new(false));
        let (pins, remover) = start_remover(&files, &index, boot, &stop)?;
        let (writer, index_thread) = Writer::start(Arc::clone(&index), Arc::clone(&pins))?;
        Ok(Arc::new(Self {
            files,
            index,
            pins,
            clock,
            small,
            boot,
            next_number: AtomicU64::new(0),
            writer: Some(writer),
            stop,
            threads: Mutex::new(vec![index_thread, remover]),
        }))
    }

    /// Waits until everything is off the disk that nobody names or reads: what earlier processes left, and what
    /// was replaced or removed so far.
    pub async fn settled(&self) {
        self.pins.settled().await;
    }

    /// Begins to write content for an object at `key`.
    pub(crate) fn upload(&self, key: &str) -> Result<Upload, ObjectError> {
        self.begin_upload(key, self.small)
    }

    /// Begins to write content for a part of an object at `key`.
    pub(crate) fn upload_part(&self, key: &str) -> Result<Upload, ObjectError> {
        self.begin_upload(key, 0)
    }

    fn begin_upload(&self, key: &str, small: usize) -> Result<Upload, ObjectError> {
        check_key(key)?;
        let file = FileId { boot: self.boot, number: self.number() };
        Ok(Upload::begin(key, Arc::clone(&self.files), file, self.pins.guard(file), small))
    }

    /// Makes content the object at a place, if `condition` holds there; answers its entity tag.
    pub(crate) async fn put(
        &self,
        bucket: &str,
        key: &str,
        written: Written,
        attributes: Attributes,
        condition: Condition,
    ) -> Result<String, LocalError> {
        let (size, etag) = (written.size(), written.etag());
        let content = match (written.small, written.guard) {
            (Some(small), _) => put::Content::Small(small),
            (None, Some(file)) => put::Content::File(file),
            (None, None) => put::Content::Empty,
        };
        let object = StoredObject {
            size,
            etag,
            modified: self.now(),
            attributes,
            is_small: matches!(content, put::Content::Small(_)),
            content: written.segment.into_iter().collect(),
        };
        let etag = object.etag.clone();
        let place = place(bucket, key);
        self.change(Change::Put { place, object, condition, content }).await?;
        Ok(etag)
    }

    /// Describes an object. It takes one look into the index, which is in memory as a rule: for less than it takes to hand it to
    /// another thread.
    pub(crate) fn object(&self, bucket: &str, key: &str) -> Result<StoredObject, ObjectError> {
        check_key(key)?;
        let found = self.index.read(|snapshot| snapshot.object(bucket, key));
        let found = found.map_err(|error| unreadable(key, error.to_string()))?;
        found.ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })
    }

    /// Opens an object to read it, with one look into the index.
    pub(crate) fn content(&self, bucket: &str, key: &str) -> Result<Content, ObjectError> {
        check_key(key)?;
        let at = place(bucket, key);
        let pinned = self.pins.pin(|| self.index.read(|snapshot| with_content(snapshot, &at)));
        let (found, pinned) = pinned.map_err(|error| unreadable(key, error.to_string()))?;
        let (object, small) = found.ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })?;
        Ok(Content::new(key, object, small, Arc::clone(&self.files), pinned))
    }

    /// Removes what is at a place, if `condition` holds there.
    pub(crate) async fn delete(
        &self,
        bucket: &str,
        key: &str,
        condition: Condition,
    ) -> Result<(), LocalError> {
        check_key(key)?;
        self.change(Change::Delete { place: place(bucket, key), condition }).await?;
        Ok(())
    }

    /// Lists a bucket.
    pub(crate) async fn list(
        &self,
        bucket: &str,
        mut query: ListingQuery,
    ) -> Result<Page<Listed>, ObjectError> {
        query.limit = query.limit.clamp(1, MAX_PAGE);
        let (limit, prefix, bucket) = (query.limit, query.prefix.clone(), bucket.to_owned());
        let lines = self.look(&prefix, move |snapshot| listing::list(snapshot, &bucket, &query)).await?;
        Ok(Page::of(lines.into_iter(), limit, Listed::name))
    }

    /// The names of all buckets that hold something.
    pub(crate) async fn buckets(&self) -> Result<Vec<String>, ObjectError> {
        self.look("", listing::buckets).await
    }

    /// The time now, in seconds since 1970.
    pub(crate) fn now(&self) -> i64 {
        self.clock.now().seconds
    }

    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// Sweeps once more, on this thread.
    #[cfg(test)]
    pub(super) fn sweep_now(&self) {
        sweep::sweep(&*self.files, &self.index, self.boot, &AtomicBool::new(false));
    }

    /// A text that no other upload of this store has or had.
    pub(super) fn upload_id(&self) -> String {
        FileId { boot: self.boot, number: self.number() }.to_string()
    }

    pub(super) async fn change(&self, change: Change) -> Answer {
        let writer = self.writer.as_ref().expect("the writer is there until the store is dropped");
        writer.change(change).await
    }

    /// Looks into a snapshot of the index, on behalf of a request about `key`.
    pub(super) async fn look<T: Send + 'static>(
        &self,
        key: &str,
        look: impl FnOnce(&Snapshot) -> Result<T, redb::Error> + Send + 'static,
    ) -> Result<T, ObjectError> {
        let index = Arc::clone(&self.index);
        blocking(key, move || index.read(look)).await
    }

    fn number(&self) -> u64 {
        self.next_number.fetch_add(1, Ordering::Relaxed)
    }
}

impl Drop for LocalStore {
    /// Waits for the threads, so that the store can be opened again at once.
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.writer = None;
        self.pins.close();
        for thread in self.threads.lock().drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

fn start_remover(
    files: &Arc<dyn Files>,
    index: &Arc<Index>,
    boot: u64,
    stop: &Arc<AtomicBool>,
) -> std::io::Result<(Arc<Pins>, JoinHandle<()>)> {
    let (swept, index, stop) = (Arc::clone(files), Arc::clone(index), Arc::clone(stop));
    Pins::start(Arc::clone(files), move || sweep::sweep(&*swept, &index, boot, &stop))
}

pub(super) fn place(bucket: &str, key: &str) -> Place {
    Place { bucket: bucket.to_owned(), key: key.to_owned() }
}

type Found = Option<(StoredObject, Option<Bytes>)>;

/// What is at a place, its content if that is small, and the files in which it is if not.
fn with_content(snapshot: &Snapshot, at: &Place) -> Result<(Found, Vec<FileId>), redb::Error> {
    let Some(object) = snapshot.object(&at.bucket, &at.key)? else {
        return Ok((None, Vec::new()));
    };
    let small = object.is_small.then(|| snapshot.small(&at.bucket, &at.key)).transpose()?;
    let files = object.content.iter().map(|segment| segment.file).collect();
    Ok((Some((object, small)), files))
}

async fn blocking<T: Send + 'static>(
    key: &str,
    look: impl FnOnce() -> Result<T, redb::Error> + Send + 'static,
) -> Result<T, ObjectError> {
    let done = tokio::task::spawn_blocking(look).await;
    let done = done.map_err(|error| unreadable(key, error.to_string()))?;
    done.map_err(|error| unreadable(key, error.to_string()))
}

fn unreadable(key: &str, reason: String) -> ObjectError {
    ObjectError::Io { key: key.to_owned(), reason }
}
