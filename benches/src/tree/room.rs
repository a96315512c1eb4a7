//! Where a part measures: a lake below, a scratch store over it, and what computes.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use braid_cache::{CacheOptions, RangeCache, RangeMemory};
use braid_objects::{
    Buckets, Counted, Counters, InternalKey, LocalBuckets, LocalStore, MemoryStore, ObjectStore, PutOptions,
};
use braid_tree::{Change, Folded, Pool, RangeDescriptor, RangeStore, TreeFormat, TreeId, fold, open_tree};
use braid_types::SystemClock;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, future, stream};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::lake::{Lake, SCRATCH};
use super::settings::Settings;
use crate::data;
use crate::machine;
use crate::store::{Delayed, Overlay};

/// How long each request to a store takes that is some way off.
const REQUEST: Duration = Duration::from_millis(5);

/// Caches of a part that goes through more than it is to keep.
const SMALL_CACHE_BYTES: u64 = 32 << 20;

/// Files that are put at a time.
const PUTS: usize = 8;

/// How many cores a part measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    One,
    Both,
}

/// A place to measure. What is written to its stores is gone with it.
pub(super) struct Room {
    pub(super) runtime: Runtime,
    pub(super) pool: Pool,
    pub(super) format: TreeFormat,
    objects: Arc<dyn ObjectStore>,
    scratch: TempDir,
}

impl Room {
    /// A room over a lake, which stays as it is.
    pub(super) fn over(lake: &Lake, settings: &Settings, cores: Cores) -> anyhow::Result<Self> {
        Self::new(local_store(&lake.objects())?, settings, cores)
    }

    /// A room over nothing.
    pub(super) fn empty(settings: &Settings, cores: Cores) -> anyhow::Result<Self> {
        Self::new(Arc::new(MemoryStore::new(Arc::new(SystemClock))), settings, cores)
    }

    fn new(below: Arc<dyn ObjectStore>, settings: &Settings, cores: Cores) -> anyhow::Result<Self> {
        // Threads that were started before would stay where they are.
        if cores == Cores::One {
            machine::stay_on_one_core()?;
        }
        std::fs::create_dir_all(&settings.home)?;
        let scratch = tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&settings.home)?;
        let written = local_store(scratch.path())?;
        Ok(Self {
            runtime: runtime(cores)?,
            pool: pool(cores),
            format: format(),
            objects: Arc::new(Overlay::new(below, written)),
            scratch,
        })
    }

    /// The trees, behind an empty cache of this size.
    pub(super) fn store(&self, cache: CacheOptions) -> Arc<dyn RangeStore> {
        self.store_in(Arc::new(RangeMemory::new(cache)))
    }

    /// The trees, behind these caches.
    pub(super) fn store_in(&self, memory: Arc<RangeMemory>) -> Arc<dyn RangeStore> {
        Arc::new(RangeCache::new(memory, "benchmark", Arc::clone(&self.objects)))
    }

    /// The trees in a store that is some way off, behind an empty cache, and what is asked of that store.
    pub(super) fn far_store(&self) -> (Arc<dyn RangeStore>, Arc<Counters>) {
        let counted = Counted::new(Arc::new(Delayed::new(Arc::clone(&self.objects), REQUEST)));
        let counters = counted.counters();
        (cached(CacheOptions::default(), Arc::new(counted)), counters)
    }

    /// How long it takes to put as many bytes as the ranges of a tree have that `base` does not have into a store of their own,
    /// some at a time, and then those of its metarange: what no fold can do without.
    pub(super) fn storing(&self, base: TreeId, tree: TreeId) -> anyhow::Result<Duration> {
        let (ranges, metarange) = self.runtime.block_on(self.lens(base, tree))?;
        let longest = ranges.iter().copied().max().unwrap_or(0).max(metarange);
        let bytes = Bytes::from(data::noise(5, longest));
        let scratch = tempfile::tempdir_in(self.scratch.path())?;
        let objects = local_store(scratch.path())?;
        let put = async |name: usize, len: usize| {
            objects.put(&name.to_string(), bytes.slice(..len), PutOptions::if_absent()).await.map(drop)
        };
        let started = Instant::now();
        self.runtime.block_on(async {
            let puts = stream::iter(ranges.into_iter().enumerate()).map(|(name, len)| put(name + 1, len));
            puts.buffer_unordered(PUTS).try_for_each(|()| future::ready(Ok(()))).await?;
            put(0, metarange).await
        })?;
        Ok(started.elapsed())
    }

    /// How long the files of the ranges are that `base` does not have, and that of the metarange.
    async fn lens(&self, base: TreeId, tree: TreeId) -> anyhow::Result<(Vec<usize>, usize)> {
        let store = self.store(small_cache());
        let mut ranges = Vec::new();
        for range in new_ranges(&*store, base, tree).await? {
            ranges.push(store.file(range.id.into()).await?.len());
        }
        let metarange = store.file(tree.context("the tree has entries")?.into()).await?;
        Ok((ranges, metarange.len()))
    }

    /// Changes a tree.
    pub(super) fn fold(
        &self,
        store: &Arc<dyn RangeStore>,
        base: TreeId,
        changes: Vec<Change>,
    ) -> anyhow::Result<Folded> {
        let changes = stream::iter(changes.into_iter().map(Ok));
        Ok(self.runtime.block_on(fold(store, &self.pool, &self.format, base, changes))?)
    }
}

/// The ranges of `tree` that `base` does not have.
pub(super) async fn new_ranges(
    store: &dyn RangeStore,
    base: TreeId,
    tree: TreeId,
) -> anyhow::Result<Vec<RangeDescriptor>> {
    let base = open_tree(store, base).await?;
    let had: HashSet<_> = base.ranges().iter().map(|range| range.id).collect();
    let tree = open_tree(store, tree).await?;
    Ok(tree.ranges().iter().filter(|range| !had.contains(&range.id)).cloned().collect())
}

/// The format that is measured: what new repositories get.
pub(super) fn format() -> TreeFormat {
    TreeFormat::version(TreeFormat::LATEST).expect("the latest version is one")
}

/// Caches that hold little.
pub(super) fn small_cache() -> CacheOptions {
    CacheOptions { block_bytes: SMALL_CACHE_BYTES, file_bytes: SMALL_CACHE_BYTES, ..CacheOptions::default() }
}

pub(super) fn cached(cache: CacheOptions, objects: Arc<dyn ObjectStore>) -> Arc<dyn RangeStore> {
    Arc::new(RangeCache::new(Arc::new(RangeMemory::new(cache)), "benchmark", objects))
}

/// A local object store in this folder, which is made if it is not there.
pub(super) fn local_store(folder: &Path) -> anyhow::Result<Arc<dyn ObjectStore>> {
    let store = LocalStore::open(folder, Arc::new(SystemClock))
        .with_context(|| format!("the object store in '{}'", folder.display()))?;
    // Nothing is presigned.
    let key = InternalKey { access_key_id: "benchmark".to_owned(), secret: "benchmark".to_owned() };
    Ok(LocalBuckets::new(store, "http://localhost", &key).bucket("benchmark"))
}

pub(super) fn runtime(cores: Cores) -> anyhow::Result<Runtime> {
    let mut builder = match cores {
        Cores::One => Builder::new_current_thread(),
        Cores::Both => Builder::new_multi_thread(),
    };
    builder.enable_all().build().context("the runtime")
}

pub(super) fn pool(cores: Cores) -> Pool {
    match cores {
        Cores::One => Pool::new(1),
        Cores::Both => Pool::new(2),
    }
}
