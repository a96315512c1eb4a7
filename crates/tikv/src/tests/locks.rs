//! Locks of other transactions, in the way of readers and writers.

use std::time::Duration;

use bytes::Bytes;

use super::support::{
    Mortal, all, b, begin, calls, client, client_with, conflict, get, impatient, pairs, put, settings,
    small_cluster, split_cluster,
};
use crate::testing::{Call, Effect, Filter, TestCluster, When};
use crate::{ConflictReason, Error, KeyRange, Outcome, ScanOptions, Settings, Timestamp};

/// Leaves the locks of a client that died between the phases on keys of two regions; their transaction.
async fn orphans(cluster: &TestCluster, keys: &[&str]) -> Timestamp {
    let mortal = Mortal::connect(cluster, Settings { one_phase: false, ..settings() }).await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    let keys: Vec<Bytes> = keys.iter().map(|key| b(key)).collect();
    mortal.spawn(|client| async move {
        let mut txn = begin(&client).await;
        keys.into_iter().for_each(|key| txn.put(key, b("orphan")));
        drop(txn.commit().await);
    });
    let held = locked.reached().await;
    mortal.kill();
    held.lose();
    cluster.locks()[0].start.into()
}

#[tokio::test(start_paused = true)]
async fn the_locks_of_a_page_are_cleared_away_together() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    get(&client, "a").await;
    let names: Vec<String> = (0..100).map(|n| format!("k{n:02}")).collect();
    let keys: Vec<&str> = names.iter().map(String::as_str).collect();
    orphans(&cluster, &keys).await;
    cluster.advance(Duration::from_secs(10));
    let snapshot = client.snapshot().await.unwrap();
    calls(&cluster);
    assert_eq!(snapshot.scan(&KeyRange::all(), ScanOptions::first(1000)).await, Ok(Vec::new()));
    let expected = [(Call::KvScan, 2), (Call::KvCheckTxnStatus, 1), (Call::KvResolveLock, 1), (Call::Tso, 1)];
    assert_eq!(calls(&cluster), expected);
    assert!(cluster.locks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn every_way_of_reading_clears_dead_locks_away() {
    for way in 0..4 {
        let cluster = split_cluster(&["m"]).await;
        let client = client(&cluster).await;
        put(&client, &[("a", "1"), ("z", "1")]).await;
        client.close().await;
        let client = super::support::client(&cluster).await;
        orphans(&cluster, &["a", "z"]).await;
        cluster.advance(Duration::from_secs(10));
        let snapshot = client.snapshot().await.unwrap();
        match way {
            0 => assert_eq!(snapshot.get(b"z").await, Ok(Some(b("1")))),
            1 => assert_eq!(snapshot.batch_get(&["z", "a"].map(b)).await, Ok(vec![Some(b("1")); 2])),
            2 => assert_eq!(all(&client).await, pairs(&[("a", "1"), ("z", "1")])),
            _ => {
                let last = snapshot.scan(&KeyRange::all(), ScanOptions::last(1)).await.unwrap();
                assert_eq!(last, pairs(&[("z", "1")]));
            }
        }
        assert!(!cluster.locks().iter().any(|lock| lock.key == "z"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_passes_the_locks_of_a_living_transaction() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("z", "1")]).await;
    client.close().await;
    let client = super::support::client(&cluster).await;
    let start = orphans(&cluster, &["a", "z"]).await;
    let snapshot = client.snapshot().await.unwrap();
    assert_eq!(all(&client).await, pairs(&[("a", "1"), ("z", "1")]));
    assert_eq!(snapshot.batch_get(&["a", "z"].map(b)).await, Ok(vec![Some(b("1")); 2]));
    assert_eq!(cluster.locks().len(), 2, "it may still commit, later than what was read");
    assert!(Timestamp::from(cluster.locks()[0].start) == start);
}

/// The second lock is there before the first, which would tell: nothing is known of the transaction yet.
#[tokio::test(start_paused = true)]
async fn a_lock_without_its_primary_is_waited_for_until_the_deadline() {
    let cluster = split_cluster(&["m"]).await;
    let (writer, reader) = (client(&cluster).await, client_with(&cluster, impatient()).await);
    let mut primary = cluster.stop(Filter::on(Call::KvPrewrite).with_key("a"), When::Before);
    let mut secondary = cluster.stop(Filter::on(Call::KvPrewrite).with_key("z"), When::After);
    let mut txn = begin(&writer).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    let start = txn.start();
    let commit = tokio::spawn(txn.commit());
    let (held, locked) = (primary.reached().await, secondary.reached().await);
    let snapshot = reader.snapshot().await.unwrap();
    let error = snapshot.get(b"z").await.unwrap_err();
    assert!(matches!(&error, Error::Locked { key, holder, .. } if key == "z" && *holder == start), "{error}");
    let reading = tokio::spawn(async move { get(&client(&cluster).await, "z").await });
    drop((held, locked));
    assert!(matches!(commit.await.unwrap(), Outcome::Committed(_)));
    assert!([None, Some(b("1"))].contains(&reading.await.unwrap()));
}

#[tokio::test(start_paused = true)]
async fn a_writer_takes_the_place_of_a_dead_one() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    orphans(&cluster, &["a", "z"]).await;
    cluster.advance(Duration::from_secs(10));
    put(&client, &[("z", "mine")]).await;
    assert_eq!(all(&client).await, pairs(&[("z", "mine")]));
}

#[tokio::test(start_paused = true)]
async fn a_writer_gives_way_to_a_living_one() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    orphans(&cluster, &["a", "z"]).await;
    let mut txn = begin(&client).await;
    txn.put(b("y"), b("mine"));
    txn.put(b("z"), b("mine"));
    assert_eq!(conflict(txn).await, (b("z"), ConflictReason::Held));
    client.close().await;
    assert_eq!(cluster.locks().len(), 2, "its own are gone");
}

