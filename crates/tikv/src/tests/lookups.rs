//! Look-ups of regions: shared, bounded, and never taken for an answer when they failed.

use std::sync::Arc;

use super::support::{
    all, b, begin, calls, client, client_with, committed, get, impatient, pairs, put, refused, settings,
    small_cluster, split_cluster,
};
use crate::testing::{Call, Effect, Filter, When};
use crate::{Error, KeyRange, Outcome, ScanOptions, Settings};

fn failures() -> [Effect; 3] {
    [Effect::Fail("no".into()), Effect::Empty, Effect::LoseRequest]
}

/// The published client reports success after writing nothing, or only part, when a look-up fails during its commit.
#[tokio::test(start_paused = true)]
async fn a_failed_look_up_is_never_a_success() {
    for effect in failures() {
        for keys in [&["a", "b"][..], &["a", "z"]] {
            let cluster = split_cluster(&["m"]).await;
            let client = client_with(&cluster, impatient()).await;
            cluster.inject(Filter::on(Call::GetRegion), effect.clone());
            let mut txn = begin(&client).await;
            keys.iter().for_each(|key| txn.put(b(key), b("1")));
            assert!(matches!(refused(txn).await, Error::Deadline { .. }));
            cluster.withdraw_all();
            assert_eq!(all(&client).await, Vec::new(), "{effect:?} {keys:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_up_that_fails_for_one_of_two_regions_leaves_neither_written() {
    for effect in failures() {
        for failing in ["a", "z"] {
            let cluster = split_cluster(&["m"]).await;
            let client = client_with(&cluster, impatient()).await;
            cluster.inject(Filter::on(Call::GetRegion).with_key(failing), effect.clone());
            let mut txn = begin(&client).await;
            txn.put(b("a"), b("1"));
            txn.put(b("z"), b("1"));
            refused(txn).await;
            cluster.withdraw_all();
            assert_eq!(all(&client).await, Vec::new(), "{effect:?} {failing}");
        }
    }
}

/// The region's shape is forgotten between the phases, and cannot be looked up again.
#[tokio::test(start_paused = true)]
async fn a_look_up_that_fails_between_the_phases_is_never_a_success() {
    let cluster = split_cluster(&["m"]).await;
    let client = client_with(&cluster, impatient()).await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    let commit = tokio::spawn(txn.commit());
    let held = locked.reached().await;
    cluster.inject(Filter::on(Call::GetRegion), Effect::Fail("no".into()));
    held.lose();
    let outcome = commit.await.unwrap();
    assert!(
        matches!(outcome, Outcome::Unknown(_)),
        "the request that was lost may have arrived: {outcome:?}"
    );
    cluster.withdraw_all();
    cluster.advance(std::time::Duration::from_secs(10));
    assert_eq!(all(&client).await, Vec::new());
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_up_is_never_an_empty_answer() {
    for effect in failures() {
        let cluster = split_cluster(&["m"]).await;
        put(&client(&cluster).await, &[("a", "1"), ("z", "1")]).await;
        let client = client_with(&cluster, impatient()).await;
        cluster.inject(Filter::on(Call::GetRegion).or_on(Call::GetPrevRegion).with_key_in("m", ""), effect);
        let snapshot = client.snapshot().await.unwrap();
        assert!(matches!(snapshot.get(b"z").await, Err(Error::Deadline { .. })));
        assert!(matches!(snapshot.batch_get(&["a", "z"].map(b)).await, Err(Error::Deadline { .. })));
        for options in [ScanOptions::first(9), ScanOptions::last(9)] {
            let scanned = snapshot.scan(&KeyRange::all(), options).await;
            assert!(matches!(scanned, Err(Error::Deadline { .. })), "{scanned:?}");
        }
        assert_eq!(snapshot.get(b"a").await, Ok(Some(b("1"))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_look_up_is_made_again() {
    for effect in failures() {
        let cluster = small_cluster().await;
        let client = client(&cluster).await;
        cluster.inject(Filter::on(Call::GetRegion).or_on(Call::GetStore).times(3), effect);
        put(&client, &[("a", "1")]).await;
        assert_eq!(get(&client, "a").await, Some(b("1")));
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_wait_for_one_region_share_a_look_up() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let snapshot = client.snapshot().await.unwrap();
    calls(&cluster);
    let keys: Vec<String> = (0..200).map(|n| format!("k{n}")).collect();
    let reads = keys.iter().map(|key| snapshot.get(key.as_bytes()));
    assert!(futures::future::join_all(reads).await.iter().all(|read| *read == Ok(None)));
    assert_eq!(calls(&cluster), [(Call::KvGet, 200), (Call::GetRegion, 1), (Call::GetStore, 1)]);
}

#[tokio::test(start_paused = true)]
async fn look_ups_under_way_are_bounded() {
    let names: Vec<String> = (0..40).map(|n| format!("k{n:02}")).collect();
    let splits: Vec<&str> = names.iter().map(String::as_str).collect();
    let cluster = Arc::new(split_cluster(&splits).await);
    let client = client_with(&cluster, Settings { region_lookups: 2, regions: 8, ..settings() }).await;
    let mut looked = cluster.stop(Filter::on(Call::GetRegion), When::Before);
    let most = tokio::spawn(async move {
        // Two at once are let go; a third would be seen here before they are.
        let mut seen = 0;
        loop {
            let one = looked.reached().await;
            let other = tokio::time::timeout(std::time::Duration::from_millis(1), looked.reached()).await;
            let third = tokio::time::timeout(std::time::Duration::from_millis(1), looked.reached()).await;
            seen = seen.max(1 + usize::from(other.is_ok()) + usize::from(third.is_ok()));
            assert!(seen <= 2);
            drop((one, other, third));
        }
    });
    let snapshot = client.snapshot().await.unwrap();
    let reads = names.iter().map(|name| snapshot.get(name.as_bytes()));
    assert!(futures::future::join_all(reads).await.iter().all(|read| *read == Ok(None)));
    assert!(!most.is_finished());
    most.abort();
}

#[tokio::test(start_paused = true)]
async fn a_pd_that_is_behind_does_not_undo_what_a_store_said() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("a", "1"), ("z", "1")]).await;
    cluster.hold_pd_view(true);
    cluster.split(b"m");
    calls(&cluster);
    assert_eq!(get(&client, "a").await, Some(b("1")));
    assert_eq!(get(&client, "z").await, Some(b("1")));
    assert_eq!(calls(&cluster), [(Call::KvGet, 3), (Call::Tso, 2)], "what the store said was enough");
    cluster.hold_pd_view(false);
    put(&client, &[("a", "2"), ("z", "2")]).await;
    assert_eq!(all(&client).await, pairs(&[("a", "2"), ("z", "2")]));
}

#[tokio::test(start_paused = true)]
async fn a_region_that_splits_between_the_phases_is_committed_in_parts() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, Settings { one_phase: false, ..settings() }).await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit).times(1), When::Before);
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    let commit = tokio::spawn(committed(txn));
    let held = locked.reached().await;
    cluster.split(b"m");
    held.release();
    commit.await.unwrap();
    client.close().await;
    assert!(cluster.locks().is_empty());
    assert_eq!((cluster.value(b"a"), cluster.value(b"z")), (Some(b("1")), Some(b("1"))));
}

/// A request for one phase is lost, and its region splits before it is sent again: whichever happened, happened once.
#[tokio::test(start_paused = true)]
async fn a_region_that_splits_after_a_lost_commit_in_one_phase_does_not_write_it_twice() {
    for happened in [true, false] {
        let cluster = small_cluster().await;
        let client = client(&cluster).await;
        let when = if happened { When::After } else { When::Before };
        let mut first = cluster.stop(Filter::on(Call::KvPrewrite).times(1), when);
        let mut txn = begin(&client).await;
        txn.insert(b("a"), b("1"));
        txn.insert(b("z"), b("1"));
        let commit = tokio::spawn(committed(txn));
        let held = first.reached().await;
        cluster.split(b"m");
        held.lose();
        let at = commit.await.unwrap();
        client.close().await;
        assert!(cluster.locks().is_empty());
        let client = super::support::client(&cluster).await;
        let values = client.snapshot_at(at).batch_get(&["a", "z"].map(b)).await;
        assert_eq!(values, Ok(vec![Some(b("1")), Some(b("1"))]));
    }
}
