//! A machine with everything that a metadata service has below it.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use braid_cache::{CacheOptions, RangeCache, RangeMemory};
use braid_catalog::{Catalog, Components, CreateRepository, ListRequest, Listing, LogRequest, Mutation};
use braid_catalog::{RefsManifest, Settings, Storage};
use braid_kv::{Embedded, EmbeddedSettings, Limits};
use braid_objects::{Buckets, InternalKey, LocalBuckets, Lossy, ObjectStore};
use braid_tree::{RangeStore, TreeFormat};
use braid_types::{Code, CommitId, Error, ManualClock, RequestId, Result, SeededRandom};

use crate::lake::{branch, lake, reference};

/// Up to how many bytes the object store keeps in its index: the data of objects, and of trees none.
const SMALL: usize = 64;

/// One life of a machine, from its start to its death.
pub(super) struct Machine {
    pub(super) catalog: Catalog,
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) clock: Arc<ManualClock>,
    random: Arc<SeededRandom>,
}

/// The text that each path holds.
pub(super) type Content = BTreeMap<String, String>;

struct Ranges(Arc<RangeCache>);

#[async_trait]
impl Storage for Ranges {
    async fn claim(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn take_over(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn put_refs_manifest(&self, namespace: &str, _manifest: &RefsManifest) -> Result<()> {
        Err(Error::new(Code::Unimplemented, namespace, "nothing is dumped here"))
    }

    async fn refs_manifest(&self, _namespace: &str) -> Result<Option<RefsManifest>> {
        Ok(None)
    }

    async fn ranges(&self, _namespace: &str) -> Result<Arc<dyn RangeStore>> {
        Ok(Arc::clone(&self.0) as Arc<dyn RangeStore>)
    }
}

impl Machine {
    /// Opens the stores on `disk`. Ids of this life come from `seed`, which no other life of the disk may have.
    pub(super) fn start(
        disk: &Lossy,
        clock: &Arc<ManualClock>,
        seed: u64,
    ) -> std::result::Result<Self, String> {
        let random = Arc::new(SeededRandom::new(seed));
        let limits = Limits { keys: 10_000, ..Limits::default() };
        let settings = EmbeddedSettings { limits, cache_bytes: 8 << 20, ..EmbeddedSettings::default() };
        let database = disk.database("kv.redb").map_err(|error| error.to_string())?;
        let kv = Embedded::open_backend(database, settings, clock.clone(), &*random);
        let kv = kv.map_err(|error| error.to_string())?;
        let store = disk.open_store(clock.clone(), SMALL).map_err(|error| error.to_string())?;
        let key = InternalKey { access_key_id: "internal".to_owned(), secret: "secret".to_owned() };
        let objects = LocalBuckets::new(store, "http://127.0.0.1:1", &key).bucket("braid.local");
        let memory = Arc::new(RangeMemory::new(CacheOptions::default()));
        let ranges = Arc::new(RangeCache::new(memory, "s3://braid.local/", Arc::clone(&objects)));
        let parts = Components {
            kv: Arc::new(kv),
            storage: Arc::new(Ranges(ranges)),
            clock: clock.clone(),
            random: random.clone(),
        };
        // Small ranges, so that a tree has many.
        let mut format = TreeFormat::version(1).expect("version 1 exists");
        (format.min_bytes, format.max_bytes, format.break_one_in) = (400, 2_000, 3);
        let settings = Settings { tree_format: Some(format), ..Settings::default() };
        Ok(Self { catalog: Catalog::new(parts, settings), objects, clock: Arc::clone(clock), random })
    }

    pub(super) fn mutation(&self) -> Mutation {
        Mutation { principal: "tester".into(), request: RequestId::random(&*self.random) }
    }

    /// Makes the repository with its branches `main` and `side`.
    pub(super) async fn prepare(&self) {
        let create = CreateRepository {
            name: lake(),
            storage_namespace: "s3://braid.local/".into(),
            default_branch: branch("main"),
        };
        self.catalog.create_repository(create, &self.mutation()).await.unwrap();
        let (side, main) = (branch("side"), reference("main"));
        self.catalog.create_branch(&lake(), &side, &main, &self.mutation()).await.unwrap();
    }

    /// Everything at a ref.
    pub(super) async fn content(&self, at: &str) -> std::result::Result<Content, String> {
        let (reference, all) = (reference(at), ListRequest::default());
        let failed = |error: Error| format!("'{at}' cannot be listed: {error}");
        let mut cursor = self.catalog.object_cursor(&lake(), &reference, &all).await.map_err(failed)?;
        let mut content = Content::new();
        loop {
            let items = cursor.next_items(100).await.map_err(failed)?;
            if items.is_empty() {
                return Ok(content);
            }
            for item in items {
                let Listing::Object(object) = item else { panic!("there is no delimiter") };
                content.insert(object.path.to_string(), object.entry.checksum);
            }
        }
    }

    /// The data of everything at a ref is there.
    pub(super) async fn check_data(&self, at: &str) -> std::result::Result<(), String> {
        for text in self.content(at).await?.into_values() {
            let data = self.objects.get(&format!("data/{text}"), None).await;
            if data.map_err(|error| error.to_string())? != text {
                return Err(format!("the data of '{text}' is damaged"));
            }
        }
        Ok(())
    }

    /// All commits from a branch's head backwards.
    pub(super) async fn history(&self, of: &str) -> std::result::Result<Vec<CommitId>, String> {
        let request = LogRequest {
            start: reference(of),
            first_parent: false,
            since: None,
            stop_at: None,
            after: None,
            paths: Vec::new(),
            prefixes: Vec::new(),
        };
        let failed = |error: Error| format!("history of '{of}': {error}");
        let mut history = self.catalog.log(&lake(), request).await.map_err(failed)?;
        let mut commits = Vec::new();
        while let Some((id, _)) = history.next().await.map_err(failed)? {
            commits.push(id);
        }
        Ok(commits)
    }
}
