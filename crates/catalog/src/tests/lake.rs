//! A catalog over stores in memory, with short calls for tests, counters, and a fuse that "crashes" it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use braid_kv::{
    KeyRange, Kv, KvError, Memory, MemorySettings, Mode, Outcome, ScanOptions, Snapshot, Timestamp,
    Transaction,
};
use braid_sstable::Table;
use braid_tree::{FileId, Metarange, RangeStore, Strategy, TreeError, TreeFormat, open_range};
use braid_types::{
    AddressType, BranchName, Code, CommitId, Entry, ManualClock, MetarangeId, ObjectPath, PathPrefix,
    RangeId, RefExpression, RepositoryName, RequestId, Result, SeededRandom, Time,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::*;

/// What a path holds in tests: a word that becomes the entry's checksum.
pub(super) type Content = BTreeMap<String, String>;

pub(super) struct Lake {
    pub(super) catalog: Catalog,
    pub(super) world: World,
}

/// What outlives a catalog.
#[derive(Clone)]
pub(super) struct World {
    pub(super) kv: Memory,
    pub(super) ranges: Arc<TestRanges>,
    pub(super) clock: Arc<ManualClock>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) counters: Arc<Counters>,
    /// Runs once, just before the next transaction commits: what another process does at the worst moment.
    interruption: Arc<Mutex<Option<Interruption>>>,
    seed: Arc<AtomicU64>,
}

type Interruption = Box<dyn FnOnce() -> BoxFuture<'static, ()> + Send>;

#[derive(Default)]
pub(super) struct Counters {
    pub(super) gets: AtomicU64,
    pub(super) scans: AtomicU64,
    pub(super) metaranges: AtomicU64,
    pub(super) ranges: AtomicU64,
    pub(super) puts: AtomicU64,
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
    pub(super) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Time::from_seconds(1_700_000_000)));
        let fuse = Arc::new(Fuse { left: AtomicI64::new(i64::MAX / 2) });
        let counters = Arc::new(Counters::default());
        let ranges =
            TestRanges { files: Mutex::default(), fuse: Arc::clone(&fuse), counters: Arc::clone(&counters) };
        Self {
            kv: Memory::new(MemorySettings::default(), clock.clone()),
            ranges: Arc::new(ranges),
            clock,
            fuse,
            counters,
            interruption: Arc::default(),
            seed: Arc::new(AtomicU64::new(1)),
        }
    }

    /// Lets `interruption` happen just before the next transaction commits.
    pub(super) fn interrupt<F>(&self, interruption: impl FnOnce() -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        *self.interruption.lock() = Some(Box::new(|| Box::pin(interruption())));
    }

    /// Another process on the same stores.
    pub(super) fn catalog(&self) -> Catalog {
        let kv = TestKv { inner: Arc::new(self.kv.clone()), world: self.clone() };
        let parts = Components {
            kv: Arc::new(kv),
            storage: Arc::new(TestStorage(Arc::clone(&self.ranges))),
            clock: self.clock.clone(),
            random: Arc::new(SeededRandom::new(self.seed.fetch_add(1, Ordering::Relaxed))),
        };
        let mut format = TreeFormat::version(1).expect("version 1 exists");
        (format.min_bytes, format.max_bytes, format.break_one_in) = (400, 2_000, 3);
        let settings = Settings { tree_format: Some(format), attempts: 400, ..Settings::default() };
        Catalog::new(parts, settings)
    }
}

pub(super) fn repo() -> RepositoryName {
    RepositoryName::new("lake").unwrap()
}

pub(super) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(super) fn expr(text: &str) -> RefExpression {
    RefExpression::parse(text).unwrap()
}

pub(super) fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

