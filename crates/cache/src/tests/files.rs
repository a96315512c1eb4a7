//! Whole files: metaranges, and ranges as folds, merges and scans read them.

use std::sync::Arc;

use braid_objects::{Failure, MemoryStore, ObjectStore, Operation};
use braid_tree::{FileId, RangeStore, TreeError, verify_range};
use braid_types::{Code, ManualClock, Time};
use futures::future::join_all;

use super::support::*;
use crate::{CacheOptions, RangeCache, RangeMemory};

#[tokio::test]
async fn what_is_written_can_be_read_by_another_cache_and_is_read_once() {
    let room = Room::new().await;
    let memory = memory();
    let cache = room.cache_over(&memory);
    let ranges = room.ranges().await;
    let files = ranges.len() as u64 + 1;
    let before = room.gets();
    for _ in 0..3 {
        assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
        assert_eq!(room.gets() - before, files);
    }
    let counts = memory.counts();
    assert_eq!((counts.metaranges.misses, counts.metaranges.hits), (1, 2));
    assert_eq!(
        counts.indexes.misses + counts.files.misses,
        files - 1,
        "small files come whole with their indexes"
    );
    let read = counts.metaranges.bytes_read + counts.indexes.bytes_read + counts.files.bytes_read;
    assert_eq!(read, room.requests.counts().written);
    assert_eq!(counts.blocks.bytes_read, 0);
}

#[tokio::test]
async fn what_was_written_is_read_without_a_request() {
    let room = Room::new().await;
    let memory = memory();
    let cache = room.cache_over(&memory);
    let written = write(&cache, &small_format(), records()).await;
    assert_eq!(written, room.tree, "writing files that are there already succeeds");
    let before = room.gets();
    assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
    open_all(&cache, &room.ranges().await).await.unwrap();
    assert_eq!(room.gets() - before, 1, "only the other cache's metarange");
    memory.files.settle();
    assert!(memory.counts().files.bytes_held > 0);
}

#[tokio::test]
async fn readers_of_one_file_make_one_request() {
    let room = Room::new().await;
    let range = room.ranges().await[0];
    let memory = memory();
    let cache = room.cache_over(&memory);
    let before = room.gets();
    for table in join_all((0..64).map(|_| cache.range(&range))).await {
        assert!(table.unwrap().count() > 0);
    }
    assert_eq!(room.gets() - before, 1);
    assert_eq!((memory.counts().files.misses, memory.counts().files.hits), (1, 63));
    for metarange in join_all((0..64).map(|_| async { cache.metarange(&room.metarange_id()).await })).await {
        assert!(metarange.unwrap().count() > 0);
    }
    assert_eq!(room.gets() - before, 2);
}

#[tokio::test]
async fn a_damaged_file_is_refused_by_name_and_not_kept() {
    let room = Room::new().await;
    let cache = room.cache();
    let (metarange, ranges) = (room.metarange_id(), room.ranges().await);
    for file in [FileId::from(metarange), FileId::from(ranges[0])] {
        room.faults.fail_on(&file.to_hex(), Operation::Get, 1, Failure::FlippedBit);
        let error = scan(&cache, room.tree).await.unwrap_err();
        assert!(matches!(error, TreeError::Corrupt { file: named, .. } if named == file), "{error}");
    }
    assert_eq!(scan(&cache, room.tree).await.unwrap(), records(), "the next read gets the sound file");
}

#[tokio::test]
async fn another_metarange_under_the_name_of_one_is_refused_and_another_range_by_its_reader() {
    let room = Room::new().await;
    let ranges = room.ranges().await;
    room.set_file(ranges[0], room.file(ranges[1]).await).await;
    let cache = room.cache();
    let error = scan(&cache, room.tree).await.unwrap_err();
    assert!(matches!(error, TreeError::Corrupt { file, .. } if file == ranges[0].into()), "{error}");
    let table = cache.range(&ranges[0]).await.unwrap();
    assert!(verify_range(&ranges[0], &table).is_err());

    let other = Room::of(&small_format(), records()[1..].to_vec()).await;
    let other = other.file(other.metarange_id()).await;
    room.set_file(room.metarange_id(), other).await;
    let error = scan(&room.cache(), room.tree).await.unwrap_err();
    assert!(
        matches!(error, TreeError::Corrupt { file, .. } if file == room.metarange_id().into()),
        "{error}"
    );
}

