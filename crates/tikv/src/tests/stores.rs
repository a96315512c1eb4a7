//! Stores that die, come back elsewhere, or pass their regions on.

use std::time::Duration;

use super::support::{all, b, calls, client, client_with, get, pairs, put, settings, split_cluster};
use crate::testing::{Call, Options, TestCluster};
use crate::{Error, Settings};

#[tokio::test]
async fn a_hint_of_another_leader_is_followed_without_asking_pd() {
    let cluster = split_cluster(&[]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    cluster.move_leader(b"a", Some(2));
    get(&client, "a").await;
    cluster.move_leader(b"a", Some(1));
    calls(&cluster);
    assert_eq!(get(&client, "a").await, Some(b("1")));
    assert_eq!(calls(&cluster), [(Call::KvGet, 2), (Call::Tso, 1)]);
}

/// The published client kept the dead leader for good.
#[tokio::test]
async fn a_dead_store_does_not_keep_its_regions_unreachable() {
    let cluster = split_cluster(&["m"]).await;
    let old = client(&cluster).await;
    put(&old, &[("a", "1"), ("z", "1")]).await;
    let leader = cluster.leader_of(b"a").unwrap();
    cluster.stop_store(leader).await;
    // PD still names the dead store when the first client connects.
    let fresh = client(&cluster).await;
    let (old_read, fresh_read) = (
        tokio::spawn(async move { get(&old, "a").await }),
        tokio::spawn(async move { get(&fresh, "a").await }),
    );
    tokio::task::yield_now().await;
    cluster.fail_over(leader);
    assert_eq!((old_read.await.unwrap(), fresh_read.await.unwrap()), (Some(b("1")), Some(b("1"))));
}

/// PD does not notice the election for a while: the other replicas know.
#[tokio::test]
async fn the_other_replicas_are_asked_while_pd_names_a_dead_store() {
    let cluster = split_cluster(&[]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    cluster.hold_pd_view(true);
    let leader = cluster.leader_of(b"a").unwrap();
    cluster.stop_store(leader).await;
    cluster.fail_over(leader);
    assert_eq!(get(&client, "a").await, Some(b("1")));
    let fresh = super::support::client(&cluster).await;
    assert_eq!(get(&fresh, "a").await, Some(b("1")));
}

#[tokio::test]
async fn a_store_is_found_at_its_new_address() {
    let cluster = TestCluster::start(Options::default()).await.unwrap();
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    cluster.stop_store(1).await;
    cluster.start_store_elsewhere(1).await.unwrap();
    assert_eq!(get(&client, "a").await, Some(b("1")));
    put(&client, &[("a", "2")]).await;
    assert_eq!(all(&client).await, pairs(&[("a", "2")]));
}

#[tokio::test]
async fn a_store_that_comes_back_is_used_again() {
    let cluster = TestCluster::start(Options::default()).await.unwrap();
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    cluster.stop_store(1).await;
    let reading = {
        let client = client.clone();
        tokio::spawn(async move { get(&client, "a").await })
    };
    tokio::task::yield_now().await;
    cluster.start_store(1).await.unwrap();
    assert_eq!(reading.await.unwrap(), Some(b("1")));
}

#[tokio::test]
async fn a_replica_that_moved_is_found() {
    let cluster = TestCluster::start(Options { stores: 4, ..Options::default() }).await.unwrap();
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    let leader = cluster.leader_of(b"a").unwrap();
    assert!(cluster.move_peer(b"a", leader, 4));
    cluster.stop_store(leader).await;
    assert_eq!(get(&client, "a").await, Some(b("1")));
}

#[tokio::test]
async fn a_region_without_a_leader_is_waited_for_within_the_deadline() {
    let cluster = split_cluster(&[]).await;
    let read_deadline = Duration::from_millis(30);
    let client = client_with(&cluster, Settings { read_deadline, ..settings() }).await;
    let snapshot = client.snapshot().await.unwrap();
    cluster.move_leader(b"a", None);
    let failed = snapshot.get(b"a").await;
    assert!(
        matches!(failed, Err(Error::Deadline { operation: "get", allowed, .. }) if allowed == read_deadline)
    );
    cluster.move_leader(b"a", Some(3));
    assert_eq!(get(&client, "a").await, None);
}
