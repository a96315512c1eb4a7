//! Commits in one phase and in two, and the conflicts between them.

use std::time::Duration;

use super::support::{
    all, b, begin, calls, client, client_with, committed, conflict, get, pairs, put, refused, settings,
    small_cluster, split_cluster,
};
use crate::testing::{Call, Filter, When};
use crate::{ConflictReason, Error, Limits, Measure, Mode, Outcome, Settings};

#[tokio::test(start_paused = true)]
async fn a_transaction_in_one_region_is_one_timestamp_and_one_write() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("x", "")]).await;
    calls(&cluster);
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.insert(b("b"), b("2"));
    txn.delete(b("x"));
    let start = txn.start();
    let commit = committed(txn).await;
    assert!(commit > start);
    assert_eq!(calls(&cluster), [(Call::KvPrewrite, 1), (Call::Tso, 1)]);
    assert_eq!(all(&client).await, pairs(&[("a", "1"), ("b", "2")]));
}

#[tokio::test(start_paused = true)]
async fn a_transaction_over_regions_is_decided_by_its_primary() {
    let cluster = split_cluster(&["c", "e"]).await;
    let client = client(&cluster).await;
    put(&client, &[("a", ""), ("c", ""), ("e", "")]).await;
    client.close().await;
    let client = super::support::client(&cluster).await;
    assert_eq!(all(&client).await.len(), 3);
    calls(&cluster);
    let mut rest = cluster.stop(Filter::on(Call::KvCommit).with_key("c"), When::Before);
    let mut txn = begin(&client).await;
    for key in ["a", "b", "c", "d", "e"] {
        txn.put(b(key), b("new"));
    }
    let commit = committed(txn).await;
    let held = rest.reached().await;
    assert_eq!(cluster.value(b"b"), Some(b("new")), "what lies with the primary is committed with it");
    assert_eq!(cluster.value(b"c"), Some(b("")), "the rest is committed after the answer");
    held.release();
    client.close().await;
    assert_eq!(calls(&cluster), [(Call::KvPrewrite, 3), (Call::KvCommit, 3), (Call::Tso, 2)]);
    assert!(cluster.locks().is_empty());
    let client = super::support::client(&cluster).await;
    let snapshot = client.snapshot_at(commit);
    assert_eq!(snapshot.get(b"e").await, Ok(Some(b("new"))));
}

#[tokio::test(start_paused = true)]
async fn without_one_phase_even_one_key_takes_two() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, Settings { one_phase: false, ..settings() }).await;
    put(&client, &[("a", "1")]).await;
    calls(&cluster);
    put(&client, &[("a", "2")]).await;
    assert_eq!(calls(&cluster), [(Call::KvPrewrite, 1), (Call::KvCommit, 1), (Call::Tso, 2)]);
    assert_eq!(get(&client, "a").await, Some(b("2")));
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_one_request_takes_two_phases() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, Settings { write_batch_bytes: 100, ..settings() }).await;
    put(&client, &[("a", "")]).await;
    calls(&cluster);
    let value = "v".repeat(60);
    put(&client, &[("a", &value), ("b", &value), ("c", &value)]).await;
    assert_eq!(calls(&cluster), [(Call::KvPrewrite, 3), (Call::KvCommit, 1), (Call::Tso, 2)]);
    assert_eq!(all(&client).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn one_phase_in_real_time_comes_after_what_was_acknowledged() {
    let cluster = split_cluster(&["m"]).await;
    let client = client_with(&cluster, Settings { one_phase_in_real_time: true, ..settings() }).await;
    let (mut early, mut late) = (begin(&client).await, begin(&client).await);
    early.put(b("a"), b("1"));
    late.put(b("z"), b("1"));
    let first = committed(late).await;
    let second = committed(early).await;
    assert!(first < second, "{first} was acknowledged before {second} was handed in");
}

#[tokio::test(start_paused = true)]
async fn the_second_of_two_writers_conflicts() {
    for one_phase in [true, false] {
        let cluster = split_cluster(&["m"]).await;
        let client = client_with(&cluster, Settings { one_phase, ..settings() }).await;
        let (mut one, mut other) = (begin(&client).await, begin(&client).await);
        for (txn, value) in [(&mut one, "one"), (&mut other, "other")] {
            txn.put(b("a"), b(value));
            txn.put(b(&format!("z-{value}")), b(value));
        }
        committed(one).await;
        assert_eq!(conflict(other).await, (b("a"), ConflictReason::Written));
        client.close().await;
        assert!(cluster.locks().is_empty());
        let client = super::support::client(&cluster).await;
        assert_eq!(all(&client).await, pairs(&[("a", "one"), ("z-one", "one")]));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_relied_on_conflicts_like_what_is_written() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("x", "1"), ("y", "1")]).await;
    let (mut one, mut other) = (begin(&client).await, begin(&client).await);
    // Without this, the first could be committed in one phase before the second began to read.
    for txn in [&one, &other] {
        txn.batch_get(&["x", "y"].map(b)).await.unwrap();
    }
    one.lock(b("x"));
    one.put(b("y"), b("0"));
    other.lock(b("y"));
    other.put(b("x"), b("0"));
    committed(one).await;
    let (_, reason) = conflict(other).await;
    assert_eq!(reason, ConflictReason::Written);
    assert_eq!(all(&client).await, pairs(&[("x", "1"), ("y", "0")]), "a lock changes nothing");
}