#[tokio::test]
async fn a_file_that_is_cut_short_is_refused() {
    let room = Room::new().await;
    let range = room.ranges().await[0];
    for file in [FileId::from(room.metarange_id()), range.into()] {
        let whole = room.file(file).await;
        for len in [whole.len() / 2, 0] {
            room.set_file(file, whole.slice(..len)).await;
            let error = scan(&room.cache(), room.tree).await.unwrap_err();
            assert!(matches!(error, TreeError::Corrupt { file: named, .. } if named == file), "{error}");
            if file == range.into() {
                assert!(matches!(room.cache().range(&range).await, Err(TreeError::Corrupt { .. })));
            }
        }
        room.set_file(file, whole).await;
    }
}

#[tokio::test]
async fn a_missing_file_is_named_and_found_once_it_is_there() {
    let room = Room::new().await;
    let (cache, range) = (room.cache(), room.ranges().await[0]);
    let whole = room.file(range).await;
    room.objects.delete(&key(range)).await.unwrap();
    let missing = TreeError::Missing { file: range.into() };
    assert_eq!(scan(&cache, room.tree).await, Err(missing.clone()));
    assert_eq!(cache.range(&range).await.unwrap_err(), missing);
    room.set_file(range, whole).await;
    assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
}

#[tokio::test]
async fn a_file_is_not_kept_that_could_not_be_written() {
    let room = Room::new().await;
    let (cache, range) = (room.cache(), room.ranges().await[0]);
    let whole = room.file(range).await;
    room.objects.delete(&key(range)).await.unwrap();
    room.faults.fail(Operation::Put, 1, Failure::Unavailable);
    let error = cache.put_range(&range, whole.clone()).await.unwrap_err();
    assert!(matches!(error, TreeError::Store { code: Code::Unavailable, .. }), "{error}");
    assert_eq!(cache.range(&range).await.unwrap_err(), TreeError::Missing { file: range.into() });
    cache.put_range(&range, whole).await.unwrap();
    assert!(cache.range(&range).await.is_ok());
}

#[tokio::test]
async fn stored_bytes_are_read_from_the_store_and_not_from_memory() {
    let room = Room::new().await;
    let (cache, range) = (room.cache(), room.ranges().await[0]);
    let whole = room.file(range).await;
    cache.put_range(&range, whole.clone()).await.unwrap();
    assert_eq!(cache.file(range.into()).await, Ok(whole.clone()));
    room.set_file(range, whole.slice(1..)).await;
    assert_eq!(cache.file(range.into()).await, Ok(whole.slice(1..)), "damaged bytes are given as they are");
    room.objects.delete(&key(range)).await.unwrap();
    assert_eq!(cache.file(range.into()).await, Err(TreeError::Missing { file: range.into() }));
}

#[tokio::test]
async fn namespaces_do_not_answer_for_each_other() {
    let room = Room::new().await;
    let memory = memory();
    assert!(scan(&room.cache_over(&memory), room.tree).await.is_ok());
    let elsewhere = || Arc::new(MemoryStore::new(Arc::new(ManualClock::at(Time::from_seconds(0)))));
    let other = RangeCache::new(Arc::clone(&memory), "s3://bucket/other", elsewhere());
    let file = room.metarange_id().into();
    assert_eq!(scan(&other, room.tree).await, Err(TreeError::Missing { file }));
    let id = room.ranges().await[0];
    assert_eq!(other.index(&id).await.unwrap_err(), TreeError::Missing { file: id.into() });
    let again = RangeCache::new(memory, "s3://bucket/lake", elsewhere() as Arc<dyn ObjectStore>);
    assert!(scan(&again, room.tree).await.is_ok(), "the same namespace is answered from memory");
}

#[tokio::test]
async fn memory_is_bounded_by_bytes_for_each_kind_of_things() {
    let room = Room::new().await;
    let ranges = room.ranges().await;
    let everything = memory();
    let fill = async |memory: &Arc<RangeMemory>| {
        let cache = room.cache_over(memory);
        for _ in 0..2 {
            assert_eq!(scan(&cache, room.tree).await.unwrap(), records());
            open_all(&cache, &ranges).await.unwrap();
        }
        memory.indexes.settle();
        memory.blocks.settle();
        memory.files.settle();
        memory.metaranges.settle();
        memory.counts()
    };
    let all = fill(&everything).await;
    let options = CacheOptions {
        metarange_bytes: 0,
        index_bytes: all.indexes.bytes_held / 2,
        block_bytes: all.blocks.bytes_held / 2,
        file_bytes: all.files.bytes_held / 2,
    };
    let held = fill(&Arc::new(RangeMemory::new(options))).await;
    assert_eq!(held.metaranges.bytes_held, 0);
    for (held, capacity) in [
        (held.indexes, options.index_bytes),
        (held.blocks, options.block_bytes),
        (held.files, options.file_bytes),
    ] {
        assert!((1..=capacity).contains(&held.bytes_held), "{held:?} of {capacity}");
    }
}
