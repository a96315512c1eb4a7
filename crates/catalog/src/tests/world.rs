//! The stores under a catalog in tests, with counters, a fuse that "crashes" the process, and interruptions.

mod ranges;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use braid_kv::{KeyRange, Kv, KvError, Mode, Outcome, ScanOptions, Snapshot, Timestamp, Transaction};
use braid_tree::TreeFormat;
use braid_types::{ManualClock, SeededRandom, Time};
use bytes::Bytes;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use self::ranges::TestStorage;
use super::backend::Backend;
use crate::{Catalog, Components, Settings};

pub(super) use self::ranges::TestRanges;

/// What outlives a catalog.
#[derive(Clone)]
pub(super) struct World {
    pub(super) kv: Arc<dyn Kv>,
    pub(super) ranges: Arc<TestRanges>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) counters: Arc<Counters>,
    /// Runs once, just before the next transaction commits: what another process does at the worst moment.
    interruption: Arc<Mutex<Option<Interruption>>>,
    /// Runs once, just before the next transaction begins.
    before_begin: Arc<Mutex<Option<Interruption>>>,
    /// Rows that transactions read in place of what is there.
    pretended: Arc<Mutex<HashMap<Bytes, Bytes>>>,
    /// Whether results of requests are written.
    keeps_requests: Arc<AtomicBool>,
    /// Of so many commits that are carried out the reply is lost.
    lost_replies: Arc<AtomicU64>,
    delay: Arc<Mutex<Delay>>,
    seed: Arc<AtomicU64>,
    /// What catalogs take for a small directory.
    pub(super) small_directory: usize,
    /// How often catalogs write down how far an import is.
    pub(super) import_beat: Duration,
}

type Interruption = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

/// A commit whose reply is lost before it is carried out.
#[derive(Default)]
enum Delay {
    #[default]
    None,
    /// The next one is to be delayed.
    Next,
    /// It waits for the commit after it.
    Waiting(Box<dyn Transaction>),
}

#[derive(Default)]
pub(super) struct Counters {
    pub(super) gets: AtomicU64,
    pub(super) scans: AtomicU64,
    pub(super) metaranges: AtomicU64,
    pub(super) ranges: AtomicU64,
    pub(super) puts: AtomicU64,
    pub(super) commits: AtomicU64,
    /// Rows that scans gave.
    pub(super) rows: AtomicU64,
    /// Pessimistic transactions that began, and the keys that they held.
    pub(super) exclusive: AtomicU64,
    pub(super) holds: AtomicU64,
    /// Keys that transactions wrote or removed.
    pub(super) mutations: AtomicU64,
}

/// Burns one step at each call of a store; burnt down, every call fails: the process is "dead".
pub(super) struct Fuse {
    left: AtomicI64,
}

impl Fuse {
    pub(super) fn set(&self, steps: i64) {
        self.left.store(steps, Ordering::SeqCst);
    }

    pub(super) fn off(&self) {
        self.set(i64::MAX / 2);
    }

    pub(super) fn is_burnt(&self) -> bool {
        self.left.load(Ordering::SeqCst) <= 0
    }

    /// Whether this step is the last one before death.
    fn burn(&self) -> Step {
        match self.left.fetch_sub(1, Ordering::SeqCst) {
            1 => Step::Last,
            left if left > 1 => Step::Alive,
            _ => Step::Dead,
        }
    }
}

#[derive(PartialEq)]
enum Step {
    Alive,
    /// Done, but the caller never hears of it.
    Last,
    Dead,
}

