//! Imports of objects that are already in a bucket.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use braid_types::{Code, Error, ImportId, Random, Result, SeededRandom, Time};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::lake::*;
use crate::*;

type Hook = Box<dyn FnOnce() + Send>;

/// A bucket: addresses and entity tags.
struct Bucket {
    objects: BTreeMap<String, String>,
    page: usize,
    /// Every page but those that find nothing costs one.
    pages: Semaphore,
    served: AtomicU64,
    /// Runs when everything was listed.
    at_end: Mutex<Option<Hook>>,
}

impl Bucket {
    fn of(objects: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            objects: objects.into_iter().collect(),
            page: 100,
            pages: Semaphore::new(1 << 20),
            served: AtomicU64::new(0),
            at_end: Mutex::default(),
        }
    }

    /// `s3://bucket/DIRECTORY/NAME` in so many directories of so many objects each.
    fn filled(directories: usize, each: usize) -> Self {
        let names = (0..directories).flat_map(|at| (0..each).map(move |of| (at, of)));
        Self::of(names.map(|(at, of)| (format!("s3://bucket/in/{at:02}/{of:03}"), format!("{at}-{of}"))))
    }
}

#[async_trait]
impl ImportStore for Bucket {
    fn check(&self, namespace: &str, source: &ImportSource) -> Result<()> {
        assert_eq!(namespace, "mem://lake");
        let (ImportSource::Prefix { uri, .. } | ImportSource::Object { uri, .. }) = source;
        match uri.starts_with("s3://bucket/") {
            true => Ok(()),
            false => Err(Error::new(Code::InvalidArgument, uri, "it is elsewhere")),
        }
    }

    async fn list(&self, uri: &str, after: Option<&str>) -> Result<Vec<Importable>> {
        let after = after.unwrap_or_default().max(uri);
        let inside =
            self.objects.range(after.to_owned()..).take_while(|(address, _)| address.starts_with(uri));
        let later = inside.filter(|(address, _)| address.as_str() > after || after == uri);
        let found: Vec<_> = later.take(self.page).map(|(address, etag)| importable(address, etag)).collect();
        match found.is_empty() {
            false => self.pages.acquire().await.unwrap().forget(),
            true => {
                if let Some(hook) = self.at_end.lock().take() {
                    hook();
                }
            }
        }
        self.served.fetch_add(1, Ordering::SeqCst);
        Ok(found)
    }

    async fn find(&self, uri: &str) -> Result<Importable> {
        let etag = self.objects.get(uri);
        let etag = etag.ok_or_else(|| Error::new(Code::DataNotFound, uri, format!("there is no '{uri}'")))?;
        Ok(importable(uri, etag))
    }
}

fn importable(address: &str, etag: &str) -> Importable {
    let (address, etag, content_type) = (address.to_owned(), etag.to_owned(), String::new());
    Importable { address, size: 1, etag, content_type, mtime: Time::from_seconds(1) }
}

fn directory(uri: &str, to: &str) -> ImportSource {
    ImportSource::Prefix { uri: uri.to_owned(), destination: prefix(to) }
}

fn object(uri: &str, to: &str) -> ImportSource {
    ImportSource::Object { uri: uri.to_owned(), destination: path(to) }
}

fn import_of(sources: Vec<ImportSource>, is_committed: bool) -> ImportRequest {
    let commit = is_committed.then(|| ImportCommit {
        committer: "ada".to_owned(),
        message: "imported".to_owned(),
        metadata: BTreeMap::new(),
    });
    ImportRequest { branch: branch("main"), sources, commit }
}

impl Lake {
    async fn start(&self, import: &ImportRequest, bucket: &Arc<Bucket>) -> Result<ImportId> {
        self.catalog.start_import(&repo(), import, &**bucket, &self.mutation()).await
    }

    async fn run(&self, id: ImportId, bucket: &Arc<Bucket>) -> Result<bool> {
        let store: Arc<dyn ImportStore> = Arc::clone(bucket) as _;
        self.catalog.run_import(&repo(), id, &store).await
    }

    async fn import_state(&self, id: ImportId) -> ImportState {
        self.catalog.import(&repo(), id).await.unwrap().state
    }

    async fn done(&self, import: &ImportRequest, bucket: &Arc<Bucket>) -> ImportState {
        let id = self.start(import, bucket).await.unwrap();
        assert!(self.run(id, bucket).await.unwrap());
        self.import_state(id).await
    }
}

