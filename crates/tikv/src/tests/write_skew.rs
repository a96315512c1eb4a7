//! Two transactions that each read what the other writes: only what they lock is kept from changing under them.

use super::support::{all, b, begin, client_with, committed, conflict, pairs, put, settings, split_cluster};
use crate::testing::TestCluster;
use crate::{Client, ConflictReason, Settings, Transaction};

/// On each call somebody is there: "x" or "y" says so.
async fn two_on_call(one_phase: bool) -> (TestCluster, Client) {
    let cluster = split_cluster(&["m"]).await;
    let client = client_with(&cluster, Settings { one_phase, ..settings() }).await;
    put(&client, &[("x", "here"), ("y", "here")]).await;
    (cluster, client)
}

/// Goes off call if the other is there.
async fn leave(txn: &mut Transaction, mine: &str, other: &str) {
    assert_eq!(txn.get(other.as_bytes()).await, Ok(Some(b("here"))));
    txn.delete(b(mine));
}

#[tokio::test(start_paused = true)]
async fn without_locks_both_may_leave() {
    for one_phase in [true, false] {
        let (_cluster, client) = two_on_call(one_phase).await;
        let (mut one, mut other) = (begin(&client).await, begin(&client).await);
        leave(&mut one, "x", "y").await;
        leave(&mut other, "y", "x").await;
        committed(one).await;
        committed(other).await;
        assert_eq!(all(&client).await, Vec::new(), "snapshots alone do not prevent it");
    }
}

#[tokio::test(start_paused = true)]
async fn who_locks_what_it_read_does_not_leave_alone() {
    for one_phase in [true, false] {
        for fence in [false, true] {
            let (_cluster, client) = two_on_call(one_phase).await;
            let (mut one, mut other) = (begin(&client).await, begin(&client).await);
            leave(&mut one, "x", "y").await;
            leave(&mut other, "y", "x").await;
            // Each locks what it read, or both a key that stands for it, in another region.
            one.lock(b(if fence { "fence" } else { "y" }));
            other.lock(b(if fence { "fence" } else { "x" }));
            committed(one).await;
            assert_eq!(conflict(other).await.1, ConflictReason::Written);
            assert_eq!(all(&client).await, pairs(&[("y", "here")]));
        }
    }
}
