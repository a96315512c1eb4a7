//! Fences on this store, and what happens without either half of one.

use super::{
    Subject,
    support::{LONG, SHORT, b, commit, conflict, get, optimistic, pessimistic, put},
};
use crate::{Fence, FenceError, KeyRange, Kv, KvError, LanePool, Mode, Outcome, ScanOptions};
use std::sync::Arc;
use tokio::task::JoinSet;

const LANES: u16 = 4;
/// More turns than any writer needs to meet a seal.
const MANY: usize = 20_000;

fn fence() -> Fence {
    Fence::new(b("fence/"), LANES)
}

async fn seal(kv: &dyn Kv) {
    let mut txn = pessimistic(kv).await;
    let held = fence().exclusive(&mut *txn, LONG).await.unwrap();
    held.seal(&mut *txn);
    txn.put(b("state"), b("sealed"));
    commit(txn).await;
}

pub async fn lanes_do_not_meet(subject: Subject) {
    let kv = &*subject.kv;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    fence().shared(&mut *first, 0).await.unwrap();
    fence().shared(&mut *second, 1).await.unwrap();
    commit(first).await;
    commit(second).await;
}

pub async fn one_lane_is_one_at_a_time(subject: Subject) {
    let kv = &*subject.kv;
    let (mut first, mut second) = (optimistic(kv).await, optimistic(kv).await);
    fence().shared(&mut *first, 3).await.unwrap();
    fence().shared(&mut *second, 3).await.unwrap();
    commit(first).await;
    assert_eq!(conflict(second).await.0, fence().key(3));
}

pub async fn numbers_have_no_gaps(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = optimistic(kv).await;
    assert_eq!(fence().shared(&mut *txn, 1).await.unwrap().number, 0);
    assert_eq!(fence().shared_many(&mut *txn, 1, 3).await.unwrap().number, 1);
    assert_eq!(fence().shared(&mut *txn, 1).await.unwrap().number, 4);
    assert_eq!(fence().shared(&mut *txn, 2).await.unwrap().number, 0, "each lane counts for itself");
    commit(txn).await;

    let mut dropped = optimistic(kv).await;
    assert_eq!(fence().shared(&mut *dropped, 1).await.unwrap().number, 5);
    drop(dropped);
    let mut next = optimistic(kv).await;
    assert_eq!(fence().shared(&mut *next, 1).await.unwrap().number, 5);
}

pub async fn numbers_taken_under_the_fence_go_on_from_those_before(subject: Subject) {
    let kv = &*subject.kv;
    let mut txn = optimistic(kv).await;
    fence().shared_many(&mut *txn, 1, 3).await.unwrap();
    fence().shared(&mut *txn, 2).await.unwrap();
    commit(txn).await;
    let mut txn = pessimistic(kv).await;
    let mut held = fence().exclusive(&mut *txn, LONG).await.unwrap();
    assert_eq!((held.take_numbers(1, 2).number, held.take_numbers(0, 4).number), (3, 0));
    assert_eq!(held.numbers_given(), 10);
    held.keep_open(&mut *txn);
    commit(txn).await;
    let mut txn = optimistic(kv).await;
    assert_eq!(fence().shared(&mut *txn, 1).await.unwrap().number, 5);
    assert_eq!(fence().shared(&mut *txn, 0).await.unwrap().number, 4);
    drop(txn);
    assert_eq!(fence().numbers_given(&*kv.snapshot().await.unwrap()).await, Ok(10));
}

pub async fn nobody_passes_a_sealed_fence(subject: Subject) {
    let kv = &*subject.kv;
    seal(kv).await;
    let mut txn = optimistic(kv).await;
    for lane in 0..LANES {
        assert_eq!(fence().shared(&mut *txn, lane).await, Err(FenceError::Sealed));
    }
}

pub async fn a_write_after_the_seal_is_impossible(subject: Subject) {
    let kv = &*subject.kv;
    let mut paused = optimistic(kv).await;
    fence().shared(&mut *paused, 2).await.unwrap();
    paused.put(b("entry"), b("late"));
    seal(kv).await;
    assert_eq!(conflict(paused).await.0, fence().key(2));
    assert_eq!(get(kv, "entry").await, None);
}

/// That the test above would fail if writers did not pass the fence.
pub async fn without_the_pass_a_write_after_the_seal_is_possible(subject: Subject) {
    let kv = &*subject.kv;
    let mut paused = optimistic(kv).await;
    assert_eq!(paused.get(b"state").await.unwrap(), None);
    paused.put(b("entry"), b("late"));
    seal(kv).await;
    commit(paused).await;
    assert_eq!(get(kv, "entry").await, Some(b("late")));
}

