//! Metadata nodes over one TiKV cluster and one object store, all in this process.

mod counts;
mod nodes;

use braid::{Server, ServerConfig, StorageConfig, StoreServer};
use braid_auth::{MasterKey, NewKey};
use braid_client::Client;
use braid_kv::TestPlace;
use braid_objects::{S3Config, S3Credentials};
use braid_tikv::testing::{Options, TestCluster};
use braid_types::SystemRandom;
use tokio::runtime::Runtime;

use crate::lake::{impatient, patient};

/// What the nodes of one installation share.
struct Installation {
    place: TestPlace,
    store: StoreServer,
    master: MasterKey,
    _folder: tempfile::TempDir,
}

/// A node on a runtime of its own, which can end as suddenly as a process.
struct Node {
    runtime: Option<Runtime>,
    server: Option<Server>,
}

impl Installation {
    async fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let any_port = "127.0.0.1:0".parse().unwrap();
        let store = StoreServer::start(folder.path(), any_port).await.unwrap();
        let place = TestPlace::started(options).await;
        Self { place, store, master: MasterKey::generate(&SystemRandom), _folder: folder }
    }

    fn cluster(&self) -> &TestCluster {
        self.place.server().expect("it was started here")
    }

    fn config(&self) -> ServerConfig {
        let key = self.store.key();
        let credentials = S3Credentials {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret.clone(),
            session_token: None,
        };
        let endpoint_url = Some(format!("http://{}", self.store.address()));
        let config = Box::new(S3Config { endpoint_url, ..S3Config::aws("us-east-1", credentials) });
        let storage = StorageConfig::S3 { default_prefix: "s3://braid.local/lake".parse().unwrap(), config };
        ServerConfig::in_cluster(self.place.uri().clone(), self.master.clone(), storage)
    }

    async fn node(&self) -> Node {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let config = self.config();
        let server = runtime.spawn(async { Box::pin(Server::start(config)).await.unwrap() }).await.unwrap();
        Node { runtime: Some(runtime), server: Some(server) }
    }
}

impl Node {
    fn server(&self) -> &Server {
        self.server.as_ref().expect("the node runs")
    }

    /// A client that tries everything once.
    fn client(&self, key: &NewKey) -> Client {
        impatient(&self.server().grpc_url(), &key.id, key.secret.expose())
    }

    /// Ends everything that the node is at, wherever it is, and says goodbye to nobody.
    fn kill(mut self) {
        self.runtime.take().expect("the node runs").shutdown_background();
    }

    /// Lets the node finish what it is at.
    async fn stop(mut self) {
        let (runtime, server) = (self.runtime.take().unwrap(), self.server.take().unwrap());
        runtime.spawn(server.stop()).await.unwrap().unwrap();
        runtime.shutdown_background();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // A runtime must not be waited for where tasks run.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