fn dead() -> KvError {
    KvError::Unavailable { cause: "the process is dead".into() }
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Time::from_seconds(1_700_000_000)));
        let fuse = Arc::new(Fuse { left: AtomicI64::new(i64::MAX / 2) });
        let counters = Arc::new(Counters::default());
        let ranges = TestRanges {
            files: Mutex::default(),
            manifest: Mutex::default(),
            fuse: Arc::clone(&fuse),
            counters: Arc::clone(&counters),
        };
        Self {
            kv: Backend::chosen().open(clock.clone()).await,
            ranges: Arc::new(ranges),
            clock,
            fuse,
            counters,
            interruption: Arc::default(),
            before_begin: Arc::default(),
            pretended: Arc::default(),
            keeps_requests: Arc::new(AtomicBool::new(true)),
            lost_replies: Arc::default(),
            delay: Arc::default(),
            seed: Arc::new(AtomicU64::new(1)),
            small_directory: Settings::default().small_directory,
            import_beat: Duration::from_secs(3600),
        }
    }

    /// Lets `interruption` happen just before the next transaction commits.
    pub(super) fn interrupt<F>(&self, interruption: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        *self.interruption.lock() = Some(Box::new(|| Box::pin(interruption())));
    }

    /// Lets `interruption` happen just before the next transaction begins.
    pub(super) fn interrupt_begin<F>(&self, interruption: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        *self.before_begin.lock() = Some(Box::new(|| Box::pin(interruption())));
    }

    /// Lets transactions read this row, whatever is there.
    pub(super) fn pretend(&self, key: Bytes, row: Bytes) {
        self.pretended.lock().insert(key, row);
    }

    pub(super) fn pretend_nothing(&self) {
        self.pretended.lock().clear();
    }

    /// Whether transactions write the results of requests.
    pub(super) fn keep_requests(&self, keep: bool) {
        self.keeps_requests.store(keep, Ordering::SeqCst);
    }

    /// Loses the replies of the next commits, which are carried out.
    pub(super) fn lose_replies(&self, count: u64) {
        self.lost_replies.store(count, Ordering::SeqCst);
    }

    /// Gives up the next commit as one whose fate is not known, and hands it to the store just before the one after it.
    pub(super) fn delay_next_commit(&self) {
        *self.delay.lock() = Delay::Next;
    }

    pub(super) fn has_delayed_commit(&self) -> bool {
        !matches!(*self.delay.lock(), Delay::None)
    }

    /// Another process on the same stores.
    pub(super) fn catalog(&self) -> Catalog {
        let kv = TestKv { inner: Arc::clone(&self.kv), world: self.clone() };
        let parts = Components {
            kv: Arc::new(kv),
            storage: Arc::new(TestStorage(Arc::clone(&self.ranges))),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.seed.fetch_add(1, Ordering::Relaxed))),
        };
        let mut format = TreeFormat::version(1).expect("version 1 exists");
        (format.min_bytes, format.max_bytes, format.break_one_in) = (400, 2_000, 3);
        let settings = Settings {
            tree_format: Some(format),
            attempts: 400,
            small_directory: self.small_directory,
            import_beat: self.import_beat,
            ..Settings::default()
        };
        Catalog::new(parts, settings)
    }
}

struct TestKv {
    inner: Arc<dyn Kv>,
    world: World,
}

struct TestSnapshot {
    inner: Arc<dyn Snapshot>,
    world: World,
}

struct TestTransaction {
    inner: Box<dyn Transaction>,
    world: World,
}

type Rows = Result<Vec<(Bytes, Bytes)>, KvError>;

impl World {
    fn burn(&self) -> Result<(), KvError> {
        if self.fuse.burn() == Step::Alive { Ok(()) } else { Err(dead()) }
    }

    fn get(&self) -> Result<(), KvError> {
        self.counters.gets.fetch_add(1, Ordering::Relaxed);
        self.burn()
    }

    fn scan(&self) -> Result<(), KvError> {
        self.counters.scans.fetch_add(1, Ordering::Relaxed);
        self.burn()
    }

    fn scanned(&self, rows: Rows) -> Rows {
        self.counters.rows.fetch_add(rows.as_ref().map_or(0, Vec::len) as u64, Ordering::Relaxed);
        rows
    }

    fn mutate(&self) {
        self.counters.mutations.fetch_add(1, Ordering::Relaxed);
    }

    fn snapshot(&self, inner: Arc<dyn Snapshot>) -> Arc<dyn Snapshot> {
        Arc::new(TestSnapshot { inner, world: self.clone() })
    }
}

#[async_trait]
impl Kv for TestKv {
    async fn snapshot(&self) -> Result<Arc<dyn Snapshot>, KvError> {
        self.world.burn()?;
        Ok(self.world.snapshot(self.inner.snapshot().await?))
    }

