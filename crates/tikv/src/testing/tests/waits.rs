use std::time::Duration;

use super::*;
use crate::proto::kvrpcpb::{
    KeyError, PessimisticLockRequest, PessimisticRollbackRequest, write_conflict::Reason,
};

const LONG: i64 = 60_000;

async fn patient() -> World {
    World::start(Options { lock_wait: Duration::from_secs(60), ..Options::default() }).await
}

impl World {
    async fn lock_request(&self, key: &'static str, start: u64, wait_timeout: i64) -> PessimisticLockRequest {
        let mutation = Mutation { op: Op::PessimisticLock.into(), key: key.into(), ..Default::default() };
        PessimisticLockRequest {
            context: self.context(key).await,
            mutations: vec![mutation],
            primary_lock: key.into(),
            start_version: start,
            for_update_ts: self.cluster.timestamp(),
            lock_ttl: 3000,
            wait_timeout,
            return_values: true,
            ..Default::default()
        }
    }

    async fn lock(&self, key: &'static str, start: u64, wait_timeout: i64) -> Option<KeyError> {
        let request = self.lock_request(key, start, wait_timeout).await;
        let answer = self.leader(key).await.kv_pessimistic_lock(request).await.unwrap().into_inner();
        assert_eq!(answer.region_error, None);
        let expected = usize::from(answer.errors.is_empty());
        assert_eq!((answer.values.len(), answer.not_founds.len()), (expected, expected));
        answer.errors.into_iter().next()
    }

    async fn unlock(&self, key: &'static str, start: u64) {
        let request = PessimisticRollbackRequest {
            context: self.context(key).await,
            start_version: start,
            for_update_ts: u64::MAX,
            keys: vec![key.into()],
        };
        self.leader(key).await.kv_pessimistic_rollback(request).await.unwrap();
    }

    /// Waits until so many requests wait for locks.
    async fn waiting(&self, count: usize) {
        let mut changes = self.cluster.shared.changes();
        while self.cluster.shared.state().waits.len() != count {
            changes.changed().await.unwrap();
        }
    }
}

#[tokio::test]
async fn without_patience_the_holder_is_told() {
    let world = patient().await;
    assert_eq!(world.lock("a", 10, LONG).await, None);
    for wait in [-1, 1] {
        let locked = world.lock("a", 20, wait).await.unwrap().locked.unwrap();
        assert_eq!(locked.lock_version, 10);
    }
    world.waiting(0).await;
}

#[tokio::test]
async fn who_waited_is_told_to_try_again() {
    let world = patient().await;
    world.lock("a", 10, LONG).await;
    let (woken, ()) = tokio::join!(world.lock("a", 20, LONG), async {
        world.waiting(1).await;
        world.unlock("a", 10).await;
    });
    let conflict = woken.unwrap().conflict.unwrap();
    assert_eq!((conflict.reason(), conflict.conflict_ts), (Reason::PessimisticRetry, 10));
    assert_eq!(world.lock("a", 20, LONG).await, None);
}

#[tokio::test]
async fn a_commit_wakes_too_and_says_when() {
    let world = patient().await;
    let start = world.cluster.timestamp();
    world.prewrite("a", start).await.unwrap();
    let waiter = world.cluster.timestamp();
    let (woken, commit) = tokio::join!(world.lock("a", waiter, LONG), async {
        world.waiting(1).await;
        let commit = world.cluster.timestamp();
        world.commit("a", start, commit).await.unwrap();
        commit
    });
    assert_eq!(woken.unwrap().conflict.unwrap().conflict_commit_ts, commit);
}

#[tokio::test]
async fn a_cycle_is_broken_where_it_closes() {
    let world = patient().await;
    world.lock("a", 10, LONG).await;
    world.lock("b", 20, LONG).await;
    let (woken, ()) = tokio::join!(world.lock("b", 10, LONG), async {
        world.waiting(1).await;
        let deadlock = world.lock("a", 20, LONG).await.unwrap().deadlock.unwrap();
        assert_eq!((deadlock.lock_ts, &deadlock.lock_key[..]), (10, &b"a"[..]));
        assert_eq!((deadlock.wait_chain[0].txn, deadlock.wait_chain[0].wait_for_txn), (10, 20));
        world.unlock("b", 20).await;
    });
    assert!(woken.unwrap().conflict.is_some());
}

#[tokio::test]
async fn who_goes_away_waits_no_more() {
    let world = patient().await;
    world.lock("a", 10, LONG).await;
    tokio::select! {
        _ = world.lock("a", 20, LONG) => panic!("nobody lets it go"),
        () = world.waiting(1) => {}
    }
    world.waiting(0).await;
}
