//! Keys held ahead of the commit.

use std::time::Duration;

use super::support::{
    LONG, Mortal, all, b, begin, begin_pessimistic, calls, client, client_with, committed, conflict, get,
    impatient, memory, pairs, put, settings, small_cluster, split_cluster,
};
use crate::testing::{Call, Effect, Filter, Options, RegionFault, TestCluster, When};
use crate::{ConflictReason, Error, Outcome, Settings};

#[tokio::test(start_paused = true)]
async fn holding_a_key_reads_its_newest_value_and_moves_the_reading() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("a", "old"), ("b", "old")]).await;
    let mut txn = begin_pessimistic(&client).await;
    put(&client, &[("a", "new"), ("b", "new")]).await;
    assert_eq!(txn.get(b"b").await, Ok(Some(b("old"))));
    let began = txn.timestamp();
    assert_eq!(txn.lock_for_update(b"a", LONG).await, Ok(Some(b("new"))));
    assert!(txn.timestamp() > began);
    assert_eq!(txn.get(b"b").await, Ok(Some(b("new"))));
    assert_eq!(txn.lock_for_update(b"absent", LONG).await, Ok(None));
    assert_eq!(txn.lock_for_update(b"a", LONG).await, Ok(Some(b("new"))), "it is held already");
    txn.put(b("a"), b("mine"));
    committed(txn).await;
    client.close().await;
    assert!(cluster.locks().is_empty());
    assert_eq!(cluster.value(b"a"), Some(b("mine")));
}

