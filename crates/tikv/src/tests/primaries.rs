//! Which key decides about a transaction.

use std::time::Duration;

use super::support::{b, get, put, settings};
use crate::Client;
use crate::proto::kvrpcpb::{Mutation, Op, PessimisticLockRequest};
use crate::testing::tests::World;
use crate::testing::{HeldLock, Options};

/// Locks a key for a transaction of a client unlike ours, which may have chosen another primary since.
async fn lock(world: &World, key: &'static str, primary: &'static str, start: u64, ttl: Duration) {
    let mutation = Mutation { op: Op::PessimisticLock.into(), key: key.into(), ..Default::default() };
    let request = PessimisticLockRequest {
        context: world.context(key).await,
        mutations: vec![mutation],
        primary_lock: primary.into(),
        start_version: start,
        for_update_ts: start,
        lock_ttl: ttl.as_millis().try_into().unwrap(),
        wait_timeout: -1,
        ..Default::default()
    };
    let answer = world.leader(key).await.kv_pessimistic_lock(request).await.unwrap().into_inner();
    assert_eq!((answer.region_error, answer.errors), (None, vec![]));
}

#[tokio::test]
async fn a_lock_that_names_a_key_which_does_not_decide_tells_nothing_of_its_transaction() {
    let world = World::start(Options::default()).await;
    let (short, long) = (Duration::from_millis(1), Duration::from_secs(100));
    let start = world.cluster.timestamp();
    lock(&world, "c", "c", start, long).await;
    lock(&world, "a", "c", start, short).await;
    // Left over from when "a" was to decide.
    lock(&world, "b", "a", start, short).await;
    world.cluster.advance(Duration::from_secs(1));
    let client = Client::connect(&world.cluster.endpoints(), settings(), 1).await.unwrap();
    put(&client, &[("b", "1")]).await;
    assert_eq!(get(&client, "b").await, Some(b("1")), "what was left over is cleared away");
    let held: Vec<HeldLock> = world.cluster.locks();
    let held: Vec<(&[u8], u64)> = held.iter().map(|lock| (&lock.key[..], lock.start)).collect();
    assert_eq!(
        held,
        [(&b"a"[..], start), (&b"c"[..], start)],
        "the transaction lives on, and holds its keys"
    );
}
