//! Parts of ranges: what lookups and cursors read.

use std::sync::Arc;
use std::task::Poll;

use braid_objects::{Failure, Operation};
use braid_tree::{
    BlockEnds, Cursor, RangeStore, Record, TreeCursor, TreeError, TreeFormat, Value, Wanted, WriterOptions,
    lookup,
};
use bytes::Bytes;
use futures::future::join_all;

use super::support::*;
use crate::{CacheOptions, RangeMemory};

/// A record whose data does not compress.
fn record(number: u64) -> Record {
    let mut state = number;
    let data: Vec<u8> = (0..120)
        .map(|_| {
            // Knuth's generator for 64 bits.
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect();
    Record { key: key_of(number), value: Value::framed(&data[..32], &data) }
}

fn key_of(number: u64) -> Bytes {
    format!("path/{number:08}").into()
}

/// A tree of one range, far larger than its end which is read for the index.
async fn large(format: TreeFormat, count: u64) -> Room {
    let format = TreeFormat { min_bytes: 1 << 40, max_bytes: 1 << 41, ..format };
    let room = Room::of(&format, (0..count).map(record).collect()).await;
    assert_eq!(room.ranges().await.len(), 1);
    room
}

fn format() -> TreeFormat {
    TreeFormat::version(TreeFormat::LATEST).unwrap()
}

#[tokio::test]
async fn a_cold_lookup_is_two_requests_with_the_metarange_in_memory_and_three_without() {
    let room = large(format(), 20_000).await;
    let memory = memory();
    let cache = room.cache_over(&memory);
    let before = room.requests.counts();
    assert_eq!(lookup(&cache, room.tree, &key_of(5)).await.unwrap(), Some(record(5)));
    assert_eq!(room.since(&before).requests(), 3);
    cache.metarange(&room.metarange_id()).await.unwrap();

    let cache = room.cache();
    cache.metarange(&room.metarange_id()).await.unwrap();
    let before = room.requests.counts();
    assert_eq!(lookup(&cache, room.tree, &key_of(5)).await.unwrap(), Some(record(5)));
    let cold = room.since(&before);
    assert_eq!(cold.requests(), 2);
    assert!(cold.read <= 128 << 10, "{cold:?}");
    for number in [5, 4, 6] {
        assert_eq!(lookup(&cache, room.tree, &key_of(number)).await.unwrap(), Some(record(number)));
    }
    assert_eq!(lookup(&cache, room.tree, b"path/00000005x").await.unwrap(), None);
    assert_eq!(room.since(&before).requests(), 2, "warm");
    lookup(&cache, room.tree, &key_of(9_000)).await.unwrap();
    assert_eq!(room.since(&before).requests(), 3, "the index is in memory");
}

#[tokio::test]
async fn a_block_that_came_with_the_index_is_not_read_again() {
    let room = large(format(), 20_000).await;
    let cache = room.cache();
    cache.metarange(&room.metarange_id()).await.unwrap();
    let before = room.requests.counts();
    assert_eq!(lookup(&cache, room.tree, &key_of(19_999)).await.unwrap(), Some(record(19_999)));
    assert_eq!(room.since(&before).requests(), 1);
}

#[tokio::test]
async fn an_index_that_is_longer_than_what_is_read_at_first_is_read_by_another_request() {
    let tiny_blocks = TreeFormat { table: small_blocks(), ..format() };
    let room = large(tiny_blocks, 20_000).await;
    let cache = room.cache();
    cache.metarange(&room.metarange_id()).await.unwrap();
    let before = room.requests.counts();
    assert_eq!(lookup(&cache, room.tree, &key_of(7)).await.unwrap(), Some(record(7)));
    assert_eq!(room.since(&before).requests(), 3);
    assert_eq!(scan(&cache, room.tree).await.unwrap().len(), 20_000);
}

fn small_blocks() -> WriterOptions {
    WriterOptions { blocks: BlockEnds::Size(100), ..format().table }
}

#[tokio::test]
async fn readers_of_one_index_or_of_the_same_blocks_make_one_request() {
    let room = large(format(), 20_000).await;
    let memory = memory();
    let (cache, id) = (room.cache_over(&memory), room.ranges().await[0]);
    let before = room.requests.counts();
    let indexes = join_all((0..32).map(|_| cache.index(&id))).await;
    let index = indexes.into_iter().next().unwrap().unwrap();
    assert_eq!(room.since(&before).gets, 1);
    for blocks in [3..4, 10..20] {
        let before = room.requests.counts();
        for read in join_all((0..32).map(|_| cache.blocks(&id, &index, blocks.clone()))).await {
            assert_eq!(read.unwrap().len(), blocks.len());
        }
        assert_eq!(room.since(&before).gets, 1, "{blocks:?}");
    }
    let counts = memory.counts();
    assert_eq!((counts.indexes.misses, counts.indexes.hits), (1, 31));
    assert_eq!((counts.blocks.misses, counts.blocks.hits), (11, 31 * 11));
}

#[tokio::test]
async fn of_several_blocks_only_those_between_the_first_and_the_last_that_is_missing_are_read() {
    let room = large(format(), 20_000).await;
    let (cache, id) = (room.cache(), room.ranges().await[0]);
    let index = cache.index(&id).await.unwrap();
    for block in [2, 3, 6, 9] {
        cache.blocks(&id, &index, block..block + 1).await.unwrap();
    }
    let before = room.requests.counts();
    let read = cache.blocks(&id, &index, 2..10).await.unwrap();
    let missing = index.span(4..9);
    let asked = room.since(&before);
    assert_eq!((asked.gets, asked.read), (1, missing.end - missing.start));
    let whole = cache.range(&id).await.unwrap();
    for (block, read) in (2..10).zip(read) {
        let (mut left, mut right) = (read.cursor(), whole.data_block(block).unwrap().cursor());
        while let Some(record) = left.next().unwrap() {
            assert_eq!(right.next().unwrap(), Some(record));
        }
        assert_eq!(right.next().unwrap(), None);
    }
}

#[tokio::test]
async fn a_range_whose_file_is_in_memory_is_read_by_block_without_a_request() {
    let room = large(format(), 5_000).await;
    let memory = memory();
    let (cache, id) = (room.cache_over(&memory), room.ranges().await[0]);
    cache.put_range(&id, room.file(id).await).await.unwrap();
    cache.metarange(&room.metarange_id()).await.unwrap();
    let before = room.requests.counts();
    for number in [0, 2_500, 4_999, 2_500] {
        assert_eq!(lookup(&cache, room.tree, &key_of(number)).await.unwrap(), Some(record(number)));
    }
    assert_eq!(scan(&cache, room.tree).await.unwrap().len(), 5_000);
    assert_eq!(room.since(&before).requests(), 0);
    assert_eq!((memory.counts().indexes.misses, memory.counts().blocks.misses), (0, 0));
}

#[tokio::test]
async fn a_damaged_index_or_block_is_refused_by_name_and_not_kept() {
    let room = large(format(), 5_000).await;
    let (cache, id) = (room.cache(), room.ranges().await[0]);
    let whole = room.file(id).await;
    let mut damaged = whole.to_vec();
    let footer = damaged.len() - 30;
    damaged[footer] ^= 1;
    room.set_file(id, damaged.into()).await;
    let found = lookup(&cache, room.tree, &key_of(3)).await;
    assert!(matches!(found, Err(TreeError::Corrupt { file, .. }) if file == id.into()));
    room.set_file(id, whole).await;
    assert_eq!(lookup(&cache, room.tree, &key_of(3)).await, Ok(Some(record(3))));
    let index = cache.index(&id).await.unwrap();
    for blocks in [7..8, 7..12] {
        room.faults.fail(Operation::Get, 1, Failure::FlippedBit);
        let damaged = cache.blocks(&id, &index, blocks.clone()).await;
        assert!(matches!(damaged, Err(TreeError::Corrupt { file, .. }) if file == id.into()));
        assert!(cache.blocks(&id, &index, blocks).await.is_ok());
    }
}

#[tokio::test]
async fn every_flipped_bit_of_a_stored_block_is_refused() {
    let room = large(format(), 1_500).await;
    let id = room.ranges().await[0];
    let whole = room.file(id).await;
    let index = room.cache().index(&id).await.unwrap();
    let span = index.span(2..3);
    for byte in (span.start..span.end).step_by(97) {
        let mut flipped = whole.to_vec();
        flipped[byte as usize] ^= 1 << (byte % 8);
        room.set_file(id, flipped.into()).await;
        let cache = room.cache();
        let damaged = cache.blocks(&id, &index, 2..3).await;
        assert!(matches!(damaged, Err(TreeError::Corrupt { file, .. }) if file == id.into()), "byte {byte}");
    }
}

#[tokio::test]
async fn a_file_that_ends_before_its_blocks_is_refused() {
    let room = large(format(), 5_000).await;
    let (cache, id) = (room.cache(), room.ranges().await[0]);
    let index = cache.index(&id).await.unwrap();
    let whole = room.file(id).await;
    let middle = index.span(8..9).start + 10;
    room.set_file(id, whole.slice(..middle as usize)).await;
    assert!(cache.blocks(&id, &index, 2..4).await.is_ok());
    for blocks in [6..10, 9..10] {
        let damaged = cache.blocks(&id, &index, blocks).await;
        assert!(matches!(damaged, Err(TreeError::Corrupt { file, .. }) if file == id.into()));
    }
}

#[tokio::test]
async fn a_cursor_reads_a_large_range_in_few_requests_and_a_page_in_two() {
    let room = large(format(), 40_000).await;
    let cache = room.cache();
    cache.metarange(&room.metarange_id()).await.unwrap();
    let before = room.requests.counts();
    assert_eq!(scan(&cache, room.tree).await.unwrap().len(), 40_000);
    assert!(room.since(&before).gets <= 6, "{:?}", room.since(&before));

    let memory = Arc::new(RangeMemory::new(CacheOptions { block_bytes: 0, ..Default::default() }));
    let cache = room.cache_over(&memory);
    let mut cursor = TreeCursor::new(Arc::new(cache), room.tree);
    cursor.expect(Wanted { first: 1000, most: Some(1000), end: None });
    cursor.seek(&key_of(10_000)).await.unwrap();
    let before = room.requests.counts();
    for number in 10_000..11_000 {
        assert_eq!(cursor.next().await.unwrap(), Some(record(number)));
    }
    let page = room.since(&before);
    assert_eq!(page.gets, 3, "metarange, index, and all blocks of the page");
}

#[tokio::test]
async fn a_scan_goes_on_after_a_failure_of_the_store_and_after_steps_that_were_given_up() {
    let format = TreeFormat { min_bytes: 50_000, max_bytes: 200_000, ..format() };
    let room = Room::of(&format, (0..20_000).map(record).collect()).await;
    let mut cursor = TreeCursor::new(Arc::new(room.cache()), room.tree);
    let (mut found, mut failures, mut given_up) = (Vec::new(), 0, 0);
    loop {
        if [0, 5_000, 12_000].get(failures) == Some(&found.len()) {
            room.faults.heal();
            room.faults.fail(Operation::Get, 1, Failure::Unavailable);
        }
        match futures::poll!(Box::pin(cursor.next())) {
            Poll::Ready(Ok(Some(record))) => found.push(record),
            Poll::Ready(Ok(None)) => break,
            Poll::Ready(Err(error)) => {
                assert!(error.is_retryable(), "{error}");
                failures += 1;
            }
            Poll::Pending => {
                given_up += 1;
                tokio::task::yield_now().await;
            }
        }
    }
    assert_eq!(found, (0..20_000).map(record).collect::<Vec<_>>());
    assert!(failures == 3 && given_up > 10, "{failures} failures, {given_up} times given up");
}