pub(super) fn entry(content: &str) -> Entry {
    Entry {
        address: format!("data/{content}"),
        address_type: AddressType::Relative,
        size: content.len() as u64,
        checksum: content.to_owned(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        mtime: Time::from_seconds(1),
    }
}

pub(super) fn put(at: &str, content: &str) -> StagedOperation {
    StagedOperation::Put { path: path(at), entry: entry(content), condition: Condition::Always }
}

pub(super) fn put_if_absent(at: &str, content: &str) -> StagedOperation {
    StagedOperation::Put { path: path(at), entry: entry(content), condition: Condition::IfAbsent }
}

pub(super) fn delete(at: &str) -> StagedOperation {
    StagedOperation::Delete { path: path(at) }
}

impl Lake {
    /// A repository `lake` with an empty branch `main`.
    pub(super) async fn new() -> Self {
        let world = World::new();
        let catalog = world.catalog();
        let create = CreateRepository {
            name: repo(),
            storage_namespace: "mem://lake".into(),
            default_branch: branch("main"),
        };
        let lake = Self { catalog, world };
        lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
        lake
    }

    /// The same stores, opened by a new process.
    pub(super) fn restarted(&self) -> Self {
        self.world.fuse.off();
        Self { catalog: self.world.catalog(), world: self.world.clone() }
    }

    pub(super) fn mutation(&self) -> Mutation {
        Mutation { principal: "tester".into(), request: RequestId::random(self.catalog.random()) }
    }

    pub(super) async fn stage(&self, on: &str, operations: &[StagedOperation]) -> Result<Vec<Applied>> {
        self.catalog.stage(&repo(), &branch(on), operations, &self.mutation()).await
    }

    pub(super) async fn put(&self, on: &str, at: &str, content: &str) {
        self.stage(on, &[put(at, content)]).await.unwrap();
    }

    pub(super) async fn delete(&self, on: &str, at: &str) {
        self.stage(on, &[delete(at)]).await.unwrap();
    }

    pub(super) fn commit_request(&self, on: &str, message: &str) -> CommitRequest {
        CommitRequest {
            branch: branch(on),
            committer: "tester".into(),
            message: message.into(),
            metadata: BTreeMap::new(),
            time: None,
            allow_empty: false,
        }
    }

    pub(super) async fn try_commit(&self, on: &str) -> Result<CommitId> {
        self.world.clock.advance(Duration::from_secs(1));
        self.catalog.commit(&repo(), &self.commit_request(on, "commit"), &self.mutation()).await
    }

    pub(super) async fn commit(&self, on: &str) -> CommitId {
        self.try_commit(on).await.unwrap()
    }

    pub(super) async fn branch(&self, name: &str, source: &str) -> CommitId {
        self.catalog
            .create_branch(&repo(), &branch(name), &expr(source), &self.mutation())
            .await
            .unwrap()
            .head
    }

    pub(super) fn merge_request(&self, source: &str, destination: &str, strategy: Strategy) -> MergeRequest {
        MergeRequest {
            source: expr(source),
            destination: branch(destination),
            strategy,
            committer: "tester".into(),
            message: String::new(),
            metadata: BTreeMap::new(),
            squash: false,
            allow_empty: false,
            time: None,
        }
    }

    pub(super) async fn try_merge(
        &self,
        source: &str,
        destination: &str,
        strategy: Strategy,
    ) -> Result<CommitId> {
        self.world.clock.advance(Duration::from_secs(1));
        let request = self.merge_request(source, destination, strategy);
        self.catalog.merge(&repo(), &request, &self.mutation()).await
    }

    pub(super) async fn merge(&self, source: &str, destination: &str) -> CommitId {
        self.try_merge(source, destination, Strategy::Refuse).await.unwrap()
    }

    pub(super) fn pick_request(&self, on: &str, commit: &str) -> PickRequest {
        PickRequest {
            branch: branch(on),
            commit: expr(commit),
            parent_number: 0,
            committer: "tester".into(),
            message: String::new(),
            metadata: BTreeMap::new(),
            allow_empty: false,
            time: None,
        }
    }

    /// The content at a path, by a point read.
    pub(super) async fn get(&self, at: &str, path_text: &str) -> Option<String> {
        match self.catalog.stat(&repo(), &expr(at), &path(path_text)).await {
            Ok(object) => Some(object.entry.checksum),
            Err(error) if error.code() == Code::ObjectNotFound => None,
            Err(error) => panic!("{error}"),
        }
    }

    /// All content, by a listing.
    pub(super) async fn content(&self, at: &str) -> Content {
        self.try_content(at).await.unwrap()
    }

    pub(super) async fn try_content(&self, at: &str) -> Result<Content> {
        let mut cursor = self.catalog.object_cursor(&repo(), &expr(at), &ListRequest::default()).await?;
        let mut content = Content::new();
        loop {
            let items = cursor.next_items(7).await?;
            if items.is_empty() {
                return Ok(content);
            }
            for item in items {
                match item {
                    Listing::Object(object) => {
                        let entry = object.entry.checksum;
                        assert!(content.insert(object.path.to_string(), entry).is_none(), "listed twice");
                    }
                    Listing::CommonPrefix(prefix) => {
                        panic!("no delimiter was given, but '{prefix}' was listed")
                    }
                }
            }
        }
    }

    pub(super) async fn branch_head(&self, name: &str) -> CommitId {
        self.catalog.branch(&repo(), &branch(name)).await.unwrap().head
    }

    /// Seals the open layer and leaves it at that: a commit that died.
    pub(super) async fn seal(&self, on: &str) {
        let repository = self.catalog.repository(&repo()).await.unwrap();
        self.catalog.seal(&repository, &branch(on)).await.unwrap();
    }

    /// A diff as lines such as `+a`, `-b`, `~c`.
    pub(super) async fn uncommitted(&self, on: &str) -> Vec<String> {
        let diff = self.catalog.diff_branch(&repo(), &branch(on), &PathPrefix::default()).await.unwrap();
        lines(diff).await
    }

    pub(super) async fn diff(&self, left: &str, right: &str, mode: DiffMode) -> Vec<String> {
        let request =
            DiffRequest { left: expr(left), right: expr(right), mode, prefix: PathPrefix::default() };
        lines(self.catalog.diff(&repo(), &request).await.unwrap()).await
    }
}

async fn lines(mut differences: Differences) -> Vec<String> {
    let mut lines = Vec::new();
    while let Some(side) = differences.next().await.unwrap() {
        let sign = match side.kind {
            DifferenceKind::Added => '+',
            DifferenceKind::Removed => '-',
            DifferenceKind::Changed => '~',
        };
        assert_eq!(side.left.is_some(), sign != '+');
        assert_eq!(side.right.is_some(), sign != '-');
        lines.push(format!("{sign}{}", side.path));
    }
    lines
}

pub(super) fn content<const N: usize>(pairs: [(&str, &str); N]) -> Content {
    pairs.into_iter().map(|(path, content)| (path.to_owned(), content.to_owned())).collect()
}

struct TestStorage(Arc<TestRanges>);

#[async_trait]
impl Storage for TestStorage {
    async fn claim(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn ranges(&self, _namespace: &str) -> Result<Arc<dyn RangeStore>> {
        Ok(self.0.clone())
    }
}

pub(super) struct TestRanges {
    files: Mutex<HashMap<[u8; 32], Bytes>>,
    fuse: Arc<Fuse>,
    counters: Arc<Counters>,
}

impl TestRanges {
    pub(super) fn lose_everything(&self) {
        self.files.lock().clear();
    }

    fn file(&self, id: &[u8; 32], file: FileId) -> Result<Bytes, TreeError> {
        self.burn(file)?;
        self.files.lock().get(id).cloned().ok_or(TreeError::Missing { file })
    }

    fn put(&self, id: [u8; 32], file: FileId, bytes: Bytes) -> Result<(), TreeError> {
        self.counters.puts.fetch_add(1, Ordering::Relaxed);
        let step = self.fuse.burn();
        if step != Step::Dead {
            self.files.lock().insert(id, bytes);
        }
        if step == Step::Alive { Ok(()) } else { Err(store_dead(file)) }
    }

    fn burn(&self, file: FileId) -> Result<(), TreeError> {
        if self.fuse.burn() == Step::Alive { Ok(()) } else { Err(store_dead(file)) }
    }
}

fn store_dead(file: FileId) -> TreeError {
    TreeError::Store { file, code: Code::Unavailable, reason: "the process is dead".into() }
}

#[async_trait]
impl RangeStore for TestRanges {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.counters.ranges.fetch_add(1, Ordering::Relaxed);
        open_range(id, self.file(id.as_bytes(), FileId::Range(*id))?)
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        self.counters.metaranges.fetch_add(1, Ordering::Relaxed);
        Metarange::decode(id, self.file(id.as_bytes(), FileId::Metarange(*id))?).map(Arc::new)
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        self.put(*id.as_bytes(), FileId::Range(*id), file)
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        self.put(*id.as_bytes(), FileId::Metarange(*id), file)
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
        self.world.burn()?;
        Ok(Box::new(TestTransaction { inner: self.inner.begin(mode).await?, world: self.world.clone() }))
    }

    async fn destroy(&self, range: KeyRange) -> Result<(), KvError> {
        self.world.burn()?;
        self.inner.destroy(range).await
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
        self.inner.scan(range, options).await
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
        self.inner.get(key).await
    }

    async fn get_many(&self, keys: &[Bytes]) -> Result<Vec<Option<Bytes>>, KvError> {
        self.world.get()?;
        self.inner.get_many(keys).await
    }

    async fn scan(&self, range: &KeyRange, options: ScanOptions) -> Result<Vec<(Bytes, Bytes)>, KvError> {
        self.world.scan()?;
        self.inner.scan(range, options).await
    }

    fn put(&mut self, key: Bytes, value: Bytes) {
        self.inner.put(key, value);
    }

    fn delete(&mut self, key: Bytes) {
        self.inner.delete(key);
    }

    fn insert(&mut self, key: Bytes, value: Bytes) {
        self.inner.insert(key, value);
    }

    fn lock(&mut self, key: Bytes) {
        self.inner.lock(key);
    }

    async fn lock_for_update(&mut self, key: &[u8], wait: Duration) -> Result<Option<Bytes>, KvError> {
        self.world.burn()?;
        self.inner.lock_for_update(key, wait).await
    }

    async fn commit(self: Box<Self>) -> Outcome {
        let interruption = self.world.interruption.lock().take();
        if let Some(interruption) = interruption {
            interruption().await;
        }
        match self.world.fuse.burn() {
            Step::Alive => self.inner.commit().await,
            Step::Last => match self.inner.commit().await {
                Outcome::Committed(_) => Outcome::Unknown("the reply was lost".into()),
                other => other,
            },
            Step::Dead => Outcome::Refused(dead()),
        }
    }
}
