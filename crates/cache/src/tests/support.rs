//! A tree in an object store, and caches over it.

use std::sync::Arc;

use braid_objects::{Counted, Counters, Counts, Faulty, MemoryStore, ObjectStore, PutOptions};
use braid_tree::{
    Cursor, FileId, Metarange, Pool, RangeStore, Record, TreeCursor, TreeError, TreeFormat, TreeId, Value,
    build,
};
use braid_types::{ManualClock, MetarangeId, RangeId, Time};
use bytes::Bytes;
use futures::stream;

use crate::{CacheOptions, RangeCache, RangeMemory};

/// A tree in an object store, behind caches that have not seen it yet.
pub(super) struct Room {
    pub(super) objects: Arc<dyn ObjectStore>,
    pub(super) faults: Arc<Faulty>,
    pub(super) requests: Arc<Counters>,
    pub(super) tree: TreeId,
}

impl Room {
    /// A tree of many small ranges.
    pub(super) async fn new() -> Self {
        Self::of(&small_format(), records()).await
    }

    pub(super) async fn of(format: &TreeFormat, records: Vec<Record>) -> Self {
        let memory = Arc::new(MemoryStore::new(Arc::new(ManualClock::at(Time::from_seconds(0)))));
        let faults = Arc::new(Faulty::new(memory));
        let counted = Counted::new(Arc::clone(&faults) as Arc<dyn ObjectStore>);
        let mut room = Self { faults, requests: counted.counters(), objects: Arc::new(counted), tree: None };
        room.tree = write(&room.cache(), format, records).await;
        room
    }

    pub(super) fn cache(&self) -> RangeCache {
        self.cache_over(&memory())
    }

    pub(super) fn cache_over(&self, memory: &Arc<RangeMemory>) -> RangeCache {
        RangeCache::new(Arc::clone(memory), "s3://bucket/lake", Arc::clone(&self.objects))
    }

    pub(super) fn metarange_id(&self) -> MetarangeId {
        self.tree.unwrap()
    }

    pub(super) async fn metarange(&self) -> Arc<Metarange> {
        self.cache().metarange(&self.metarange_id()).await.unwrap()
    }

    pub(super) async fn ranges(&self) -> Vec<RangeId> {
        self.metarange().await.ranges().iter().map(|range| range.id).collect()
    }

    pub(super) fn gets(&self) -> u64 {
        self.requests.counts().gets
    }

    /// What was asked of the object store since `before`.
    pub(super) fn since(&self, before: &Counts) -> Counts {
        self.requests.counts().since(before)
    }

    pub(super) async fn file(&self, file: impl Into<FileId>) -> Bytes {
        self.objects.get(&key(file), None).await.unwrap()
    }

    pub(super) async fn set_file(&self, file: impl Into<FileId>, bytes: Bytes) {
        self.objects.put(&key(file), bytes, PutOptions::default()).await.unwrap();
    }
}

pub(super) fn memory() -> Arc<RangeMemory> {
    Arc::new(RangeMemory::new(CacheOptions::default()))
}

pub(super) fn key(file: impl Into<FileId>) -> String {
    format!("_lakefs/{}", file.into().to_hex())
}

pub(super) fn small_format() -> TreeFormat {
    TreeFormat { min_bytes: 500, max_bytes: 5000, break_one_in: 8, ..TreeFormat::version(1).unwrap() }
}

pub(super) fn records() -> Vec<Record> {
    let value = Value::framed(&[7; 32], b"data");
    (0..200).map(|number| Record { key: format!("{number:04}").into(), value: value.clone() }).collect()
}

pub(super) async fn write(cache: &RangeCache, format: &TreeFormat, records: Vec<Record>) -> TreeId {
    let store: Arc<dyn RangeStore> = Arc::new(cache.clone());
    let records = stream::iter(records.into_iter().map(Ok));
    build(&store, &Pool::inline(), format, records).await.unwrap().tree
}

pub(super) async fn scan(cache: &RangeCache, tree: TreeId) -> Result<Vec<Record>, TreeError> {
    let mut cursor = TreeCursor::new(Arc::new(cache.clone()), tree);
    let mut found = Vec::new();
    while let Some(record) = cursor.next().await? {
        found.push(record);
    }
    Ok(found)
}

/// Opens every range whole.
pub(super) async fn open_all(cache: &RangeCache, ranges: &[RangeId]) -> Result<(), TreeError> {
    for id in ranges {
        cache.range(id).await?;
    }
    Ok(())
}
