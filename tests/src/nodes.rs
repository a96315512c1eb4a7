//! Two metadata services over one key-value store and one object store: clients of either see one lake.

use std::path::Path;
use std::sync::Arc;

use braid::StoreServer;
use braid_auth::{Keys, MasterKey, NewKey};
use braid_cache::{CacheOptions, RangeMemory};
use braid_client::Client;
use braid_kv::{Embedded, EmbeddedSettings, Kv};
use braid_metadata::{Metadata, Parts, Settings};
use braid_objects::{S3Buckets, S3Config, S3Credentials, StoreSet, Stores};
use braid_types::{Clock, Random, SystemClock, SystemRandom};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::lake::patient;
use crate::traffic::Traffic;

/// What both nodes share.
struct Installation {
    kv: Arc<dyn Kv>,
    store: StoreServer,
    master: MasterKey,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

struct Node {
    url: String,
    serving: JoinHandle<()>,
    stop: DropGuard,
}

impl Installation {
    async fn on(data: &Path) -> Self {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) =
            (Arc::new(SystemClock), Arc::new(SystemRandom));
        let file = data.join("kv.redb");
        let kv = Embedded::open(&file, EmbeddedSettings::default(), Arc::clone(&clock), &*random).unwrap();
        let store = StoreServer::start(&data.join("store"), "127.0.0.1:0".parse().unwrap()).await.unwrap();
        Self { kv: Arc::new(kv), store, master: MasterKey::generate(&*random), clock, random }
    }

    /// The object store as another machine reaches it.
    fn stores(&self) -> Arc<dyn Stores> {
        let key = self.store.key();
        let credentials = S3Credentials {
            access_key_id: key.access_key_id.clone(),
            secret_access_key: key.secret.clone(),
            session_token: None,
        };
        let endpoint_url = Some(format!("http://{}", self.store.address()));
        let config = S3Config { endpoint_url, ..S3Config::aws("us-east-1", credentials) };
        let buckets = S3Buckets::new(&config, Arc::clone(&self.clock), Arc::clone(&self.random));
        Arc::new(StoreSet::new(Some(Arc::new(buckets)), None))
    }

    async fn keys(&self) -> Keys {
        let (kv, clock, random) = (Arc::clone(&self.kv), Arc::clone(&self.clock), Arc::clone(&self.random));
        Keys::open(kv, &self.master, clock, random).await.unwrap()
    }

    /// Starts a node with caches of its own.
    async fn start(&self) -> Node {
        let parts = Parts {
            kv: Arc::clone(&self.kv),
            stores: self.stores(),
            range_memory: Arc::new(RangeMemory::new(CacheOptions::default())),
            keys: Arc::new(self.keys().await),
            intent_key: self.master.derive("upload intents"),
            clock: Arc::clone(&self.clock),
            random: Arc::clone(&self.random),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let stop = CancellationToken::new();
        let (metadata, stopped) = (Metadata::new(parts, Settings::default()).unwrap(), stop.clone());
        let serving = metadata.serve(listener, stopped.cancelled_owned());
        let serving = tokio::spawn(async move { serving.await.unwrap() });
        Node { url, serving, stop: stop.drop_guard() }
    }
}

impl Node {
    fn client(&self, key: &NewKey) -> Client {
        patient(&self.url, &key.id, key.secret.expose())
    }

    async fn stop(self) {
        drop(self.stop);
        self.serving.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_of_two_nodes_share_one_lake() {
    let data = tempfile::tempdir().unwrap();
    let installation = Installation::on(data.path()).await;
    let key = installation.keys().await.create("ada").await.unwrap();
    let (first, second) = (installation.start().await, installation.start().await);
    let (one, two) = (first.client(&key), second.client(&key));
    let mut traffic = Traffic::prepare(&one).await;
    for (name, client, witness) in
        [("a", &one, &two), ("b", &two, &one), ("c", &one, &two), ("d", &two, &one)]
    {
        traffic.write(name, client, witness);
    }
    for client in [&one, &two] {
        traffic.commit(client);
        traffic.merge(client);
        traffic.read(client);
    }
    traffic.more(100, 8, 8).await;
    // A node leaves; what it acknowledged is seen by the other. Its clients stop first, as a load balancer makes them.
    let told = traffic.finish(&two).await;
    first.stop().await;
    assert!(told.commits.len() >= 8 && told.merges.len() >= 8);
    crate::traffic::check(&told, &two).await;
    second.stop().await;
    installation.store.stop().await.unwrap();
}
