//! Gets, one and many, at their timestamp.

use super::support::{
    all, b, begin, calls, client, client_with, committed, get, put, settings, small_cluster, split_cluster,
};
use crate::testing::Call;
use crate::{Error, Settings};

#[tokio::test(start_paused = true)]
async fn a_get_is_one_call() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1")]).await;
    let snapshot = client.snapshot().await.unwrap();
    calls(&cluster);
    assert_eq!(snapshot.get(b"a").await, Ok(Some(b("1"))));
    assert_eq!(snapshot.get(b"b").await, Ok(None));
    assert_eq!(calls(&cluster), [(Call::KvGet, 2)]);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_stays_as_it_was() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("a", "old"), ("b", "")]).await;
    let snapshot = client.snapshot().await.unwrap();
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("new"));
    txn.delete(b("b"));
    let at = committed(txn).await;
    assert!(at > snapshot.timestamp());
    assert_eq!(snapshot.get(b"a").await, Ok(Some(b("old"))));
    assert_eq!(snapshot.get(b"b").await, Ok(Some(b(""))), "an empty value is a value");
    assert_eq!(get(&client, "a").await, Some(b("new")));
    assert_eq!(client.snapshot_at(at).get(b"b").await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn many_keys_are_read_with_one_call_a_region_and_answered_in_their_order() {
    let cluster = split_cluster(&["c", "e"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("b", "2"), ("c", "3"), ("e", "5")]).await;
    let snapshot = client.snapshot().await.unwrap();
    snapshot.batch_get(&[b("a"), b("c"), b("e")]).await.unwrap();
    calls(&cluster);
    let keys = ["e", "a", "x", "c", "a", "d", "b"].map(b);
    let values = snapshot.batch_get(&keys).await.unwrap();
    assert_eq!(
        values,
        ["5", "1", "", "3", "1", "", "2"].map(|value| Some(b(value)).filter(|value| !value.is_empty()))
    );
    assert_eq!(calls(&cluster), [(Call::KvBatchGet, 3)]);
    assert_eq!(snapshot.batch_get(&[]).await, Ok(Vec::new()));
}

#[tokio::test(start_paused = true)]
async fn one_snapshot_is_read_by_many_at_once() {
    let cluster = split_cluster(&["k30", "k60"]).await;
    let client = client(&cluster).await;
    let names: Vec<String> = (0..90).map(|n| format!("k{n:02}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), name.as_str())).collect();
    put(&client, &pairs).await;
    let snapshot = client.snapshot().await.unwrap();
    let reads = names.iter().map(|name| snapshot.get(name.as_bytes()));
    for (name, value) in names.iter().zip(futures::future::join_all(reads).await) {
        assert_eq!(value, Ok(Some(b(name))));
    }
}

#[tokio::test(start_paused = true)]
async fn answers_too_large_are_asked_for_in_parts() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, Settings { answer_bytes: 4096, ..settings() }).await;
    let value = "v".repeat(1000);
    let names: Vec<String> = (0..20).map(|n| format!("k{n:02}")).collect();
    for name in &names {
        put(&client, &[(name, &value)]).await;
    }
    assert_eq!(all(&client).await.len(), 20);
    let keys: Vec<_> = names.iter().map(|name| b(name)).collect();
    let values = client.snapshot().await.unwrap().batch_get(&keys).await.unwrap();
    assert!(values.iter().all(|read| read.as_ref() == Some(&b(&value))));
}

#[tokio::test(start_paused = true)]
async fn a_value_larger_than_any_answer_is_an_error() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, Settings { answer_bytes: 4096, ..settings() }).await;
    put(&client, &[("a", &"v".repeat(5000))]).await;
    let snapshot = client.snapshot().await.unwrap();
    assert!(matches!(snapshot.get(b"a").await, Err(Error::Refused { .. })));
    assert!(matches!(snapshot.batch_get(&[b("a")]).await, Err(Error::Refused { .. })));
    let scanned = snapshot.scan(&crate::KeyRange::all(), crate::ScanOptions::first(9)).await;
    assert!(matches!(scanned, Err(Error::Refused { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_closed_client_refuses() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let (snapshot, mut txn) = (client.snapshot().await.unwrap(), begin(&client).await);
    txn.put(b("a"), b("1"));
    client.close().await;
    assert_eq!(snapshot.get(b"a").await, Err(Error::Closed));
    assert_eq!(client.timestamp().await, Err(Error::Closed));
    assert_eq!(super::support::refused(txn).await, Error::Closed);
    assert_eq!(cluster.value(b"a"), None);
}
