//! How many calls each operation takes, once the regions are known.

use super::support::{b, begin, calls, client, committed, split_cluster};
use crate::testing::{Call, TestCluster};
use crate::{Client, KeyRange, ScanOptions};

/// Keys in one region.
const NEAR: [&str; 10] = ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"];
/// Keys in three.
const FAR: [&str; 10] = ["a0", "a1", "a2", "a3", "k0", "k1", "k2", "x0", "x1", "x2"];

/// A cluster of three regions, and a client that knows them.
async fn known_regions() -> (TestCluster, Client) {
    let cluster = split_cluster(&["h", "p"]).await;
    let client = client(&cluster).await;
    client.snapshot().await.unwrap().batch_get(&FAR.map(b)).await.unwrap();
    calls(&cluster);
    (cluster, client)
}

async fn put(client: &Client, keys: &[&str]) {
    let mut txn = begin(client).await;
    keys.iter().for_each(|key| txn.put(b(key), b("value")));
    committed(txn).await;
}

#[tokio::test(start_paused = true)]
async fn a_commit_in_one_region_is_one_call_after_its_timestamp() {
    let (cluster, client) = known_regions().await;
    for keys in [&NEAR[..1], &NEAR] {
        put(&client, keys).await;
        client.timestamp().await.unwrap();
        assert_eq!(calls(&cluster), [(Call::KvPrewrite, 1), (Call::Tso, 2)], "the last one is ours");
    }
}

/// In sequence: a timestamp, the first phase in all regions at once, a timestamp, the primary's second phase.
#[tokio::test(start_paused = true)]
async fn a_commit_over_three_regions_is_two_calls_in_sequence_to_each() {
    let (cluster, client) = known_regions().await;
    put(&client, &FAR).await;
    client.close().await;
    assert_eq!(calls(&cluster), [(Call::KvPrewrite, 3), (Call::KvCommit, 3), (Call::Tso, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_read_is_one_call_a_region_after_its_timestamp() {
    let (cluster, client) = known_regions().await;
    put(&client, &FAR).await;
    client.close().await;
    let client = super::support::client(&cluster).await;
    client.snapshot().await.unwrap().batch_get(&FAR.map(b)).await.unwrap();
    calls(&cluster);
    let snapshot = client.snapshot().await.unwrap();
    assert_eq!(calls(&cluster), [(Call::Tso, 1)]);
    snapshot.get(b"a0").await.unwrap();
    assert_eq!(calls(&cluster), [(Call::KvGet, 1)]);
    snapshot.batch_get(&NEAR.map(b)).await.unwrap();
    assert_eq!(calls(&cluster), [(Call::KvBatchGet, 1)]);
    snapshot.batch_get(&FAR.map(b)).await.unwrap();
    assert_eq!(calls(&cluster), [(Call::KvBatchGet, 3)]);
    snapshot.scan(&KeyRange::new("a", "b"), ScanOptions::first(100)).await.unwrap();
    assert_eq!(calls(&cluster), [(Call::KvScan, 1)]);
    snapshot.scan(&KeyRange::new("a", "z"), ScanOptions::first(100)).await.unwrap();
    assert_eq!(calls(&cluster), [(Call::KvScan, 3)]);
}