/// What a branch with `before` holds after an import.
fn imported(before: &Content, sources: &[ImportSource], bucket: &Bucket) -> Content {
    let mut after = before.clone();
    for source in sources {
        if let ImportSource::Prefix { destination, .. } = source {
            after.retain(|path, _| !path.starts_with(destination.as_str()));
        }
    }
    for source in sources {
        match source {
            ImportSource::Object { uri, destination } => {
                after.insert(destination.to_string(), bucket.objects[uri].clone());
            }
            ImportSource::Prefix { uri, destination } => {
                let cut = uri.rfind('/').unwrap() + 1;
                for (address, etag) in bucket.objects.iter().filter(|(address, _)| address.starts_with(uri)) {
                    after.insert(format!("{destination}{}", &address[cut..]), etag.clone());
                }
            }
        }
    }
    after
}

#[tokio::test]
async fn thousands_of_objects_replace_a_directory_in_one_commit() {
    let lake = Lake::new().await;
    lake.put("main", "raw/old", "1").await;
    lake.put("main", "rawer", "1").await;
    let head = lake.commit("main").await;
    let before = lake.content("main").await;
    let bucket = Arc::new(Bucket::filled(20, 150));
    let import = import_of(vec![directory("s3://bucket/in/", "raw/")], true);
    let ImportState::Finished { commit: Some(commit), tree: Some(_) } = lake.done(&import, &bucket).await
    else {
        panic!("it did not finish");
    };
    assert_eq!(lake.content("main").await, imported(&before, &import.sources, &bucket));
    assert_eq!(lake.branch_head("main").await, commit);
    let (_, made) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!(
        (made.parents.clone(), made.message.as_str(), made.committer.as_str()),
        (vec![head], "imported", "ada")
    );
    let found = lake.catalog.stat(&repo(), &expr("main"), &path("raw/03/007")).await.unwrap().entry;
    assert_eq!(found.address, "s3://bucket/in/03/007");
    assert_eq!(found.address_type, braid_types::AddressType::Full);
}

/// Some bucket, some content and some sources; the same for the same seed.
fn some(seed: u64) -> (Bucket, Vec<ImportSource>) {
    let random: &dyn Random = &SeededRandom::new(seed);
    let one_of = |count: usize| usize::from(u16::from_be_bytes(random.bytes())) % count;
    let names = ["a", "a/", "a/x", "b", "b/c/d", "b/c/e", "z"];
    let name = || format!("{}{}", names[one_of(names.len())], one_of(30));
    let objects: Vec<_> = (0..60).map(|at| (format!("s3://bucket/{}", name()), format!("e{at}"))).collect();
    let prefixes =
        ["s3://bucket/", "s3://bucket/a", "s3://bucket/a/", "s3://bucket/b/c/", "s3://bucket/none/"];
    let directories = ["p/", "p/q/", "r/", "a/"];
    let mut sources = Vec::new();
    for _ in 0..=one_of(4) {
        sources.push(match one_of(3) {
            0 => object(&objects[one_of(60)].0, ["p/q/1", "o", "a/1", "r"][one_of(4)]),
            _ => directory(prefixes[one_of(prefixes.len())], directories[one_of(directories.len())]),
        });
    }
    (Bucket { page: 1 + one_of(9), ..Bucket::of(objects) }, sources)
}

#[tokio::test]
async fn whatever_is_imported_is_what_a_map_would_hold() {
    for seed in 0..40 {
        let lake = Lake::with_layers().await;
        for at in ["p/1", "p/q/1", "p/q/2", "pq", "r/1", "a/1", "b"] {
            lake.put("main", at, "old").await;
        }
        lake.commit("main").await;
        lake.branch("side", "main").await;
        let before = lake.content("main").await;
        let (bucket, sources) = some(seed);
        let bucket = Arc::new(bucket);
        let expected = imported(&before, &sources, &bucket);
        let uncommitted = import_of(sources.clone(), false);
        let ended = lake.done(&uncommitted, &bucket).await;
        assert!(matches!(ended, ImportState::Finished { commit: None, .. }), "seed {seed}: {ended:?}");
        assert_eq!(lake.content("main").await, expected, "seed {seed}, uncommitted");
        assert_eq!(lake.content("main@").await, before, "seed {seed}, head");
        let committed = ImportRequest { branch: branch("side"), ..import_of(sources, true) };
        lake.done(&committed, &bucket).await;
        assert_eq!(lake.content("side").await, expected, "seed {seed}, committed");
        let trees = [lake.try_commit("main").await.map(|_| "main").unwrap_or("main"), "side"].map(expr);
        let one = lake.catalog.commit_at(&repo(), &trees[0]).await.unwrap().1.metarange;
        assert_eq!(one, lake.catalog.commit_at(&repo(), &trees[1]).await.unwrap().1.metarange, "seed {seed}");
    }
}

