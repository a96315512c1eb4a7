//! Stores for tests: in a protocol server, or in the real cluster that `BRAID_TEST_PD` names.

use super::{Tikv, TikvSettings, TikvUri, convert, keys::Keys};
use crate::KvError;
use braid_tikv::testing::{Lifeline, Options, TestCluster};
use braid_types::{Clock, Random, SystemRandom};
use bytes::Bytes;
use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};
use tokio::runtime::Runtime;

/// Names a real cluster, `host:port[,host:port]…`: tests then run in key ranges of their own there.
const REAL_CLUSTER: &str = "BRAID_TEST_PD";

/// A server that outlives the runtimes of single tests, on one of its own.
static SHARED: LazyLock<(Runtime, TestPlace)> = LazyLock::new(|| {
    let threads = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = threads.expect("a thread can be had");
    // A test may ask from within its runtime, which lets no other be waited for.
    let started = std::thread::scope(|scope| {
        scope.spawn(|| runtime.block_on(TestPlace::started(Options::default()))).join()
    });
    (runtime, started.expect("the server starts"))
});

/// An empty cluster, or a new place in a shared one. Stores opened on it share their keys.
#[derive(Clone)]
pub struct TestPlace {
    uri: TikvUri,
    keys: Keys,
    server: Option<Arc<TestCluster>>,
}

impl TestPlace {
    /// A new place.
    ///
    /// # Panics
    /// If the server cannot be started, or the variable names no cluster.
    pub async fn new() -> Self {
        match std::env::var(REAL_CLUSTER) {
            Ok(hosts) => Self::real(&hosts),
            Err(_) => Self::started(Options::default()).await,
        }
    }

    /// A new place beside those of this process's other tests, which costs nothing to make.
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn shared() -> Self {
        match std::env::var(REAL_CLUSTER) {
            Ok(hosts) => Self::real(&hosts),
            Err(_) => Self { keys: keys_apart(), ..SHARED.1.clone() },
        }
    }

    /// A new place in a protocol server that begins so, whatever the variable says: for tests of faults and of counts.
    ///
    /// # Panics
    /// If the server cannot be started.
    pub async fn started(options: Options) -> Self {
        let server = TestCluster::start(options).await.expect("loopback has free ports");
        let uri = format!("tikv://{}", server.endpoints().join(","));
        let uri: TikvUri = uri.parse().expect("endpoints are hosts with ports");
        let keys = super::settings::keys(&uri);
        Self { uri, keys, server: Some(Arc::new(server)) }
    }

    fn real(hosts: &str) -> Self {
        let uri = format!("tikv://{hosts}").parse().expect("the variable names a cluster");
        Self { uri, keys: keys_apart(), server: None }
    }

    /// How the cluster is reached.
    pub fn uri(&self) -> &TikvUri {
        &self.uri
    }

    /// The server, unless this is a real cluster.
    pub fn server(&self) -> Option<&TestCluster> {
        self.server.as_deref()
    }

    /// Opens a store that does not wait long for others, on this runtime.
    ///
    /// # Panics
    /// If the cluster does not answer.
    pub async fn open(&self, settings: TikvSettings, clock: Arc<dyn Clock>) -> Tikv {
        let client = braid_tikv::Settings {
            commit_lock_wait: Duration::from_millis(20),
            ..settings.client(&self.uri, &self.keys)
        };
        let opened =
            Tikv::connect_as(&self.uri, self.keys.clone(), client, settings, clock, &SystemRandom).await;
        opened.expect("the cluster answers")
    }

    /// Opens a store as a process of its own would, with what `adjust` makes of its client's settings: cutting the lifeline
    /// is the death of the process, where connections are in memory.
    ///
    /// # Errors
    /// As of [`Tikv::connect`].
    ///
    /// # Panics
    /// If this is a real cluster.
    pub async fn open_mortal(
        &self,
        settings: TikvSettings,
        adjust: impl FnOnce(braid_tikv::Settings) -> braid_tikv::Settings,
        clock: Arc<dyn Clock>,
        seed: u64,
    ) -> Result<(Tikv, Lifeline), KvError> {
        let server = self.server().expect("only processes of a protocol server can be killed");
        let client = adjust(settings.client(&self.uri, &self.keys));
        let opened = server.mortal_client(client, seed).await;
        let (client, lifeline) = opened.map_err(|error| convert::error(error, &self.keys))?;
        Ok((Tikv::over(client, &self.uri, self.keys.clone(), settings, clock), lifeline))
    }
}

/// Keys that nobody else has.
fn keys_apart() -> Keys {
    let random: &dyn Random = &SystemRandom;
    Keys::under(Bytes::from([b"braid test ".as_slice(), &random.bytes::<12>(), b"/"].concat()))
}
