//! Several installations in one cluster.

use std::time::Duration;

use tokio::time::Instant;

use super::support::{
    all, b, begin_pessimistic, client_with, committed, conflict, get, memory, pairs, put, settings,
};
use crate::testing::{Options, TestCluster};
use crate::{ConflictReason, Error, KeyRange, ScanOptions, Settings};

async fn cluster() -> TestCluster {
    let keyspaces = vec![("one".to_owned(), 1), ("two".to_owned(), 0xFF_FF_FF)];
    TestCluster::start(Options { keyspaces, ..memory() }).await.unwrap()
}

fn of(name: &str) -> Settings {
    Settings { keyspace: Some(name.into()), ..settings() }
}

#[tokio::test(start_paused = true)]
async fn installations_do_not_see_each_other() {
    let cluster = cluster().await;
    let (one, two) = (client_with(&cluster, of("one")).await, client_with(&cluster, of("two")).await);
    put(&one, &[("a", "1"), ("b", "1")]).await;
    put(&two, &[("a", "2")]).await;
    assert_eq!(all(&one).await, pairs(&[("a", "1"), ("b", "1")]));
    assert_eq!(all(&two).await, pairs(&[("a", "2")]));
    let snapshot = one.snapshot().await.unwrap();
    assert_eq!(snapshot.scan(&KeyRange::all(), ScanOptions::last(1)).await, Ok(pairs(&[("b", "1")])));
    assert_eq!(snapshot.batch_get(&["b", "x"].map(b)).await, Ok(vec![Some(b("1")), None]));
    assert_eq!(cluster.value(b"x\0\0\x01a"), Some(b("1")));
    one.destroy_range(&KeyRange::all()).await.unwrap();
    assert_eq!((all(&one).await, all(&two).await), (Vec::new(), pairs(&[("a", "2")])));
}

#[tokio::test(start_paused = true)]
async fn errors_name_the_callers_keys() {
    let cluster = cluster().await;
    let client = client_with(&cluster, of("one")).await;
    let mut holder = begin_pessimistic(&client).await;
    holder.lock_for_update(b"a", Duration::ZERO).await.unwrap();
    let mut other = begin_pessimistic(&client).await;
    let error = other.lock_for_update(b"a", Duration::ZERO).await.unwrap_err();
    assert!(matches!(&error, Error::Locked { key, .. } if key == "a"), "{error}");
    let mut writer = super::support::begin(&client).await;
    writer.put(b("a"), b("1"));
    assert_eq!(conflict(writer).await, (b("a"), ConflictReason::Held));
    holder.put(b("a"), b("2"));
    committed(holder).await;
    assert_eq!(get(&client, "a").await, Some(b("2")));
}

#[tokio::test(start_paused = true)]
async fn a_keyspace_that_is_not_there_is_refused_by_name() {
    let cluster = cluster().await;
    let began = Instant::now();
    let refused = cluster.client(of("three"), 1).await.unwrap_err();
    assert!(matches!(&refused, Error::NoKeyspace { name, .. } if name == "three"), "{refused}");
    assert!(began.elapsed() < Duration::from_secs(1), "no other try would find it");
}
