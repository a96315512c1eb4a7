//! The embedded store: one [redb](https://docs.rs/redb) file, one writer.
//!
//! * A *view* is a redb read transaction. Every snapshot and every transaction reads one, in place: a read takes
//!   microseconds and never waits for a writer.
//! * A transaction keeps its writes to itself until it commits. One *writer* thread takes all commits that wait,
//!   checks each against the *history* (which keys were committed when, as far back as the oldest open transaction
//!   reads), applies those that pass in one redb transaction, syncs once, publishes the new view, and answers them
//!   all. So a sync is shared by as many commits as came in during the one before.
//! * Keys held for update are in a lock table in memory: they end with the process, as do the transactions.
//!
//! A commit is answered only after its sync. When writing fails, what was certainly not written is refused, what may
//! have been is unknown, and the store takes no more writes until it is opened again: after a failed sync nobody
//! knows what the disk holds.

mod file;
mod format;
mod history;
mod job;
mod record;
mod shared;
mod view;
mod writer;

#[cfg(test)]
mod tests;

use crate::{
    KeyRange, Kv, KvError, Limits, Mode, Outcome, Snapshot, Timestamp, Transaction,
    locks::Owner,
    transaction::{BufferedTransaction, Engine},
    writes::Writes,
};
use async_trait::async_trait;
use braid_types::{Clock, Random};
use job::{CommitJob, DestroyJob, Job, Reply};
use parking_lot::Mutex;
use redb::StorageBackend;
use shared::{Length, Open, Shared};
use std::{
    path::Path,
    sync::{Arc, mpsc},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;
use writer::Writer;

/// How many lanes a fence has: more than the writers that one process usually runs at once.
const LANES: u16 = 64;

/// How an [`Embedded`] store behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbeddedSettings {
    /// The largest transaction, and how many at once.
    pub limits: Limits,
    /// See [`Kv::max_snapshot_age`].
    pub max_snapshot_age: Duration,
    /// How many states may be pinned. Each keeps the pages it reads from being reused.
    pub pins: usize,
    /// By how many bytes the file may grow while a state is pinned, and at least to twice its length then: beyond that the state is
    /// let go of before its time, the oldest first.
    pub pinned_growth: u64,
    /// Bytes of the page cache.
    pub cache_bytes: usize,
}

impl Default for EmbeddedSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            max_snapshot_age: Duration::from_secs(600),
            pins: 1024,
            pinned_growth: 1 << 30,
            cache_bytes: 256 << 20,
        }
    }
}

/// A store in a file of this machine. Clones share it.
///
/// Once the last clone and the last transaction are gone the file is let go; that waits for a commit under way.
#[derive(Clone, Debug)]
pub struct Embedded(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store_id: [u8; 16],
    shared: Arc<Shared>,
    jobs: mpsc::Sender<Job>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl Embedded {
    /// Opens the store in the file `path`, or makes a new one there; its directory must exist. Blocks while a store
    /// that was not closed is made ready: milliseconds.
    ///
    /// # Errors
    /// [`KvError::InUse`] when the file is open, [`KvError::Format`] when a newer version wrote it,
    /// [`KvError::Corrupted`] when it is no store, [`KvError::Storage`] when the file system refuses.
    pub fn open(
        path: &Path,
        settings: EmbeddedSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, KvError> {
        let backend = file::open(path, random)?;
        let length = file::length_of(path);
        Self::open_measured(backend, &path.display().to_string(), length, settings, clock, random)
    }

    /// Opens the store kept by `backend`, called `"backend"` in errors: for tests on disks that fail.
    ///
    /// # Errors
    /// As [`open`](Embedded::open).
    #[cfg(feature = "testing")]
    pub fn open_backend(
        backend: impl StorageBackend,
        settings: EmbeddedSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, KvError> {
        Self::open_on(backend, "backend", settings, clock, random)
    }

    /// Opens the store kept by `backend`, called `name` in errors.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn open_on(
        backend: impl StorageBackend,
        name: &str,
        settings: EmbeddedSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, KvError> {
        Self::open_measured(backend, name, Box::new(|| 0), settings, clock, random)
    }

    fn open_measured(
        backend: impl StorageBackend,
        name: &str,
        length: Length,
        settings: EmbeddedSettings,
        clock: Arc<dyn Clock>,
        random: &dyn Random,
    ) -> Result<Self, KvError> {
        let database = redb::Builder::new().set_cache_size(settings.cache_bytes).create_with_backend(backend);
        let database = database.map_err(|error| format::open_error(error, &name))?;
        let store_id = format::prepare(&database, random)?;
        let shared = Arc::new(Shared::new(settings, clock, view::View::newest(&database)?, length));

        let (jobs, queue) = mpsc::channel();
        let writer = Writer::new(database, Arc::clone(&shared), queue);
        let thread = thread::Builder::new().name("braid-kv-writer".to_owned()).spawn(move || writer.run());
        let thread = thread.map_err(|error| KvError::Storage {
            operation: "start the writer thread",
            cause: error.to_string(),
        })?;
        Ok(Self(Arc::new(Inner { store_id, shared, jobs, writer: Mutex::new(Some(thread)) })))
    }

    /// The random id that the store got when it was made.
    pub fn store_id(&self) -> [u8; 16] {
        self.0.store_id
    }
}

#[async_trait]
impl Kv for Embedded {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError> {
        self.0.shared.newest()
    }

    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        self.0.shared.at(timestamp)
    }

    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError> {
        let (state, open) = self.0.shared.open()?;
        let owner = self.0.shared.locks().owner();
        Ok(Box::new(BufferedTransaction::new(Arc::clone(&self.0), mode, state, owner, open)))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        self.0.shared.writable()?;
        while self.0.destroy_some(range.clone()).await? {}
        Ok(())
    }

    fn lanes(&self) -> u16 {
        LANES
    }

    fn max_snapshot_age(&self) -> Duration {
        self.0.shared.max_snapshot_age()
    }

    async fn close(&self) {
        self.0.shared.close();
        let (stopped, wait) = oneshot::channel();
        // When the writer is gone already, the receiver ends at once.
        let _ = self.0.jobs.send(Job::Stop(Some(stopped)));
        let _ = wait.await;
    }
}

#[async_trait]
impl Engine for Inner {
    type Open = Open;

    fn limits(&self) -> &Limits {
        self.shared.limits()
    }

    async fn settled(self: Arc<Self>, key: &[u8]) -> Result<Arc<dyn Snapshot>, KvError> {
        self.shared.settled(key).await
    }

    async fn commit(&self, writes: Writes, owner: Owner, open: Open) -> Outcome {
        let (reply, answer) = Reply::new();
        // A job that the writer does not take is dropped, and its reply says so.
        let _ = self.jobs.send(Job::Commit(CommitJob { writes, owner, open, reply }));
        answer.await.expect("a reply always answers")
    }
}

impl Inner {
    /// Removes some keys of the range; whether there may be more.
    async fn destroy_some(&self, range: KeyRange) -> Result<bool, KvError> {
        let (reply, answer) = oneshot::channel();
        let _ = self.jobs.send(Job::Destroy(DestroyJob { range, reply }));
        answer.await.unwrap_or(Err(KvError::Closed))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::Stop(None));
        if let Some(writer) = self.writer.lock().take() {
            // A writer that panicked has said so.
            let _ = writer.join();
        }
    }
}
