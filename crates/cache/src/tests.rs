use std::sync::Arc;

use braid_objects::{Counted, Counters, Failure, Faulty, MemoryStore, ObjectStore, Operation, PutOptions};
use braid_tree::{
    Cursor, FileId, Pool, RangeStore, Record, TreeCursor, TreeError, TreeFormat, TreeId, Value, build,
};
use braid_types::{Code, ManualClock, MetarangeId, RangeId, Time};
use bytes::Bytes;
use futures::future::join_all;
use futures::stream;

use crate::{CacheCounts, CacheOptions, RangeCache, RangeMemory};

/// A tree in an object store, behind a cache that has not seen it yet.
struct Room {
    objects: Arc<dyn ObjectStore>,
    faults: Arc<Faulty>,
    requests: Arc<Counters>,
    tree: TreeId,
}

impl Room {
    async fn new() -> Self {
        let memory = Arc::new(MemoryStore::new(Arc::new(ManualClock::at(Time::from_seconds(0)))));
        let faults = Arc::new(Faulty::new(memory));
        let counted = Counted::new(Arc::clone(&faults) as Arc<dyn ObjectStore>);
        let mut room = Self { faults, requests: counted.counters(), objects: Arc::new(counted), tree: None };
        room.tree = room.build(&room.cache()).await;
        room
    }

    async fn build(&self, cache: &RangeCache) -> TreeId {
        let store = Arc::new(cache.clone()) as Arc<dyn RangeStore>;
        let records = stream::iter(records().into_iter().map(Ok));
        build(&store, &Pool::inline(), &format(), records).await.unwrap().tree
    }

    fn cache(&self) -> RangeCache {
        self.cache_over(Arc::new(RangeMemory::new(CacheOptions::default())))
    }

    fn cache_over(&self, memory: Arc<RangeMemory>) -> RangeCache {
        RangeCache::new(memory, "s3://bucket/lake", Arc::clone(&self.objects))
    }

    fn metarange(&self) -> MetarangeId {
        self.tree.unwrap()
    }

    async fn ranges(&self) -> Vec<RangeId> {
        let metarange = self.cache().metarange(&self.metarange()).await.unwrap();
        metarange.ranges().iter().map(|range| range.id).collect()
    }

    fn gets(&self) -> u64 {
        self.requests.counts().gets
    }

    async fn file(&self, file: FileId) -> Bytes {
        self.objects.get(&key(file), None).await.unwrap()
    }

    async fn set_file(&self, file: FileId, bytes: Bytes) {
        self.objects.put(&key(file), bytes, PutOptions::default()).await.unwrap();
    }
}

fn key(file: FileId) -> String {
    format!("_lakefs/{}", file.to_hex())
}

fn format() -> TreeFormat {
    TreeFormat { min_bytes: 500, max_bytes: 5000, break_one_in: 8, ..TreeFormat::version(1).unwrap() }
}

fn records() -> Vec<Record> {
    let value = Value::framed(&[7; 32], b"data");
    (0..200).map(|number| Record { key: format!("{number:04}").into(), value: value.clone() }).collect()
}

async fn scan(cache: &RangeCache, tree: TreeId) -> Result<Vec<Record>, TreeError> {
    let mut cursor = TreeCursor::new(Arc::new(cache.clone()), tree);
    let mut found = Vec::new();
    while let Some(record) = cursor.next().await? {
        found.push(record);
    }
    Ok(found)
}

#[tokio::test]
async fn what_is_written_can_be_read_by_another_cache_and_is_read_once() {
    let room = Room::new().await;
    let memory = Arc::new(RangeMemory::new(CacheOptions::default()));
    let cache = room.cache_over(Arc::clone(&memory));
    let files = room.ranges().await.len() as u64 + 1;
    let before = room.gets();
    for _ in 0..3 {
        assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
        assert_eq!(room.gets() - before, files);
    }
    let CacheCounts { ranges, metaranges } = memory.counts();
    assert_eq!((ranges.misses, ranges.hits), (files - 1, 2 * (files - 1)));
    assert_eq!((metaranges.misses, metaranges.hits), (1, 2));
    assert_eq!(ranges.bytes_read + metaranges.bytes_read, room.requests.counts().written);
}

#[tokio::test]
async fn what_was_written_is_read_without_a_request() {
    let room = Room::new().await;
    let cache = room.cache();
    assert_eq!(room.build(&cache).await, room.tree, "writing files that are there already succeeds");
    let before = room.gets();
    assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
    assert_eq!(room.gets(), before);
}