#[tokio::test(start_paused = true)]
async fn an_insert_demands_that_the_key_is_absent_whatever_follows() {
    for one_phase in [true, false] {
        let cluster = small_cluster().await;
        let client = client_with(&cluster, Settings { one_phase, ..settings() }).await;
        put(&client, &[("a", "old")]).await;
        let exists = (b("a"), ConflictReason::Exists);
        let mut txn = begin(&client).await;
        txn.insert(b("a"), b("new"));
        assert_eq!(conflict(txn).await, exists);
        let mut txn = begin(&client).await;
        txn.insert(b("a"), b("new"));
        txn.put(b("a"), b("newer"));
        assert_eq!(conflict(txn).await, exists);
        let mut txn = begin(&client).await;
        txn.insert(b("a"), b("new"));
        txn.delete(b("a"));
        txn.put(b("b"), b("1"));
        assert_eq!(conflict(txn).await, exists);
        assert_eq!(all(&client).await, pairs(&[("a", "old")]));
        let mut txn = begin(&client).await;
        txn.insert(b("c"), b("new"));
        txn.delete(b("c"));
        txn.insert(b("b"), b("new"));
        committed(txn).await;
        assert_eq!(all(&client).await, pairs(&[("a", "old"), ("b", "new")]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_transaction_without_writes_asks_nobody() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let txn = begin(&client).await;
    let start = txn.start();
    calls(&cluster);
    assert_eq!(txn.commit().await, Outcome::Committed(start));
    drop(begin(&client).await);
    assert_eq!(calls(&cluster), [(Call::Tso, 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_transaction_over_a_limit_is_refused_before_anything_is_sent() {
    let cluster = small_cluster().await;
    let limits = Limits { keys: 2, ..Limits::default() };
    let client = client_with(&cluster, Settings { limits, ..settings() }).await;
    let mut txn = begin(&client).await;
    ["a", "b", "c"].iter().for_each(|key| txn.put(b(key), b("")));
    calls(&cluster);
    assert_eq!(refused(txn).await, Error::TooLarge { what: Measure::Keys, size: 3, limit: 2 });
    assert_eq!(calls(&cluster), []);
}

#[tokio::test(start_paused = true)]
async fn no_write_is_sent_for_an_old_transaction() {
    let cluster = small_cluster().await;
    let transaction_age = Duration::from_millis(1);
    let client = client_with(&cluster, Settings { transaction_age, ..settings() }).await;
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    tokio::time::sleep(transaction_age * 2).await;
    calls(&cluster);
    assert!(matches!(refused(txn).await, Error::TooOld { limit, .. } if limit == transaction_age));
    client.close().await;
    let sent = calls(&cluster);
    assert!(!sent.iter().any(|(call, _)| *call == Call::KvPrewrite), "{sent:?}");
    assert_eq!(cluster.value(b"a"), None);
}

#[tokio::test(start_paused = true)]
async fn a_commit_runs_on_when_its_caller_goes_away() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    let mut arrived = cluster.stop(Filter::on(Call::KvPrewrite).with_key("a"), When::Before);
    let mut commit = Box::pin(txn.commit());
    tokio::select! {
        _ = &mut commit => panic!("it is held"),
        held = arrived.reached() => {
            drop(commit);
            held.release();
        }
    }
    client.close().await;
    assert_eq!((cluster.value(b"a"), cluster.value(b"z")), (Some(b("1")), Some(b("1"))));
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_came_first_puts_a_commit_off() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    let commit = tokio::spawn(txn.commit());
    let held = locked.reached().await;
    drop(locked);
    // The commit has its timestamp already: it must take another.
    let snapshot = client.snapshot().await.unwrap();
    assert_eq!(snapshot.get(b"z").await, Ok(None), "it is read past, not waited for");
    held.release();
    let Outcome::Committed(at) = commit.await.unwrap() else { panic!("it was not committed") };
    assert!(at > snapshot.timestamp());
    assert_eq!(snapshot.batch_get(&["a", "z"].map(b)).await, Ok(vec![None, None]));
    assert_eq!(get(&client, "a").await, Some(b("1")));
}

#[tokio::test(start_paused = true)]
async fn modes_do_not_mix() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let mut txn = client.begin(Mode::Optimistic).await.unwrap();
    let locking = tokio::spawn(async move { txn.lock_for_update(b"a", Duration::ZERO).await });
    assert!(locking.await.unwrap_err().is_panic());
}
