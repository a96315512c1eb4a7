//! What either leaves locked when it dies, the other clears away.

use std::time::Duration;

use braid_tikv::testing::{Call, Filter, TestCluster, When};
use braid_tikv::{KeyRange, ScanOptions, Settings};
use bytes::Bytes;

use crate::support::{Process, Way, b, cluster, ours, put_ours, put_theirs, theirs};

const OLD: &[(&str, &str)] = &[("a", "old"), ("j", "old"), ("x", "old")];
const NEW: &[(&str, &str)] = &[("a", "new"), ("j", "new"), ("x", "new")];

fn values(cluster: &TestCluster) -> Vec<Option<Bytes>> {
    OLD.iter().map(|(key, _)| cluster.value(key.as_bytes())).collect()
}

/// Kills the published client when it is about to commit `held_key`.
async fn theirs_dies(cluster: &TestCluster, way: Way, held_key: &'static str) {
    let mut stop = cluster.stop(Filter::on(Call::KvCommit).with_key(held_key), When::Before);
    let (process, endpoints) = (Process::start(), cluster.endpoints());
    let (ready, warm) = tokio::sync::oneshot::channel();
    process.spawn(async move {
        let client = tikv_client::TransactionClient::new(endpoints).await.unwrap();
        let mut txn = client.begin_with_options(way.options()).await.unwrap();
        for (key, _) in OLD {
            txn.get((*key).to_owned()).await.unwrap();
        }
        txn.rollback().await.unwrap();
        ready.send(()).unwrap();
        put_theirs(&client, way, NEW).await;
        std::future::pending::<()>().await;
    });
    warm.await.unwrap();
    let held = stop.reached().await;
    drop(stop);
    process.kill();
    held.lose();
}

/// Kills our client when it is about to commit `held_key`.
async fn ours_dies(cluster: &TestCluster, held_key: &'static str) {
    let mut stop = cluster.stop(Filter::on(Call::KvCommit).with_key(held_key), When::Before);
    let (process, endpoints) = (Process::start(), cluster.endpoints());
    process.spawn(async move {
        let client = braid_tikv::Client::connect(&endpoints, Settings::default(), 3).await.unwrap();
        put_ours(&client, NEW).await;
        std::future::pending::<()>().await;
    });
    let held = stop.reached().await;
    drop(stop);
    process.kill();
    held.lose();
}

/// Whether the transaction of a client that dies at the commit of the key was committed.
fn is_decided(way: Way, held_key: &str) -> bool {
    // An async commit is decided once every key is locked.
    way == Way::Async || held_key != "a"
}

#[tokio::test]
async fn ours_clears_away_what_theirs_left() {
    for way in [Way::TwoPhases, Way::Async, Way::Pessimistic] {
        for held_key in ["a", "x"] {
            let cluster = cluster().await;
            let ours = ours(&cluster).await;
            put_ours(&ours, OLD).await;
            cluster.unlocked().await;
            theirs_dies(&cluster, way, held_key).await;
            cluster.advance(Duration::from_secs(60));
            let snapshot = ours.snapshot().await.unwrap();
            let read = snapshot.scan(&KeyRange::all(), ScanOptions::first(9)).await.unwrap();
            let expected = if is_decided(way, held_key) { NEW } else { OLD };
            let expected: Vec<_> = expected.iter().map(|(key, value)| (b(key), b(value))).collect();
            assert_eq!(read, expected, "{way:?} {held_key}");
            assert!(cluster.locks().is_empty(), "{way:?} {held_key}: {:?}", cluster.locks());
        }
    }
}

#[tokio::test]
async fn theirs_clears_away_what_ours_left() {
    for held_key in ["a", "x"] {
        let cluster = cluster().await;
        let theirs = theirs(&cluster).await;
        put_ours(&ours(&cluster).await, OLD).await;
        cluster.unlocked().await;
        ours_dies(&cluster, held_key).await;
        cluster.advance(Duration::from_secs(60));
        let mut txn = theirs.begin_with_options(Way::TwoPhases.options()).await.unwrap();
        let expected = if is_decided(Way::TwoPhases, held_key) { "new" } else { "old" };
        for (key, _) in OLD {
            let read = txn.get((*key).to_owned()).await.unwrap();
            assert_eq!(read, Some(expected.as_bytes().to_vec()), "{held_key}");
        }
        txn.rollback().await.unwrap();
        assert!(cluster.locks().is_empty(), "{held_key}: {:?}", cluster.locks());
        assert_eq!(values(&cluster), vec![Some(b(expected)); 3]);
    }
}

#[tokio::test]
async fn writers_take_the_place_of_dead_ones() {
    for way in Way::ALL {
        let cluster = cluster().await;
        ours_dies(&cluster, "a").await;
        cluster.advance(Duration::from_secs(60));
        put_theirs(&theirs(&cluster).await, way, &[("j", "theirs")]).await;
        // An async commit may be read before it is written.
        let snapshot = ours(&cluster).await.snapshot().await.unwrap();
        assert_eq!(snapshot.get(b"j").await, Ok(Some(b("theirs"))), "{way:?}");
    }
    for way in [Way::TwoPhases, Way::Pessimistic] {
        let cluster = cluster().await;
        theirs_dies(&cluster, way, "a").await;
        cluster.advance(Duration::from_secs(60));
        put_ours(&ours(&cluster).await, &[("j", "ours")]).await;
        assert_eq!(cluster.value(b"j"), Some(b("ours")), "{way:?}");
    }
}