#[tokio::test]
async fn readers_of_one_file_make_one_request() {
    let room = Room::new().await;
    let range = room.ranges().await[0];
    let memory = Arc::new(RangeMemory::new(CacheOptions::default()));
    let cache = room.cache_over(Arc::clone(&memory));
    let before = room.gets();
    // All of them begin before the first can end: its check runs on another thread.
    for table in join_all((0..64).map(|_| cache.range(&range))).await {
        assert!(table.unwrap().count() > 0);
    }
    assert_eq!(room.gets() - before, 1);
    assert_eq!((memory.counts().ranges.misses, memory.counts().ranges.hits), (1, 63));
}

#[tokio::test]
async fn a_damaged_file_is_refused_by_name_and_not_kept() {
    let room = Room::new().await;
    let cache = room.cache();
    let (metarange, range) = (room.metarange(), room.ranges().await[0]);
    let files = [FileId::from(metarange), FileId::from(range)];
    for file in files {
        room.faults.fail_on(&file.to_hex(), Operation::Get, 1, Failure::FlippedBit);
        let error = scan(&cache, room.tree).await.unwrap_err();
        assert!(matches!(error, TreeError::Corrupt { file: named, .. } if named == file), "{error}");
    }
    assert_eq!(scan(&cache, room.tree).await.unwrap(), records(), "the next read gets the sound file");
}

#[tokio::test]
async fn another_file_under_the_name_of_one_is_refused() {
    let room = Room::new().await;
    let ranges = room.ranges().await;
    let other = room.file(ranges[1].into()).await;
    room.set_file(ranges[0].into(), other).await;
    let error = room.cache().range(&ranges[0]).await.unwrap_err();
    assert!(matches!(error, TreeError::Corrupt { file, .. } if file == ranges[0].into()), "{error}");
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_refused() {
    let room = Room::new().await;
    for file in [room.metarange().into(), room.ranges().await[0].into()] {
        let whole = room.file(file).await;
        room.set_file(file, whole.slice(..whole.len() / 2)).await;
        let error = scan(&room.cache(), room.tree).await.unwrap_err();
        assert!(matches!(error, TreeError::Corrupt { file: named, .. } if named == file), "{error}");
        room.set_file(file, whole).await;
    }
}

#[tokio::test]
async fn a_missing_file_is_named_and_found_once_it_is_there() {
    let room = Room::new().await;
    let (cache, range) = (room.cache(), room.ranges().await[0]);
    let whole = room.file(range.into()).await;
    room.objects.delete(&key(range.into())).await.unwrap();
    assert_eq!(scan(&cache, room.tree).await, Err(TreeError::Missing { file: range.into() }));
    room.set_file(range.into(), whole).await;
    assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
}

#[tokio::test]
async fn a_file_is_not_kept_that_could_not_be_written() {
    let room = Room::new().await;
    let (cache, range) = (room.cache(), room.ranges().await[0]);
    let whole = room.file(range.into()).await;
    room.objects.delete(&key(range.into())).await.unwrap();
    room.faults.fail(Operation::Put, 1, Failure::Unavailable);
    let error = cache.put_range(&range, whole.clone()).await.unwrap_err();
    assert!(matches!(error, TreeError::Store { code: Code::Unavailable, .. }), "{error}");
    assert_eq!(cache.range(&range).await.unwrap_err(), TreeError::Missing { file: range.into() });
    cache.put_range(&range, whole).await.unwrap();
    assert!(cache.range(&range).await.is_ok());
}

#[tokio::test]
async fn namespaces_do_not_answer_for_each_other() {
    let room = Room::new().await;
    let memory = Arc::new(RangeMemory::new(CacheOptions::default()));
    assert!(scan(&room.cache_over(Arc::clone(&memory)), room.tree).await.is_ok());
    let elsewhere = Arc::new(MemoryStore::new(Arc::new(ManualClock::at(Time::from_seconds(0)))));
    let other = RangeCache::new(memory, "s3://bucket/other", elsewhere);
    let file = room.metarange().into();
    assert_eq!(scan(&other, room.tree).await, Err(TreeError::Missing { file }));
}

#[tokio::test]
async fn memory_is_bounded_by_bytes() {
    let room = Room::new().await;
    let ranges = room.ranges().await;
    let lens: Vec<_> = {
        let cache = room.cache();
        let tables = join_all(ranges.iter().map(|id| cache.range(id))).await;
        tables.into_iter().map(|table| table.unwrap().file().len() as u64).collect()
    };
    let capacity = lens.iter().sum::<u64>() / 2;
    let memory = Arc::new(RangeMemory::new(CacheOptions { range_bytes: capacity, metarange_bytes: 0 }));
    let cache = room.cache_over(Arc::clone(&memory));
    for _ in 0..2 {
        assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
    }
    memory.ranges.settle().await;
    memory.metaranges.settle().await;
    let held = memory.counts();
    assert!((1..=capacity).contains(&held.ranges.bytes_held), "{held:?} of {capacity}");
    assert_eq!(held.metaranges.bytes_held, 0);
}
