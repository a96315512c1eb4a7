//! A cluster and its clients, as tests want them.

use std::time::Duration;

use bytes::Bytes;

use crate::testing::{Call, Counts, Lifeline, Options, TestCluster};
use crate::{
    Client, Conflict, ConflictReason, Error, KeyRange, Mode, Outcome, ScanOptions, Settings, Transaction,
};

/// Longer than any test waits.
pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) fn b(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// A cluster that does not wait for the machine: a test on it runs with its clock paused, so that time passes only where
/// everybody waits for it, and whole deadlines pass at once.
pub(super) fn memory() -> Options {
    Options { in_memory: true, journal: true, ..Options::default() }
}

/// A cluster of three stores with regions that begin with these keys.
pub(super) async fn split_cluster(split_at: &[&str]) -> TestCluster {
    let split_at = split_at.iter().map(|key| b(key)).collect();
    TestCluster::start(Options { stores: 3, split_at, ..memory() }).await.unwrap()
}

/// A cluster of one region on one store.
pub(super) async fn small_cluster() -> TestCluster {
    TestCluster::start(memory()).await.unwrap()
}

/// Settings with short pauses. What is lost silently is noticed late, so tests that lose replies so shorten the call
/// timeout.
pub(super) fn settings() -> Settings {
    Settings {
        backoff_base: Duration::from_millis(1),
        backoff_cap: Duration::from_millis(8),
        commit_lock_wait: Duration::from_millis(50),
        ..Settings::default()
    }
}

/// Settings of a client that soon gives up.
pub(super) fn impatient() -> Settings {
    Settings {
        call_timeout: Duration::from_millis(200),
        pd_timeout: Duration::from_millis(200),
        read_deadline: Duration::from_millis(300),
        commit_deadline: Duration::from_millis(300),
        cleanup_deadline: Duration::from_millis(300),
        ..settings()
    }
}

pub(super) async fn client_with(cluster: &TestCluster, settings: Settings) -> Client {
    cluster.client(settings, 1).await.unwrap()
}

pub(super) async fn client(cluster: &TestCluster) -> Client {
    client_with(cluster, settings()).await
}

pub(super) async fn begin(client: &Client) -> Transaction {
    client.begin(Mode::Optimistic).await.unwrap()
}

pub(super) async fn begin_pessimistic(client: &Client) -> Transaction {
    client.begin(Mode::Pessimistic).await.unwrap()
}

/// Commits the pairs in a transaction of their own.
pub(super) async fn put(client: &Client, pairs: &[(&str, &str)]) {
    let mut txn = begin(client).await;
    for (key, value) in pairs {
        txn.put(b(key), b(value));
    }
    committed(txn).await;
}

pub(super) async fn committed(txn: Transaction) -> crate::Timestamp {
    match txn.commit().await {
        Outcome::Committed(timestamp) => timestamp,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn conflict(txn: Transaction) -> (Bytes, ConflictReason) {
    match txn.commit().await {
        Outcome::Conflict(Conflict { key, reason }) => (key, reason),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn refused(txn: Transaction) -> Error {
    match txn.commit().await {
        Outcome::Refused(error) => error,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn unknown(txn: Transaction) -> String {
    match txn.commit().await {
        Outcome::Unknown(cause) => cause,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn get(client: &Client, key: &str) -> Option<Bytes> {
    client.snapshot().await.unwrap().get(key.as_bytes()).await.unwrap()
}

/// Every pair of the newest state.
pub(super) async fn all(client: &Client) -> Vec<(Bytes, Bytes)> {
    let snapshot = client.snapshot().await.unwrap();
    snapshot.scan(&KeyRange::all(), ScanOptions::first(usize::MAX)).await.unwrap()
}

pub(super) fn pairs(pairs: &[(&str, &str)]) -> Vec<(Bytes, Bytes)> {
    pairs.iter().map(|(key, value)| (b(key), b(value))).collect()
}

/// The calls that came in since the last time, but for signs of life.
pub(super) fn calls(cluster: &TestCluster) -> Vec<(Call, u64)> {
    let counts: Counts = cluster.take_counts();
    counts.iter().filter(|(call, _)| *call != Call::KvTxnHeartBeat).collect()
}

/// A client that can be killed.
pub(super) struct Mortal {
    pub(super) client: Client,
    lifeline: Lifeline,
}

impl Mortal {
    pub(super) async fn connect(cluster: &TestCluster, settings: Settings) -> Self {
        let (client, lifeline) = cluster.mortal_client(settings, 2).await.unwrap();
        Self { client, lifeline }
    }

    /// Does something as this client would, until it dies.
    pub(super) fn spawn<F>(&self, work: impl FnOnce(Client) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        drop(tokio::spawn(work(self.client.clone())));
    }

    /// Kills the client: its connections break, and it is never heard of again.
    pub(super) fn kill(self) {
        self.lifeline.cut();
    }
}