/// That the test above would fail if sealers did not take the fence.
pub async fn without_the_seal_a_write_after_it_is_possible(subject: Subject) {
    let kv = &*subject.kv;
    let mut paused = optimistic(kv).await;
    fence().shared(&mut *paused, 2).await.unwrap();
    paused.put(b("entry"), b("late"));
    put(kv, "state", "sealed").await;
    commit(paused).await;
    assert_eq!(get(kv, "entry").await, Some(b("late")));
}

pub async fn a_fence_kept_open_stops_paused_writers_only(subject: Subject) {
    let kv = &*subject.kv;
    let mut early = optimistic(kv).await;
    fence().shared(&mut *early, 1).await.unwrap();
    commit(early).await;
    let mut paused = optimistic(kv).await;
    fence().shared(&mut *paused, 1).await.unwrap();

    let mut exclusive = pessimistic(kv).await;
    let held = fence().exclusive(&mut *exclusive, LONG).await.unwrap();
    assert!(!held.was_sealed());
    held.keep_open(&mut *exclusive);
    commit(exclusive).await;

    assert_eq!(conflict(paused).await.0, fence().key(1));
    let mut next = optimistic(kv).await;
    assert_eq!(fence().shared(&mut *next, 1).await.unwrap().number, 1);
    commit(next).await;
}

pub async fn an_exclusive_fence_keeps_writers_out(subject: Subject) {
    let kv = &*subject.kv;
    let mut sealing = pessimistic(kv).await;
    let held = fence().exclusive(&mut *sealing, LONG).await.unwrap();
    let mut writing = optimistic(kv).await;
    fence().shared(&mut *writing, 0).await.unwrap();
    conflict(writing).await;
    let mut other = pessimistic(kv).await;
    let refused = fence().exclusive(&mut *other, SHORT).await.unwrap_err();
    assert!(matches!(refused, FenceError::Kv(KvError::LockTimeout { .. })), "{refused}");
    held.keep_open(&mut *sealing);
    commit(sealing).await;
    drop(other);
    seal(kv).await;
}

pub async fn a_seal_is_found_by_the_next(subject: Subject) {
    let kv = &*subject.kv;
    seal(kv).await;
    let mut txn = pessimistic(kv).await;
    let held = fence().exclusive(&mut *txn, LONG).await.unwrap();
    assert!(held.was_sealed());
    held.keep_open(&mut *txn);
    commit(txn).await;
    nobody_passes(kv).await;
}

async fn nobody_passes(kv: &dyn Kv) {
    let mut txn = optimistic(kv).await;
    assert_eq!(fence().shared(&mut *txn, 0).await, Err(FenceError::Sealed));
}

pub async fn a_sealer_sees_every_write_there_will_ever_be(subject: Subject) {
    let kv = &subject.kv;
    let lanes = LanePool::new(LANES, 1);
    let mut writers = JoinSet::new();
    for writer in 0..6 {
        writers.spawn(write_until_sealed(Arc::clone(kv), lanes.clone(), writer));
    }
    while get(&**kv, "entry/3/5").await.is_none() {
        tokio::task::yield_now().await;
    }
    let mut txn = pessimistic(&**kv).await;
    let held = fence().exclusive(&mut *txn, LONG).await.unwrap();
    let entries = KeyRange::prefix(b"entry/");
    let seen = txn.scan(&entries, ScanOptions::first(usize::MAX)).await.unwrap();
    held.seal(&mut *txn);
    commit(txn).await;

    let written: usize = writers.join_all().await.into_iter().sum();
    let snapshot = kv.snapshot().await.unwrap();
    assert_eq!(snapshot.scan(&entries, ScanOptions::first(usize::MAX)).await.unwrap(), seen);
    assert_eq!(written, seen.len());
}

/// Writes entries until the fence is sealed; returns how many.
async fn write_until_sealed(kv: Arc<dyn Kv>, lanes: LanePool, writer: usize) -> usize {
    let mut written = 0;
    let mut lane = lanes.acquire().await;
    for _ in 0..MANY {
        let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
        match fence().shared(&mut *txn, lane.lane()).await {
            Ok(pass) => assert_eq!(pass.lane, lane.lane()),
            Err(FenceError::Sealed) => return written,
            Err(other) => panic!("{other}"),
        }
        txn.put(b(format!("entry/{writer}/{written}")), b(""));
        match txn.commit().await {
            Outcome::Committed(_) => {
                written += 1;
                drop(lane);
                lane = lanes.acquire().await;
            }
            Outcome::Conflict(_) => {
                lane.move_on();
                tokio::task::yield_now().await;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("writer {writer} never met the seal");
}
