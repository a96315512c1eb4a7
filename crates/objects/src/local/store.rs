//! The store: opening, reading, writing.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;

use braid_types::Clock;
use parking_lot::Mutex;

use super::change::{Answer, Change, Condition, Place};
use super::content::Content;
use super::disk::DiskFiles;
use super::error::{LocalError, OpenError};
use super::files::Files;
use super::index::{Index, Snapshot};
use super::listing::{self, Listed, ListingQuery};
use super::pins::Pins;
use super::record::{Attributes, FileId, StoredObject};
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
        Self::open_in(Arc::new(DiskFiles::open(root)?), clock)
    }

    /// Opens the store on `files`.
    pub(crate) fn open_in(files: Arc<dyn Files>, clock: Arc<dyn Clock>) -> Result<Arc<Self>, OpenError> {
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
        check_key(key)?;
        let file = FileId { boot: self.boot, number: self.number() };
        Ok(Upload::begin(key, Arc::clone(&self.files), file, self.pins.guard(file)))
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
        let object = StoredObject {
            size: written.size(),
            etag: written.etag(),
            modified: self.now(),
            attributes,
            content: written.segment.into_iter().collect(),
        };
        let etag = object.etag.clone();
        let place = place(bucket, key);
        self.change(Change::Put { place, object, condition, content: written.guard }).await?;
        Ok(etag)
    }

    /// Describes an object.
    pub(crate) async fn object(&self, bucket: &str, key: &str) -> Result<StoredObject, ObjectError> {
        check_key(key)?;
        let at = place(bucket, key);
        let found = self.look(key, move |snapshot| snapshot.object(&at.bucket, &at.key)).await?;
        found.ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })
    }

    /// Opens an object to read it.
    pub(crate) async fn content(&self, bucket: &str, key: &str) -> Result<Content, ObjectError> {
        check_key(key)?;
        let (index, pins, at) = (Arc::clone(&self.index), Arc::clone(&self.pins), place(bucket, key));
        let pin =
            move || pins.pin(|| index.read(|snapshot| with_files(snapshot.object(&at.bucket, &at.key)?)));
        let (found, pinned) = blocking(key, pin).await?;
        let object = found.ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })?;
        Ok(Content::new(key, object, Arc::clone(&self.files), pinned))
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

type WithFiles = (Option<StoredObject>, Vec<FileId>);

fn with_files(object: Option<StoredObject>) -> Result<WithFiles, redb::Error> {
    let files = object.iter().flat_map(|object| &object.content).map(|segment| segment.file).collect();
    Ok((object, files))
}

async fn blocking<T: Send + 'static>(
    key: &str,
    look: impl FnOnce() -> Result<T, redb::Error> + Send + 'static,
) -> Result<T, ObjectError> {
    let failed = |reason| ObjectError::Io { key: key.to_owned(), reason };
    let done = tokio::task::spawn_blocking(look).await;
    done.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))
}