#[tokio::test]
async fn uncommitted_changes_beside_an_import_stay_and_a_commit_needs_that_there_are_none() {
    let lake = Lake::with_layers().await;
    lake.put("main", "staged", "1").await;
    let bucket = Arc::new(Bucket::filled(2, 30));
    let sources = vec![directory("s3://bucket/in/", "raw/"), object("s3://bucket/in/01/002", "one")];
    let ended = lake.done(&import_of(sources.clone(), true), &bucket).await;
    assert!(matches!(&ended, ImportState::Failed(error) if error.code() == Code::DirtyBranch), "{ended:?}");
    let before = lake.content("main").await;
    lake.done(&import_of(sources.clone(), false), &bucket).await;
    assert_eq!(lake.content("main").await, imported(&before, &sources, &bucket));
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await, imported(&before, &sources, &bucket));
}

#[tokio::test]
async fn what_cannot_be_imported_is_refused_or_fails_and_changes_nothing() {
    let lake = Lake::new().await;
    let bucket = Arc::new(Bucket::filled(1, 3));
    let refused = async |sources, code| {
        let error = lake.start(&import_of(sources, true), &bucket).await.unwrap_err();
        assert_eq!(error.code(), code, "{error}");
    };
    refused(vec![], Code::LimitExceeded).await;
    refused(vec![object("s3://bucket/in/00/000", "a"); 1001], Code::LimitExceeded).await;
    refused(vec![directory("s3://bucket/in/", "a/"); 65], Code::LimitExceeded).await;
    refused(vec![directory("s3://bucket/in/", "a")], Code::InvalidPath).await;
    refused(vec![directory("s3://other/in/", "a/")], Code::InvalidArgument).await;
    let on =
        ImportRequest { branch: branch("none"), ..import_of(vec![directory("s3://bucket/in/", "a/")], true) };
    assert_eq!(lake.start(&on, &bucket).await.unwrap_err().code(), Code::BranchNotFound);

    let head = lake.branch_head("main").await;
    let absent = import_of(vec![directory("s3://bucket/in/", "a/"), object("s3://bucket/none", "o")], true);
    let ended = lake.done(&absent, &bucket).await;
    assert!(matches!(&ended, ImportState::Failed(error) if error.code() == Code::DataNotFound), "{ended:?}");
    let deep = "d/".repeat(510);
    let long =
        ended_code(&lake.done(&import_of(vec![directory("s3://bucket/in/", &deep)], true), &bucket).await);
    assert_eq!(long, Some(Code::InvalidPath));
    assert_eq!(lake.branch_head("main").await, head);
    assert!(lake.content("main").await.is_empty());
}

fn ended_code(state: &ImportState) -> Option<Code> {
    match state {
        ImportState::Failed(error) => Some(error.code()),
        _ => None,
    }
}

#[tokio::test]
async fn a_retry_of_the_request_is_the_same_import() {
    let lake = Lake::new().await;
    let bucket = Arc::new(Bucket::filled(1, 3));
    let import = import_of(vec![directory("s3://bucket/in/", "a/")], true);
    let by = lake.mutation();
    let start = async || lake.catalog.start_import(&repo(), &import, &*bucket, &by).await.unwrap();
    let id = start().await;
    lake.run(id, &bucket).await.unwrap();
    let head = lake.branch_head("main").await;
    assert_eq!(start().await, id);
    assert!(!lake.run(id, &bucket).await.unwrap(), "it is over");
    assert_eq!(lake.branch_head("main").await, head);
    let other = import_of(vec![directory("s3://bucket/in/", "b/")], true);
    let reused = lake.catalog.start_import(&repo(), &other, &*bucket, &by).await.unwrap_err();
    assert_eq!(reused.code(), Code::RequestIdReused);
    let listed = lake.catalog.list_imports(&repo(), &PageRequest::default()).await.unwrap().items;
    assert_eq!(listed.iter().map(|import| (import.id, import.objects)).collect::<Vec<_>>(), [(id, 3)]);
}

#[tokio::test]
async fn an_import_that_is_cancelled_while_it_lists_stops_and_changes_nothing() {
    let lake = Lake::with_fast_imports().await;
    let mut bucket = Bucket::filled(4, 200);
    bucket.pages = Semaphore::new(3);
    let bucket = Arc::new(bucket);
    let id = lake.start(&import_of(vec![directory("s3://bucket/in/", "a/")], true), &bucket).await.unwrap();
    let cancel = async {
        while bucket.pages.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        lake.catalog.cancel_import(&repo(), id).await.unwrap();
        lake.catalog.cancel_import(&repo(), id).await.unwrap();
    };
    let (ran, ()) = tokio::join!(lake.run(id, &bucket), cancel);
    assert!(ran.unwrap());
    assert_eq!(lake.import_state(id).await, ImportState::Cancelled);
    assert!(lake.content("main").await.is_empty());
    let none = lake.catalog.cancel_import(&repo(), ImportId::from_bytes([7; 16])).await.unwrap_err();
    assert_eq!(none.code(), Code::ImportNotFound);
}

