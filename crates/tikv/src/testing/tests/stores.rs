use super::*;
use crate::proto::kvrpcpb::{
    BatchGetRequest, DeleteRangeRequest, GcRequest, PessimisticLockRequest, ResolveLockRequest,
    ScanLockRequest, ScanRequest, TxnHeartBeatRequest, UnsafeDestroyRangeRequest,
};
use crate::testing::Call;

fn scan(start: &'static str, end: &'static str, version: u64) -> ScanRequest {
    ScanRequest { start_key: start.into(), end_key: end.into(), limit: 100, version, ..Default::default() }
}

impl World {
    async fn scan(&self, of: &str, request: ScanRequest) -> Vec<Bytes> {
        let request = ScanRequest { context: self.context(of).await, ..request };
        let answer = self.leader(of).await.kv_scan(request).await.unwrap().into_inner();
        assert_eq!(answer.region_error, None);
        answer.pairs.into_iter().map(|pair| pair.key).collect()
    }
}

#[tokio::test]
async fn what_is_written_is_read() {
    let world = World::of_two_regions().await;
    let (before, after) = (world.write("a").await - 1, world.write("z").await);
    assert_eq!(world.get("a", after).await.unwrap().value, "a");
    assert!(world.get("a", before).await.unwrap().not_found);
    let keys = vec!["a".into(), "b".into()];
    let request = BatchGetRequest { context: world.context("a").await, keys, version: after };
    let answer = world.leader("a").await.kv_batch_get(request).await.unwrap().into_inner();
    assert_eq!(answer.pairs.len(), 1, "keys without value are left out");
    assert_eq!(world.cluster.value(b"z"), Some("z".into()));
    assert_eq!(world.cluster.counts().of(Call::KvPrewrite), 2);
}

#[tokio::test]
async fn a_lock_is_told_to_readers() {
    let world = World::of_two_regions().await;
    let start = world.cluster.timestamp();
    world.prewrite("a", start).await.unwrap();
    let locked = world.get("a", start + 1).await.unwrap().error.unwrap().locked.unwrap();
    assert_eq!((locked.lock_version, locked.lock_ttl, &locked.primary_lock[..]), (start, 3000, &b"a"[..]));
    let request = ScanRequest { context: world.context("a").await, ..scan("", "", start + 1) };
    let answer = world.leader("a").await.kv_scan(request).await.unwrap().into_inner();
    assert!(answer.pairs[0].error.is_some() && answer.error.is_none());
}

#[tokio::test]
async fn a_scan_stays_in_its_region() {
    let world = World::of_two_regions().await;
    for key in ["a", "b", "n", "o"] {
        world.write(key).await;
    }
    let now = world.cluster.timestamp();
    assert_eq!(world.scan("a", scan("", "", now)).await, ["a", "b"]);
    assert_eq!(world.scan("a", scan("b", "z", now)).await, ["b"]);
    assert_eq!(world.scan("n", scan("m", "o", now)).await, ["n"]);
    assert_eq!(world.scan("a", ScanRequest { limit: 1, ..scan("", "", now) }).await, ["a"]);
    let back = |start, end| ScanRequest { reverse: true, ..scan(start, end, now) };
    assert_eq!(world.scan("a", back("m", "")).await, ["b", "a"]);
    assert_eq!(world.scan("n", back("zz", "o")).await, ["o"]);
    let request = ScanRequest { context: world.context("n").await, ..back("", "") };
    let answer = world.leader("n").await.kv_scan(request).await.unwrap().into_inner();
    assert!(
        answer.region_error.unwrap().key_not_in_region.is_some(),
        "backwards the empty key is the least of all"
    );
}

#[tokio::test]
async fn a_request_by_an_old_map_is_refused_before_anything_is_done() {
    let world = World::start(Options { stores: 3, ..Options::default() }).await;
    let old = world.context("a").await;
    let start = world.cluster.timestamp();
    world.cluster.split(b"m");
    let request = PrewriteRequest { context: old.clone(), ..put("a", start) };
    let answer = world.store(1).await.kv_prewrite(request.clone()).await.unwrap().into_inner();
    let current = answer.region_error.unwrap().epoch_not_match.unwrap().current_regions;
    let mut bounds: Vec<_> = current.iter().map(bounds).collect();
    bounds.sort();
    assert_eq!(bounds, [("".into(), "m".into()), ("m".into(), "".into())]);

    world.cluster.move_leader(b"m", Some(2));
    let answer = world.store(1).await.kv_prewrite(request.clone()).await.unwrap().into_inner();
    assert_eq!(answer.region_error.unwrap().not_leader.unwrap().leader.unwrap().store_id, 2);
    let answer = world.store(3).await.kv_prewrite(request.clone()).await.unwrap().into_inner();
    assert!(answer.region_error.unwrap().store_not_match.is_some());
    let nowhere = PrewriteRequest { context: None, ..request };
    let answer = world.store(1).await.kv_prewrite(nowhere).await.unwrap().into_inner();
    assert!(answer.region_error.is_some());
    assert_eq!(world.cluster.locks(), []);
}

#[tokio::test]
async fn a_key_outside_of_the_region_is_refused() {
    let world = World::of_two_regions().await;
    let request = PrewriteRequest { context: world.context("a").await, ..put("z", 10) };
    let answer = world.leader("a").await.kv_prewrite(request).await.unwrap().into_inner();
    assert!(answer.region_error.unwrap().key_not_in_region.is_some());
    let context = world.context("a").await;
    let request = GetRequest { context, key: "z".into(), version: 10 };
    let answer = world.leader("a").await.kv_get(request).await.unwrap().into_inner();
    assert!(answer.region_error.unwrap().key_not_in_region.is_some());
}

