//! Old versions, left locks, dropped ranges.

use std::time::Duration;

use super::support::{
    Mortal, all, b, begin, client, client_with, get, impatient, memory, pairs, put, settings, split_cluster,
};
use crate::proto::pdpb::UpdateServiceGcSafePointRequest;
use crate::proto::pdpb::pd_client::PdClient;
use crate::testing::{Call, Effect, Filter, Options, TestCluster, When};
use crate::{Error, KeyRange, Settings, Timestamp};

/// Leaves a lock on each key, of transactions of a client that died.
async fn leave_locks(cluster: &TestCluster, keys: &'static [&'static str]) {
    let mortal = Mortal::connect(cluster, Settings { one_phase: false, ..settings() }).await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    let mut held = Vec::new();
    for key in keys {
        mortal.spawn(move |client| async move {
            let mut txn = begin(&client).await;
            txn.put(b(key), b("left"));
            drop(txn.commit().await);
        });
        held.push(locked.reached().await);
    }
    mortal.kill();
    held.into_iter().for_each(crate::testing::Held::lose);
    assert_eq!(cluster.locks().len(), keys.len());
}

#[tokio::test(start_paused = true)]
async fn all_locks_up_to_a_timestamp_are_resolved_in_every_region() {
    let cluster = split_cluster(&["c", "m", "t"]).await;
    let client = client(&cluster).await;
    leave_locks(&cluster, &["a", "b", "d", "z"]).await;
    let early = client.timestamp().await.unwrap();
    leave_locks_later(&cluster).await;
    let some = KeyRange::new("b", "m");
    assert_eq!(client.resolve_locks_in(&some, early).await, Ok(2), "of the range alone");
    assert_eq!(client.resolve_locks(early).await, Ok(2), "alive or not");
    assert_eq!(cluster.locks().len(), 1, "what began later stays");
    assert_eq!(client.resolve_locks(early).await, Ok(0));
}

async fn leave_locks_later(cluster: &TestCluster) {
    let mortal = Mortal::connect(cluster, Settings { one_phase: false, ..settings() }).await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    mortal.spawn(|client| async move { put(&client, &[("later", "")]).await });
    let held = locked.reached().await;
    mortal.kill();
    held.lose();
}

#[tokio::test(start_paused = true)]
async fn garbage_is_collected_up_to_the_retention_after_its_locks_were_resolved() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "old")]).await;
    leave_locks(&cluster, &["b", "z"]).await;
    cluster.advance(Duration::from_secs(25 * 60 * 60));
    put(&client, &[("a", "new")]).await;
    let now = client.timestamp().await.unwrap();
    let safe_point = client.collect_garbage().await.unwrap();
    let age = now.physical() - safe_point.physical();
    assert!(age <= 24 * 60 * 60 * 1000, "{age}");
    assert_eq!(u64::from(safe_point), cluster.safe_point());
    assert!(cluster.locks().is_empty());
    assert_eq!(all(&client).await, pairs(&[("a", "new")]));
}

#[tokio::test]
async fn what_other_services_still_need_is_kept() {
    let cluster = TestCluster::start(Options::default()).await.unwrap();
    let client = client(&cluster).await;
    let needed = client.timestamp().await.unwrap();
    let mut pd = PdClient::connect(format!("http://{}", cluster.endpoints()[0])).await.unwrap();
    let request = UpdateServiceGcSafePointRequest {
        header: Some(crate::proto::pdpb::RequestHeader { cluster_id: 0x7E57, sender_id: 0 }),
        service_id: "backup".into(),
        ttl: 1_000_000,
        safe_point: needed.into(),
    };
    pd.update_service_gc_safe_point(request).await.unwrap();
    cluster.advance(Duration::from_secs(30 * 60 * 60));
    assert_eq!(client.collect_garbage().await, Ok(needed));
}

#[tokio::test(start_paused = true)]
async fn the_safe_point_stays_while_a_lock_cannot_be_resolved() {
    let cluster = split_cluster(&["m"]).await;
    let client = client_with(&cluster, impatient()).await;
    leave_locks(&cluster, &["z"]).await;
    cluster.advance(Duration::from_secs(25 * 60 * 60));
    for call in [Call::KvScanLock, Call::KvCheckTxnStatus, Call::KvResolveLock] {
        let fault = cluster.inject(Filter::on(call), Effect::LoseRequest);
        assert!(matches!(client.collect_garbage().await, Err(Error::Deadline { .. })));
        assert_eq!(cluster.safe_point(), 0);
        cluster.withdraw(&fault);
    }
    assert!(client.collect_garbage().await.unwrap() > Timestamp::default());
}

#[tokio::test(start_paused = true)]
async fn a_range_is_destroyed_on_every_store() {
    let cluster = split_cluster(&["c", "e"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("b", "1"), ("d", "1"), ("f", "1")]).await;
    client.close().await;
    let client = super::support::client(&cluster).await;
    cluster.move_leader(b"d", Some(2));
    cluster.move_leader(b"f", Some(3));
    let before = client.snapshot().await.unwrap();
    client.destroy_range(&KeyRange::new("b", "f")).await.unwrap();
    assert_eq!(all(&client).await, pairs(&[("a", "1"), ("f", "1")]));
    assert_eq!(before.get(b"d").await, Ok(None), "it is gone from history too");
    assert_eq!(cluster.count(Call::UnsafeDestroyRange), 3);
    client.destroy_range(&KeyRange::new("b", "b")).await.unwrap();
    assert_eq!(cluster.count(Call::UnsafeDestroyRange), 3);
}

#[tokio::test(start_paused = true)]
async fn a_range_is_destroyed_only_when_every_store_has_done_it() {
    let cluster = split_cluster(&[]).await;
    let client = client_with(&cluster, impatient()).await;
    let range = KeyRange::new("a", "b");
    let fault = cluster.inject(Filter::on(Call::UnsafeDestroyRange).at_store(3), Effect::LoseReply);
    assert!(matches!(client.destroy_range(&range).await, Err(Error::Deadline { .. })));
    cluster.withdraw(&fault);
    cluster.inject(Filter::on(Call::GetAllStores).times(2), Effect::Empty);
    client.destroy_range(&range).await.unwrap();
    cluster.stop_store(2).await;
    assert!(matches!(client.destroy_range(&range).await, Err(Error::Deadline { .. })));
}

#[tokio::test(start_paused = true)]
async fn the_garbage_of_all_keyspaces_is_collected_together() {
    let keyspaces = vec![("one".to_owned(), 1), ("two".to_owned(), 2)];
    let cluster = TestCluster::start(Options { keyspaces, ..memory() }).await.unwrap();
    let of = |name: &str| Settings { keyspace: Some(name.into()), one_phase: false, ..settings() };
    let mortal = Mortal::connect(&cluster, of("two")).await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    mortal.spawn(|client| async move { put(&client, &[("a", "")]).await });
    let held = locked.reached().await;
    mortal.kill();
    held.lose();
    cluster.advance(Duration::from_secs(25 * 60 * 60));
    let client = client_with(&cluster, of("one")).await;
    client.collect_garbage().await.unwrap();
    assert!(cluster.locks().is_empty(), "the other keyspace's lock would stay behind the safe point");
    assert_eq!(get(&client, "a").await, None);
}