    async fn snapshot_at(&self, timestamp: Timestamp) -> Result<Arc<dyn Snapshot>, KvError> {
        Ok(self.world.snapshot(self.inner.snapshot_at(timestamp).await?))
    }

    async fn begin(&self, mode: Mode) -> Result<Box<dyn Transaction>, KvError> {
        let interruption = self.world.before_begin.lock().take();
        if let Some(interruption) = interruption {
            interruption().await;
        }
        self.world.burn()?;
        if mode == Mode::Pessimistic {
            self.world.counters.exclusive.fetch_add(1, Ordering::Relaxed);
        }
        Ok(Box::new(TestTransaction { inner: self.inner.begin(mode).await?, world: self.world.clone() }))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        self.world.burn()?;
        self.inner.destroy(range).await
    }

    async fn collect_garbage(&self) -> Result<(), KvError> {
        self.world.burn()?;
        self.inner.collect_garbage().await
    }

    fn lanes(&self) -> u16 {
        self.inner.lanes()
    }

    fn max_snapshot_age(&self) -> Duration {
        self.inner.max_snapshot_age()
    }

    async fn close(&self) {
        self.inner.close().await;
    }
}

#[async_trait]
impl Snapshot for TestSnapshot {
    fn timestamp(&self) -> Timestamp {
        self.inner.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.world.get()?;
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        self.world.get()?;
        self.inner.get_many(keys).await
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.world.scan()?;
        self.world.scanned(self.inner.scan(range, options).await)
    }

    fn pin(&self) {
        self.inner.pin();
    }
}

#[async_trait]
impl Transaction for TestTransaction {
    fn timestamp(&self) -> Timestamp {
        self.inner.timestamp()
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, KvError> {
        self.world.get()?;
        let pretended = self.world.pretended.lock().get(key).cloned();
        match pretended {
            Some(row) => Ok(Some(row)),
            None => self.inner.get(key).await,
        }
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        self.world.get()?;
        let read = self.inner.get_many(keys).await?;
        let pretended = self.world.pretended.lock();
        Ok(keys.iter().zip(read).map(|(key, read)| pretended.get(key).cloned().or(read)).collect())
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.world.scan()?;
        self.world.scanned(self.inner.scan(range, options).await)
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        if key.starts_with(b"q") && !self.world.keeps_requests.load(Ordering::SeqCst) {
            return;
        }
        self.world.mutate();
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Bytes) {
        self.world.mutate();
        self.inner.delete(key);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        self.world.mutate();
        self.inner.insert(key, value);
    }

    fn lock(&mut self, key: Bytes) {
        self.inner.lock(key);
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        self.world.burn()?;
        self.world.counters.holds.fetch_add(1, Ordering::Relaxed);
        self.inner.lock_for_update(key, wait).await
    }

    async fn commit(self: Box<Self>) -> Outcome {
        self.world.counters.commits.fetch_add(1, Ordering::Relaxed);
        let interruption = self.world.interruption.lock().take();
        if let Some(interruption) = interruption {
            interruption().await;
        }
        let delayed = std::mem::take(&mut *self.world.delay.lock());
        match delayed {
            Delay::None => {}
            Delay::Next => {
                *self.world.delay.lock() = Delay::Waiting(self.inner);
                return Outcome::Unknown("the request is delayed".into());
            }
            // It may be too late for it.
            Delay::Waiting(late) => drop(late.commit().await),
        }
        match self.world.fuse.burn() {
            Step::Alive => {
                let outcome = self.inner.commit().await;
                let is_lost = |left: u64| left.checked_sub(1);
                let lost = matches!(outcome, Outcome::Committed(_))
                    && self
                        .world
                        .lost_replies
                        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, is_lost)
                        .is_ok();
                if lost { Outcome::Unknown("the reply was lost".into()) } else { outcome }
            }
            Step::Last => match self.inner.commit().await {
                Outcome::Committed(_) => Outcome::Unknown("the reply was lost".into()),
                other => other,
            },
            Step::Dead => Outcome::Refused(dead()),
        }
    }
}