#[tokio::test]
async fn a_write_that_is_too_large_is_refused() {
    let world = World::of_two_regions().await;
    let mut request = PrewriteRequest { context: world.context("a").await, ..put("a", 10) };
    request.mutations[0].value = vec![0; 9 << 20].into();
    let answer = world.leader("a").await.kv_prewrite(request).await.unwrap().into_inner();
    assert!(answer.region_error.unwrap().raft_entry_too_large.is_some());
}

#[tokio::test]
async fn a_new_leader_commits_after_what_readers_of_the_old_one_saw() {
    let world = World::of_two_regions().await;
    let start = world.cluster.timestamp();
    let read = world.cluster.timestamp();
    world.get("a", read).await.unwrap();
    world.cluster.move_leader(b"a", Some(2));
    let request = PrewriteRequest { context: world.context("a").await, try_one_pc: true, ..put("a", start) };
    let answer = world.leader("a").await.kv_prewrite(request).await.unwrap().into_inner();
    assert!(answer.one_pc_commit_ts > read);
    assert!(world.get("a", read).await.unwrap().not_found);
}

#[tokio::test]
async fn odd_requests_are_answered() {
    let world = World::of_two_regions().await;
    let context = world.context("a").await;
    let mut store = world.leader("a").await;
    let mut uneven =
        PrewriteRequest { context: context.clone(), pessimistic_actions: vec![1], ..put("a", 10) };
    uneven.mutations.extend(put("b", 10).mutations);
    assert_ne!(store.kv_prewrite(uneven).await.unwrap().into_inner().errors[0].abort, "");
    let mut unfit = PrewriteRequest { context: context.clone(), ..put("a", u64::MAX) };
    unfit.mutations[0].op = Op::PessimisticLock.into();
    assert_ne!(store.kv_prewrite(unfit).await.unwrap().into_inner().errors[0].abort, "");
    let late = PrewriteRequest {
        context: context.clone(),
        try_one_pc: true,
        min_commit_ts: u64::MAX,
        lock_ttl: u64::MAX,
        ..put("a", u64::MAX)
    };
    store.kv_prewrite(late).await.unwrap();
    let empty = PessimisticLockRequest { context: context.clone(), ..Default::default() };
    store.kv_pessimistic_lock(empty).await.unwrap();
    let upside_down = ScanRequest { context: context.clone(), ..scan("b", "a", u64::MAX) };
    assert_eq!(store.kv_scan(upside_down).await.unwrap().into_inner().pairs, []);
    let nobody =
        TxnHeartBeatRequest { context, primary_lock: "a".into(), start_version: 3, ..Default::default() };
    assert!(store.kv_txn_heart_beat(nobody).await.unwrap().into_inner().error.is_some());
}

#[tokio::test]
async fn garbage_is_found_and_collected_by_region() {
    let world = World::of_two_regions().await;
    let start = world.cluster.timestamp();
    world.prewrite("a", start).await.unwrap();
    world.prewrite("n", start).await.unwrap();
    let context = world.context("a").await;
    let mut store = world.leader("a").await;
    let request = ScanLockRequest { context: context.clone(), max_version: start, ..Default::default() };
    let locks = store.kv_scan_lock(request).await.unwrap().into_inner().locks;
    assert_eq!(locks.iter().map(|lock| &lock.key[..]).collect::<Vec<_>>(), [b"a"]);
    let request = ResolveLockRequest { context: context.clone(), start_version: start, ..Default::default() };
    assert_eq!(store.kv_resolve_lock(request).await.unwrap().into_inner().error, None);
    let left: Vec<Bytes> = world.cluster.locks().into_iter().map(|lock| lock.key).collect();
    assert_eq!(left, ["n"]);
    let first = world.write("a").await;
    let second = world.write("a").await;
    store.kv_gc(GcRequest { context: context.clone(), safe_point: second }).await.unwrap();
    assert!(world.get("a", first).await.unwrap().not_found);
    let request =
        DeleteRangeRequest { context, start_key: "a".into(), end_key: "b".into(), ..Default::default() };
    store.kv_delete_range(request).await.unwrap();
    assert_eq!(world.cluster.value(b"a"), None);
}

#[tokio::test]
async fn a_range_is_gone_only_when_every_store_was_asked() {
    let world = World::of_two_regions().await;
    world.cluster.move_leader(b"n", Some(2));
    for key in ["l", "n", "x"] {
        world.write(key).await;
    }
    let request =
        UnsafeDestroyRangeRequest { start_key: "l".into(), end_key: "o".into(), ..Default::default() };
    let values = || [world.cluster.value(b"l"), world.cluster.value(b"n"), world.cluster.value(b"x")];
    world.store(1).await.unsafe_destroy_range(request.clone()).await.unwrap();
    assert_eq!(values(), [None, Some("n".into()), Some("x".into())]);
    world.store(2).await.unsafe_destroy_range(request).await.unwrap();
    assert_eq!(values(), [None, None, Some("x".into())]);
}

#[tokio::test]
async fn regions_split_as_they_grow() {
    let world = World::start(Options { split_above: Some(4), ..Options::default() }).await;
    for key in ["a", "b", "c", "d", "e"] {
        world.write(key).await;
    }
    let starts: Vec<Bytes> = world.cluster.regions().into_iter().map(|region| region.start).collect();
    assert_eq!(starts, ["", "c"]);
}
