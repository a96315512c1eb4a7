//! Commits that wait together, and what waits for them.

use super::{
    disk::{ClosedGate, Disk, Plan},
    *,
};
use bytes::Bytes;
use futures::{FutureExt, future::join_all};

const LONG: Duration = Duration::from_secs(20);
const COMMITS: usize = 50;

async fn transaction(store: &Embedded, key: &str) -> Box<dyn Transaction> {
    let mut txn = store.begin(Mode::Optimistic).await.unwrap();
    txn.put(Bytes::copy_from_slice(key.as_bytes()), Bytes::from_static(b"new"));
    txn
}

/// A store with one commit of "a" that waits for its sync, that commit, and what it waits for. The gate is the last, so
/// that it opens before the store is dropped.
async fn waiting_store() -> (Disk, Embedded, tokio::task::JoinHandle<Outcome>, ClosedGate) {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    let txn = transaction(&store, "a").await;
    let gate = disk.close_gate();
    let commit = tokio::spawn(txn.commit());
    let waiting = disk.clone();
    tokio::task::spawn_blocking(move || waiting.wait_for_sync()).await.unwrap();
    (disk, store, commit, gate)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commits_that_wait_share_a_sync() {
    let disk = Disk::new();
    let store = open_on(disk.clone()).unwrap();
    let before = disk.syncs();
    assert!(matches!(transaction(&store, "a").await.commit().await, Outcome::Committed(_)));
    let for_one = disk.syncs() - before;

    let (disk, store, first, gate) = waiting_store().await;
    let mut commits = Vec::new();
    for number in 0..COMMITS {
        let mut commit = transaction(&store, &format!("b{number}")).await.commit();
        assert!(commit.as_mut().now_or_never().is_none(), "nothing is acknowledged before its sync");
        commits.push(commit);
    }
    assert!(!first.is_finished());
    let before = disk.syncs();
    drop(gate);
    assert!(matches!(first.await.unwrap(), Outcome::Committed(_)));
    let outcomes = join_all(commits).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Committed(_))), "{outcomes:?}");
    assert_eq!(disk.syncs() - before, 2 * for_one, "one batch was under way, and one was waiting");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_durable_is_not_visible() {
    let (_disk, store, commit, gate) = waiting_store().await;
    assert_eq!(store.snapshot().await.unwrap().get(b"a").await.unwrap(), None);
    drop(gate);
    assert!(matches!(commit.await.unwrap(), Outcome::Committed(_)));
    assert_eq!(store.snapshot().await.unwrap().get(b"a").await.unwrap(), Some(Bytes::from_static(b"new")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_holds_a_key_waits_for_its_commit_under_way_and_no_other() {
    let (_disk, store, commit, gate) = waiting_store().await;
    let mut elsewhere = store.begin(Mode::Pessimistic).await.unwrap();
    let other = elsewhere.lock_for_update(b"b", LONG).now_or_never();
    assert_eq!(other, Some(Ok(None)), "a commit of another key is not waited for");

    let mut holder = store.begin(Mode::Pessimistic).await.unwrap();
    {
        let mut holding = holder.lock_for_update(b"a", LONG);
        assert!(holding.as_mut().now_or_never().is_none());
        drop(gate);
        assert_eq!(holding.await, Ok(Some(Bytes::from_static(b"new"))));
    }
    let Outcome::Committed(committed) = commit.await.unwrap() else { panic!("nobody was in the way") };
    assert!(holder.timestamp() >= committed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_within_a_batch_is_found() {
    let (_disk, store, commit, gate) = waiting_store().await;
    let mut commits: Vec<_> = join_all([0; 2].map(|_| transaction(&store, "a"))).await;
    let mut inserting = store.begin(Mode::Optimistic).await.unwrap();
    inserting.insert(Bytes::from_static(b"a"), Bytes::new());
    commits.push(inserting);
    let mut commits: Vec<_> = commits.into_iter().map(Transaction::commit).collect();
    assert!(commits.iter_mut().all(|commit| commit.as_mut().now_or_never().is_none()));
    drop(gate);
    assert!(matches!(commit.await.unwrap(), Outcome::Committed(_)));
    let outcomes = join_all(commits).await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Conflict(_))), "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_for_a_commit_that_fails_is_told() {
    let (disk, store, commit, gate) = waiting_store().await;
    let mut holder = store.begin(Mode::Pessimistic).await.unwrap();
    let mut holding = holder.lock_for_update(b"a", LONG);
    assert!(holding.as_mut().now_or_never().is_none());
    disk.follow(Plan { failing_sync: Some(0), ..Plan::default() });
    drop(gate);
    assert!(matches!(commit.await.unwrap(), Outcome::Unknown(_)));
    assert!(matches!(holding.await, Err(KvError::Halted { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_lets_what_was_handed_in_finish() {
    let (_disk, store, first, gate) = waiting_store().await;
    let mut handed_in = transaction(&store, "b").await.commit();
    assert!(handed_in.as_mut().now_or_never().is_none());
    let late = transaction(&store, "c").await;
    let closing = {
        let store = store.clone();
        tokio::spawn(async move { store.close().await })
    };
    while store.begin(Mode::Optimistic).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!closing.is_finished());
    drop(gate);
    closing.await.unwrap();
    assert!(matches!(first.await.unwrap(), Outcome::Committed(_)));
    assert!(matches!(handed_in.await, Outcome::Committed(_)));
    assert_eq!(late.commit().await, Outcome::Refused(KvError::Closed));
}