#[tokio::test(start_paused = true)]
async fn a_key_held_is_written_by_nobody_else() {
    let cluster = split_cluster(&["m"]).await;
    let (holder, other) = (client(&cluster).await, client(&cluster).await);
    let mut txn = begin_pessimistic(&holder).await;
    txn.lock_for_update(b"a", LONG).await.unwrap();
    txn.lock_for_update(b"z", LONG).await.unwrap();
    let mut writer = begin(&other).await;
    writer.put(b("z"), b("other"));
    assert_eq!(conflict(writer).await, (b("z"), ConflictReason::Held));
    assert_eq!(get(&other, "z").await, None, "readers pass");
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    committed(txn).await;
    assert_eq!(all(&other).await, pairs(&[("a", "1"), ("z", "1")]));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_key_gets_it_when_it_is_free() {
    for commits in [true, false] {
        let cluster = small_cluster().await;
        let (holder, other) = (client(&cluster).await, client(&cluster).await);
        let mut txn = begin_pessimistic(&holder).await;
        txn.lock_for_update(b"a", LONG).await.unwrap();
        txn.put(b("a"), b("1"));
        calls(&cluster);
        let mut asked = cluster.stop(Filter::on(Call::KvPessimisticLock).times(1), When::Before);
        let waiting = tokio::spawn(async move {
            let mut txn = begin_pessimistic(&other).await;
            let value = txn.lock_for_update(b"a", LONG).await;
            txn.rollback().await;
            value
        });
        asked.reached().await.release();
        match commits {
            true => _ = committed(txn).await,
            false => drop(txn),
        }
        assert_eq!(waiting.await.unwrap(), Ok(commits.then(|| b("1"))));
        assert!(cluster.locks().is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_has_an_end_and_earlier_locks_stay() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let (mut one, mut other) = (begin_pessimistic(&client).await, begin_pessimistic(&client).await);
    let holder = one.start();
    one.lock_for_update(b"a", LONG).await.unwrap();
    other.lock_for_update(b"b", LONG).await.unwrap();
    for wait in [Duration::ZERO, Duration::from_millis(20)] {
        let error = other.lock_for_update(b"a", wait).await.unwrap_err();
        assert!(
            matches!(&error, Error::Locked { key, holder: by, .. } if key == "a" && *by == holder),
            "{error}"
        );
    }
    drop(one);
    assert_eq!(other.lock_for_update(b"a", LONG).await, Ok(None));
    other.put(b("b"), b("1"));
    committed(other).await;
    assert_eq!(get(&client, "b").await, Some(b("1")));
}

#[tokio::test(start_paused = true)]
async fn a_deadlock_is_told() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let (mut one, mut other) = (begin_pessimistic(&client).await, begin_pessimistic(&client).await);
    one.lock_for_update(b"a", LONG).await.unwrap();
    other.lock_for_update(b"b", LONG).await.unwrap();
    let mut asked = cluster.stop(Filter::on(Call::KvPessimisticLock).times(1), When::Before);
    let waiting = tokio::spawn(async move { one.lock_for_update(b"b", LONG).await.map(|_| one) });
    asked.reached().await.release();
    let refused = other.lock_for_update(b"a", LONG).await;
    // Whichever of the two closes the circle is told; the other one goes on.
    match refused {
        Err(error) => {
            assert_eq!(error, Error::Deadlock { key: b("a") });
            drop(other);
            assert!(waiting.await.unwrap().is_ok());
        }
        Ok(_) => assert_eq!(waiting.await.unwrap().unwrap_err(), Error::Deadlock { key: b("b") }),
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_not_held_is_checked_as_of_when_it_was_written() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    let mut early = begin_pessimistic(&client).await;
    early.put(b("z"), b("from the old state"));
    put(&client, &[("z", "other")]).await;
    early.lock_for_update(b"a", LONG).await.unwrap();
    early.put(b("z"), b("again"));
    assert_eq!(conflict(early).await, (b("z"), ConflictReason::Written));

    let mut late = begin_pessimistic(&client).await;
    put(&client, &[("z", "another")]).await;
    late.lock_for_update(b"a", LONG).await.unwrap();
    late.put(b("z"), b("from the new state"));
    committed(late).await;
    client.close().await;
    assert!(cluster.locks().is_empty());
    assert_eq!(cluster.value(b"z"), Some(b("from the new state")));
}

#[tokio::test(start_paused = true)]
async fn a_key_written_first_and_held_later_is_checked_as_of_the_writing() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    let mut txn = begin_pessimistic(&client).await;
    txn.put(b("a"), b("mine"));
    put(&client, &[("a", "other")]).await;
    assert_eq!(txn.lock_for_update(b"a", LONG).await, Ok(Some(b("other"))));
    assert_eq!(conflict(txn).await, (b("a"), ConflictReason::Written));
    let mut txn = begin_pessimistic(&client).await;
    txn.put(b("a"), b("mine"));
    assert_eq!(txn.lock_for_update(b"a", LONG).await, Ok(Some(b("other"))));
    committed(txn).await;
    assert_eq!(get(&client, "a").await, Some(b("mine")));
}

#[tokio::test(start_paused = true)]
async fn an_insert_demands_absence_of_held_keys_too() {
    let cluster = small_cluster().await;
    let client = client(&cluster).await;
    put(&client, &[("a", "old"), ("b", "old")]).await;
    for held in ["a", "c"] {
        let mut txn = begin_pessimistic(&client).await;
        txn.lock_for_update(held.as_bytes(), LONG).await.unwrap();
        txn.insert(b("a"), b("new"));
        assert_eq!(conflict(txn).await, (b("a"), ConflictReason::Exists));
    }
    let mut txn = begin_pessimistic(&client).await;
    txn.lock_for_update(b"c", LONG).await.unwrap();
    txn.insert(b("c"), b("new"));
    txn.insert(b("d"), b("new"));
    committed(txn).await;
    client.close().await;
    assert!(cluster.locks().is_empty());
    assert_eq!((cluster.value(b"c"), cluster.value(b"d")), (Some(b("new")), Some(b("new"))));
}

#[tokio::test(start_paused = true)]
async fn keys_held_and_not_written_are_given_back() {
    let cluster = split_cluster(&["m"]).await;
    let client = client(&cluster).await;
    let mut txn = begin_pessimistic(&client).await;
    for key in ["a", "b", "z"] {
        txn.lock_for_update(key.as_bytes(), LONG).await.unwrap();
    }
    let (mut before, mut stranger) = (begin(&client).await, begin(&client).await);
    txn.put(b("a"), b("1"));
    committed(txn).await;
    before.put(b("z"), b("2"));
    committed(before).await;
    stranger.put(b("a"), b("3"));
    assert_eq!(conflict(stranger).await, (b("a"), ConflictReason::Written));
    let mut readers_only = begin_pessimistic(&client).await;
    readers_only.lock_for_update(b"a", LONG).await.unwrap();
    committed(readers_only).await;
    client.close().await;
    assert!(cluster.locks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_keys_of_a_dead_client_are_free_when_its_time_is_over() {
    let cluster = split_cluster(&["m"]).await;
    let (mortal, heir) = (Mortal::connect(&cluster, settings()).await, client(&cluster).await);
    let mut both = cluster.stop(Filter::on(Call::KvPessimisticLock).with_key("z"), When::After);
    mortal.spawn(|client| async move {
        let mut txn = begin_pessimistic(&client).await;
        txn.lock_for_update(b"a", LONG).await.unwrap();
        txn.lock_for_update(b"z", LONG).await.unwrap();
    });
    let held = both.reached().await;
    drop(both);
    mortal.kill();
    held.lose();
    let mut txn = begin_pessimistic(&heir).await;
    assert!(matches!(txn.lock_for_update(b"z", Duration::ZERO).await, Err(Error::Locked { .. })));
    cluster.advance(Duration::from_secs(10));
    assert_eq!(txn.lock_for_update(b"z", Duration::ZERO).await, Ok(None));
    txn.put(b("z"), b("1"));
    committed(txn).await;
    put(&heir, &[("a", "1")]).await;
}

#[tokio::test(start_paused = true)]
async fn a_transaction_that_lost_its_keys_is_not_committed() {
    let cluster = split_cluster(&["m"]).await;
    let (slow, other) = (client(&cluster).await, client(&cluster).await);
    cluster.inject(Filter::on(Call::KvTxnHeartBeat), Effect::LoseRequest);
    let mut txn = begin_pessimistic(&slow).await;
    txn.lock_for_update(b"a", LONG).await.unwrap();
    txn.lock_for_update(b"z", LONG).await.unwrap();
    cluster.advance(Duration::from_secs(100));
    put(&other, &[("z", "other")]).await;
    txn.put(b("a"), b("slow"));
    txn.put(b("z"), b("slow"));
    assert_eq!(conflict(txn).await.1, ConflictReason::RolledBack);
    assert_eq!(all(&other).await, pairs(&[("z", "other")]));
}

#[tokio::test(start_paused = true)]
async fn no_key_is_locked_for_an_old_transaction() {
    let cluster = small_cluster().await;
    let transaction_age = Duration::from_millis(100);
    let client = client_with(&cluster, Settings { transaction_age, ..settings() }).await;
    let mut txn = begin_pessimistic(&client).await;
    tokio::time::sleep(transaction_age * 2).await;
    calls(&cluster);
    let refused = txn.lock_for_update(b"a", Duration::ZERO).await.unwrap_err();
    assert!(matches!(refused, Error::TooOld { limit, .. } if limit == transaction_age), "{refused}");
    assert_eq!(calls(&cluster), []);
}

#[tokio::test(start_paused = true)]
async fn signs_of_life_keep_held_keys() {
    let cluster = small_cluster().await;
    let lock_ttl = Duration::from_millis(300);
    let (holder, other) =
        (client_with(&cluster, Settings { lock_ttl, ..settings() }).await, client(&cluster).await);
    let mut txn = begin_pessimistic(&holder).await;
    txn.lock_for_update(b"a", LONG).await.unwrap();
    let mut beats = cluster.stop(Filter::on(Call::KvTxnHeartBeat), When::After);
    for _ in 0..5 {
        beats.reached().await.release();
    }
    drop(beats);
    let mut waiting = begin_pessimistic(&other).await;
    assert!(matches!(waiting.lock_for_update(b"a", Duration::ZERO).await, Err(Error::Locked { .. })));
    txn.put(b("a"), b("1"));
    committed(txn).await;
    assert_eq!(waiting.lock_for_update(b"a", LONG).await, Ok(Some(b("1"))));
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_lock_is_asked_for_again() {
    for effect in
        [Effect::LoseReply, Effect::LoseRequest, Effect::Region(RegionFault::EpochNotMatch { current: true })]
    {
        let cluster = small_cluster().await;
        let client = client(&cluster).await;
        cluster.inject(Filter::on(Call::KvPessimisticLock).times(2), effect);
        let mut txn = begin_pessimistic(&client).await;
        assert_eq!(txn.lock_for_update(b"a", LONG).await, Ok(None));
        txn.put(b("a"), b("1"));
        committed(txn).await;
        assert_eq!(get(&client, "a").await, Some(b("1")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_that_may_have_been_taken_is_given_back() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, impatient()).await;
    let mut txn = begin_pessimistic(&client).await;
    let fault = cluster.inject(Filter::on(Call::KvPessimisticLock), Effect::LoseReply);
    assert!(matches!(txn.lock_for_update(b"a", Duration::ZERO).await, Err(Error::Deadline { .. })));
    assert!(cluster.locks().is_empty());
    cluster.withdraw(&fault);
    assert_eq!(txn.lock_for_update(b"a", Duration::ZERO).await, Ok(None), "the transaction stays usable");
}

/// Many take turns at one key and count.
#[tokio::test(start_paused = true)]
async fn holders_take_turns() {
    let cluster = TestCluster::start(Options { stores: 3, ..memory() }).await.unwrap();
    let client = client(&cluster).await;
    let turns = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move {
            for _ in 0..5 {
                let mut txn = begin_pessimistic(&client).await;
                let count = txn.lock_for_update(b"count", LONG).await.unwrap().map_or(0, |count| count[0]);
                txn.put(b("count"), vec![count + 1].into());
                assert!(matches!(txn.commit().await, Outcome::Committed(_)));
            }
        })
    });
    for turn in futures::future::join_all(turns).await {
        turn.unwrap();
    }
    assert_eq!(get(&client, "count").await, Some(vec![40].into()));
}
