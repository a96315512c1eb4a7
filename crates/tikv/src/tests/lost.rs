//! Requests and replies that get lost: a commit never claims what it does not know.

use std::time::Duration;

use super::support::{
    Mortal, all, b, begin, client, client_with, committed, conflict, get, impatient, pairs, put, refused,
    settings, small_cluster, split_cluster, unknown,
};
use crate::testing::{Call, Effect, Filter, When};
use crate::{ConflictReason, Outcome, Settings};

/// Loses the calls that a filter chooses, with a connection that breaks or without a word.
const LOST_REPLIES: [Effect; 2] = [Effect::LoseReply, Effect::SwallowReply];
const LOST_REQUESTS: [Effect; 2] = [Effect::LoseRequest, Effect::SwallowRequest];

/// Settings under which a swallowed call is noticed soon, and tried again for long.
fn alert() -> Settings {
    Settings { call_timeout: Duration::from_millis(100), ..settings() }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_a_commit_in_one_phase_is_asked_for_again() {
    for effect in LOST_REPLIES {
        let cluster = small_cluster().await;
        let client = client_with(&cluster, alert()).await;
        cluster.inject(Filter::on(Call::KvPrewrite).times(2), effect);
        let mut txn = begin(&client).await;
        txn.insert(b("a"), b("1"));
        let at = committed(txn).await;
        assert_eq!(cluster.count(Call::KvPrewrite), 3);
        assert_eq!(client.snapshot_at(at).get(b"a").await, Ok(Some(b("1"))));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_commit_in_one_phase_that_another_write_followed_is_recognised() {
    let cluster = small_cluster().await;
    let (client, other) = (client(&cluster).await, client(&cluster).await);
    let mut first = cluster.stop(Filter::on(Call::KvPrewrite).times(1), When::After);
    let mut again = cluster.stop(Filter::on(Call::KvPrewrite).after(1).times(1), When::Before);
    let mut txn = begin(&client).await;
    txn.insert(b("a"), b("mine"));
    let commit = tokio::spawn(txn.commit());
    first.reached().await.lose();
    let retried = again.reached().await;
    put(&other, &[("a", "later")]).await;
    retried.release();
    assert!(matches!(commit.await.unwrap(), Outcome::Committed(_)));
    assert_eq!(get(&client, "a").await, Some(b("later")));
}

#[tokio::test(start_paused = true)]
async fn when_every_reply_is_lost_the_primary_is_asked() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, impatient()).await;
    cluster.inject(Filter::on(Call::KvPrewrite), Effect::LoseReply);
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    let at = committed(txn).await;
    assert_eq!(client.snapshot_at(at).get(b"a").await, Ok(Some(b("1"))));
}

#[tokio::test(start_paused = true)]
async fn when_every_request_is_lost_the_primary_is_made_to_refuse() {
    for effect in LOST_REQUESTS {
        let cluster = small_cluster().await;
        let client = client_with(&cluster, impatient()).await;
        cluster.inject(Filter::on(Call::KvPrewrite), effect);
        let mut txn = begin(&client).await;
        txn.put(b("a"), b("1"));
        refused(txn).await;
        assert!(cluster.count(Call::KvCheckTxnStatus) > 0);
        cluster.withdraw_all();
        assert_eq!(get(&client, "a").await, None);
    }
}

/// The request arrives after the client has concluded that it is lost.
#[tokio::test(start_paused = true)]
async fn a_write_that_arrives_after_it_was_given_up_is_refused() {
    let cluster = small_cluster().await;
    let client = client_with(&cluster, impatient()).await;
    let mut late = cluster.stop(Filter::on(Call::KvPrewrite).times(1), When::Before);
    cluster.inject(Filter::on(Call::KvPrewrite).after(1), Effect::LoseRequest);
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    let commit = tokio::spawn(txn.commit());
    let held = late.reached().await;
    let outcome = commit.await.unwrap();
    assert!(matches!(outcome, Outcome::Refused(_)), "{outcome:?}");
    held.release();
    cluster.withdraw_all();
    client.close().await;
    let client = super::support::client(&cluster).await;
    put(&client, &[("b", "")]).await;
    assert_eq!(all(&client).await, pairs(&[("b", "")]));
}

#[tokio::test(start_paused = true)]
async fn an_outcome_that_nobody_tells_is_unknown_and_can_be_read_later() {
    for effect in [Effect::LoseReply, Effect::LoseRequest] {
        let happened = effect == Effect::LoseReply;
        let cluster = small_cluster().await;
        let client = client_with(&cluster, impatient()).await;
        cluster.inject(Filter::on(Call::KvPrewrite), effect);
        cluster.inject(Filter::on(Call::KvCheckTxnStatus), Effect::LoseRequest);
        let mut txn = begin(&client).await;
        txn.put(b("a"), b("1"));
        unknown(txn).await;
        cluster.withdraw_all();
        assert_eq!(get(&client, "a").await, happened.then(|| b("1")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_the_commit_of_a_primary_is_asked_for_again() {
    for effect in LOST_REPLIES.into_iter().chain(LOST_REQUESTS) {
        let cluster = split_cluster(&["m"]).await;
        let client = client_with(&cluster, alert()).await;
        cluster.inject(Filter::on(Call::KvCommit).with_key("a").times(2), effect);
        put(&client, &[("a", "1"), ("z", "1")]).await;
        assert_eq!(all(&client).await, pairs(&[("a", "1"), ("z", "1")]));
    }
}

/// Every reply to the commit of the primary is lost, but it can be asked what became of it.
#[tokio::test(start_paused = true)]
async fn when_every_reply_to_the_commit_is_lost_the_primary_is_asked() {
    for effect in LOST_REPLIES {
        let cluster = split_cluster(&["m"]).await;
        let client = client_with(&cluster, impatient()).await;
        cluster.inject(Filter::on(Call::KvCommit), effect);
        put(&client, &[("a", "1"), ("z", "1")]).await;
        cluster.withdraw_all();
        assert_eq!(all(&client).await, pairs(&[("a", "1"), ("z", "1")]));
    }
}

#[tokio::test(start_paused = true)]
async fn when_every_request_to_commit_is_lost_the_primary_is_made_to_refuse() {
    for effect in LOST_REQUESTS {
        let cluster = split_cluster(&["m"]).await;
        let client = client_with(&cluster, impatient()).await;
        cluster.inject(Filter::on(Call::KvCommit), effect);
        let mut txn = begin(&client).await;
        txn.put(b("a"), b("1"));
        txn.put(b("z"), b("1"));
        refused(txn).await;
        client.close().await;
        assert!(cluster.locks().is_empty());
        cluster.withdraw_all();
        assert_eq!(all(&super::support::client(&cluster).await).await, Vec::new());
    }
}

#[tokio::test(start_paused = true)]
async fn a_primary_that_cannot_be_asked_leaves_the_outcome_unknown() {
    for effect in [Effect::LoseReply, Effect::LoseRequest] {
        let happened = effect == Effect::LoseReply;
        let cluster = split_cluster(&["m"]).await;
        let client = client_with(&cluster, impatient()).await;
        cluster.inject(Filter::on(Call::KvCommit), effect);
        cluster.inject(Filter::on(Call::KvCheckTxnStatus), Effect::LoseRequest);
        let mut txn = begin(&client).await;
        txn.put(b("a"), b("1"));
        txn.put(b("z"), b("1"));
        unknown(txn).await;
        cluster.withdraw_all();
        cluster.advance(Duration::from_secs(10));
        let expected = if happened { pairs(&[("a", "1"), ("z", "1")]) } else { Vec::new() };
        assert_eq!(all(&client).await, expected);
        assert!(cluster.locks().is_empty(), "who reads resolves");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lost_first_phase_means_that_nothing_happened() {
    for effect in LOST_REPLIES.into_iter().chain(LOST_REQUESTS) {
        let cluster = split_cluster(&["m"]).await;
        let client = client_with(&cluster, impatient()).await;
        let fault = cluster.inject(Filter::on(Call::KvPrewrite).with_key("z"), effect);
        let mut txn = begin(&client).await;
        txn.put(b("a"), b("1"));
        txn.put(b("z"), b("1"));
        refused(txn).await;
        cluster.withdraw(&fault);
        client.close().await;
        assert!(cluster.locks().is_empty(), "its locks were cleaned up");
        let client = super::support::client(&cluster).await;
        assert_eq!(all(&client).await, Vec::new());
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_timestamp_to_commit_at_nothing_happened() {
    let cluster = split_cluster(&["m"]).await;
    let client = client_with(&cluster, impatient()).await;
    let mut txn = begin(&client).await;
    txn.put(b("a"), b("1"));
    txn.put(b("z"), b("1"));
    cluster.stall_tso(true);
    refused(txn).await;
    cluster.stall_tso(false);
    assert_eq!(all(&client).await, Vec::new());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_dies_between_the_phases_is_rolled_back_by_the_next_reader() {
    let cluster = split_cluster(&["m"]).await;
    let (mortal, heir) = (Mortal::connect(&cluster, settings()).await, client(&cluster).await);
    put(&heir, &[("a", "old"), ("z", "old")]).await;
    cluster.unlocked().await;
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    mortal.spawn(|client| async move {
        let mut txn = begin(&client).await;
        txn.put(b("a"), b("new"));
        txn.put(b("z"), b("new"));
        drop(txn.commit().await);
    });
    let held = locked.reached().await;
    mortal.kill();
    assert_eq!(cluster.locks().len(), 2);
    held.lose();
    cluster.advance(Duration::from_secs(10));
    assert_eq!(all(&heir).await, pairs(&[("a", "old"), ("z", "old")]));
    assert!(cluster.locks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_dies_after_the_primary_is_rolled_forward_by_the_next_reader() {
    let cluster = split_cluster(&["m"]).await;
    let (mortal, heir) = (Mortal::connect(&cluster, settings()).await, client(&cluster).await);
    let mut rest = cluster.stop(Filter::on(Call::KvCommit).with_key("z"), When::Before);
    mortal.spawn(|client| async move { put(&client, &[("a", "new"), ("z", "new")]).await });
    let held = rest.reached().await;
    mortal.kill();
    held.lose();
    assert_eq!(get(&heir, "z").await, Some(b("new")), "at once: its time need not be over");
    assert!(cluster.locks().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_was_rolled_back_meanwhile_is_a_conflict() {
    let cluster = split_cluster(&["m"]).await;
    let (slow, other) = (client(&cluster).await, client(&cluster).await);
    let mut locked = cluster.stop(Filter::on(Call::KvCommit), When::Before);
    let mut txn = begin(&slow).await;
    txn.put(b("a"), b("slow"));
    txn.put(b("z"), b("slow"));
    let commit = tokio::spawn(conflict(txn));
    let held = locked.reached().await;
    drop(locked);
    cluster.advance(Duration::from_secs(100));
    put(&other, &[("z", "other")]).await;
    held.release();
    assert_eq!(commit.await.unwrap().1, ConflictReason::RolledBack);
    assert_eq!(all(&other).await, pairs(&[("z", "other")]));
}