#[tokio::test(start_paused = true)]
async fn a_writer_waits_a_little_for_a_commit_under_way() {
    let cluster = split_cluster(&["m"]).await;
    let (one, other) = (client(&cluster).await, client_with(&cluster, Settings::default()).await);
    let mut rest = cluster.stop(Filter::on(Call::KvCommit).with_key("z"), When::Before);
    put(&one, &[("a", "1"), ("z", "1")]).await;
    let held = rest.reached().await;
    // It begins after the first was acknowledged, so there is no conflict, though the lock is still there.
    put(&other, &[("z", "2")]).await;
    held.release();
    one.close().await;
    assert_eq!(get(&other, "z").await, Some(b("2")));
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_keep_a_slow_commit_alive() {
    let cluster = split_cluster(&["m"]).await;
    let lock_ttl = Duration::from_millis(300);
    let (slow, other) =
        (client_with(&cluster, Settings { lock_ttl, ..settings() }).await, client(&cluster).await);
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    let mut beats = cluster.stop(Filter::on(Call::KvTxnHeartBeat), When::After);
    let mut txn = begin(&slow).await;
    txn.put(b("a"), b("slow"));
    txn.put(b("z"), b("slow"));
    let commit = tokio::spawn(txn.commit());
    let held = locked.reached().await;
    drop(locked);
    for _ in 0..5 {
        beats.reached().await.release();
    }
    drop(beats);
    let mut txn = begin(&other).await;
    txn.put(b("z"), b("other"));
    assert_eq!(conflict(txn).await.1, ConflictReason::Held);
    held.release();
    assert!(matches!(commit.await.unwrap(), Outcome::Committed(_)));
}

#[tokio::test(start_paused = true)]
async fn an_ended_transaction_is_looked_into_once() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    orphans(&cluster, &["a", "y", "z"]).await;
    cluster.advance(Duration::from_secs(10));
    get(&client, "y").await;
    calls(&cluster);
    get(&client, "z").await;
    let expected = [(Call::KvGet, 2), (Call::KvResolveLock, 1), (Call::Tso, 2)];
    assert_eq!(calls(&cluster), expected);
}

#[tokio::test(start_paused = true)]
async fn errors_on_the_way_to_a_primary_are_got_over() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    orphans(&cluster, &["a", "z"]).await;
    cluster.advance(Duration::from_secs(10));
    for call in [Call::KvCheckTxnStatus, Call::KvResolveLock] {
        cluster.inject(Filter::on(call).times(2), Effect::LoseReply);
    }
    assert_eq!(all(&client).await, Vec::new());
    assert!(cluster.locks().is_empty());
}