#[tokio::test]
async fn an_import_that_was_published_cannot_be_cancelled_and_one_that_was_cancelled_not_published() {
    for is_committed in [true, false] {
        let lake = Lake::with_layers().await;
        let bucket = Arc::new(Bucket::filled(2, 40));
        let import = import_of(vec![directory("s3://bucket/in/", "a/")], is_committed);
        let id = lake.start(&import, &bucket).await.unwrap();
        lake.run(id, &bucket).await.unwrap();
        assert_eq!(lake.catalog.cancel_import(&repo(), id).await.unwrap_err().code(), Code::ImportOver);

        // Cancelled when nothing but the publishing transaction can find that out: the last look was just before.
        let before = lake.content("main").await;
        let other = import_of(vec![directory("s3://bucket/in/00/", "b/")], is_committed);
        let id = lake.start(&other, &bucket).await.unwrap();
        let (world, canceller) = (lake.world.clone(), lake.world.catalog());
        *bucket.at_end.lock() = Some(Box::new(move || {
            let again = world.clone();
            world.interrupt(async move || {
                again.interrupt_begin(async move || canceller.cancel_import(&repo(), id).await.unwrap());
            });
        }));
        lake.run(id, &bucket).await.unwrap();
        assert_eq!(lake.import_state(id).await, ImportState::Cancelled, "committed: {is_committed}");
        assert_eq!(lake.content("main").await, before);
    }
}

#[tokio::test]
async fn an_import_goes_to_another_node_when_nothing_is_heard_of_it_and_happens_once() {
    let lake = Lake::new().await;
    let mut bucket = Bucket::filled(4, 200);
    bucket.pages = Semaphore::new(3);
    let bucket = Arc::new(bucket);
    let id = lake.start(&import_of(vec![directory("s3://bucket/in/", "a/")], true), &bucket).await.unwrap();
    assert_eq!(lake.catalog.imports_to_run().await.unwrap(), [(repo(), id)]);
    let whole = Arc::new(Bucket::filled(4, 200));
    let other = async {
        while bucket.pages.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let next = Lake { catalog: lake.world.catalog(), world: lake.world.clone() };
        assert!(!next.run(id, &whole).await.unwrap(), "another node has it");
        assert!(next.catalog.imports_to_run().await.unwrap().is_empty());
        lake.world.clock.advance(Duration::from_secs(31));
        assert_eq!(next.catalog.imports_to_run().await.unwrap(), [(repo(), id)]);
        assert!(next.run(id, &whole).await.unwrap());
        let head = next.branch_head("main").await;
        bucket.pages.add_permits(1 << 20);
        head
    };
    let (ran, head) = tokio::join!(lake.run(id, &bucket), other);
    assert!(ran.unwrap());
    assert_eq!(lake.branch_head("main").await, head, "it happened once");
    assert!(
        matches!(lake.import_state(id).await, ImportState::Finished { commit: Some(of), .. } if of == head)
    );
    lake.world.clock.advance(Duration::from_secs(8 * 24 * 3600));
    lake.catalog.imports_to_run().await.unwrap();
    assert_eq!(lake.catalog.import(&repo(), id).await.unwrap_err().code(), Code::ImportNotFound, "long over");
}

#[tokio::test]
async fn a_run_may_die_at_every_step() {
    for is_committed in [true, false] {
        let mut died = 0;
        for steps in 1.. {
            let lake = Lake::with_layers().await;
            lake.put("main", "a/old", "1").await;
            lake.commit("main").await;
            let before = lake.content("main").await;
            let bucket = Arc::new(Bucket::filled(3, 5));
            let sources = vec![directory("s3://bucket/in/", "a/"), object("s3://bucket/in/00/001", "one")];
            let expected = imported(&before, &sources, &bucket);
            let id = lake.start(&import_of(sources, is_committed), &bucket).await.unwrap();
            lake.world.fuse.set(steps);
            let _ = lake.run(id, &bucket).await;
            let burnt = lake.world.fuse.is_burnt();
            let next = lake.restarted();
            let seen = next.content("main").await;
            assert!(seen == before || seen == expected, "half an import after {steps} steps");
            let is_over = matches!(next.import_state(id).await, ImportState::Finished { .. });
            assert_eq!(seen == expected, is_over, "after {steps} steps");
            let head = next.branch_head("main").await;
            next.world.clock.advance(Duration::from_secs(31));
            assert_eq!(next.run(id, &bucket).await.unwrap(), !is_over);
            assert_eq!(next.content("main").await, expected);
            assert!(matches!(next.import_state(id).await, ImportState::Finished { .. }));
            assert!(
                !is_over || next.branch_head("main").await == head,
                "published twice after {steps} steps"
            );
            if !burnt {
                break;
            }
            died += 1;
        }
        assert!(died > 8, "an import has more than {died} steps");
    }
}
