//! A cluster, and both clients of it.

use braid_tikv::testing::{Options, TestCluster};
use braid_tikv::{Client, Mode, Outcome, Settings};
use bytes::Bytes;
use tikv_client::{CheckLevel, TransactionClient, TransactionOptions};
use tokio::runtime::{Builder, Runtime};

/// How the published client commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    TwoPhases,
    OnePhase,
    Async,
    Pessimistic,
}

impl Way {
    pub(crate) const ALL: [Self; 4] = [Self::TwoPhases, Self::OnePhase, Self::Async, Self::Pessimistic];

    pub(crate) fn options(self) -> TransactionOptions {
        let optimistic = TransactionOptions::new_optimistic();
        let options = match self {
            Self::TwoPhases => optimistic,
            Self::OnePhase => optimistic.try_one_pc(),
            Self::Async => optimistic.use_async_commit(),
            Self::Pessimistic => TransactionOptions::new_pessimistic(),
        };
        options.drop_check(CheckLevel::None)
    }
}

pub(crate) fn b(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Three stores, and regions that begin at "h" and "p".
pub(crate) async fn cluster() -> TestCluster {
    let split_at = vec![b("h"), b("p")];
    TestCluster::start(Options { stores: 3, split_at, ..Options::default() }).await.unwrap()
}

pub(crate) async fn ours(cluster: &TestCluster) -> Client {
    ours_with(cluster, Settings::default()).await
}

pub(crate) async fn ours_with(cluster: &TestCluster, settings: Settings) -> Client {
    cluster.client(settings, 1).await.unwrap()
}

/// The published client. It knows every region already: where it does not, a failed look-up makes it report commits that
/// were none.
pub(crate) async fn theirs(cluster: &TestCluster) -> TransactionClient {
    let client = TransactionClient::new(cluster.endpoints()).await.unwrap();
    let mut txn = client.begin_with_options(Way::TwoPhases.options()).await.unwrap();
    for key in ["a", "h", "p"] {
        txn.get(key.to_owned()).await.unwrap();
    }
    txn.rollback().await.unwrap();
    client
}

pub(crate) async fn put_ours(client: &Client, pairs: &[(&str, &str)]) {
    let mut txn = client.begin(Mode::Optimistic).await.unwrap();
    pairs.iter().for_each(|(key, value)| txn.put(b(key), b(value)));
    let outcome = txn.commit().await;
    assert!(matches!(outcome, Outcome::Committed(_)), "{outcome:?}");
}

pub(crate) async fn put_theirs(client: &TransactionClient, way: Way, pairs: &[(&str, &str)]) {
    let mut txn = client.begin_with_options(way.options()).await.unwrap();
    for (key, value) in pairs {
        txn.put((*key).to_owned(), (*value).to_owned()).await.unwrap();
    }
    txn.commit().await.unwrap();
}

/// A runtime that ends at once with all that runs in it, as a process would.
pub(crate) struct Process(Option<Runtime>);

impl Process {
    pub(crate) fn start() -> Self {
        Self(Some(Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()))
    }

    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        drop(self.0.as_ref().expect("it runs").spawn(work));
    }

    pub(crate) fn kill(mut self) {
        self.0.take().expect("it runs").shutdown_background();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
