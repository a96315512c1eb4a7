//! `braid metadata`: processes that share a cluster and keep nothing.

use std::path::{Path, PathBuf};

use braid::StoreServer;
use braid_kv::{Kv, KvError, Mode, Outcome, TestPlace, Tikv, TikvSettings};
use braid_types::{SystemClock, SystemRandom};
use bytes::Bytes;
use serde_json::{Value, json};

use super::binary::{Ended, run};
use super::server::{Key, Server};
use crate::lake::{commit, create_lake, listing, read, write};

/// A cluster and an object store, and what processes are told of them.
struct Ground {
    place: TestPlace,
    store: StoreServer,
    folder: tempfile::TempDir,
}

impl Ground {
    async fn new() -> Self {
        let place = TestPlace::started(Default::default()).await;
        let folder = tempfile::tempdir().unwrap();
        let any_port = "127.0.0.1:0".parse().unwrap();
        let store = StoreServer::start(&folder.path().join("store"), any_port).await.unwrap();
        let ground = Self { place, store, folder };
        std::fs::write(ground.key_file(), "5".repeat(64)).unwrap();
        ground
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    fn options(&self) -> Vec<String> {
        let (kv, endpoint) = (self.place.uri().to_string(), format!("http://{}", self.store.address()));
        let key_file = self.key_file().display().to_string();
        let storage = ["--storage", "s3://braid.local/lake", "--s3-endpoint", &endpoint];
        ["--kv", &kv, "--master-key-file", &key_file].into_iter().chain(storage).map(str::to_owned).collect()
    }

    fn environment(&self) -> [(&str, &str); 2] {
        let key = self.store.key();
        [("AWS_ACCESS_KEY_ID", &key.access_key_id), ("AWS_SECRET_ACCESS_KEY", &key.secret)]
    }

    async fn node(&self) -> Server {
        let options = self.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        Server::node(&options, &self.environment()).await
    }

    /// Starts a node that is to refuse, with one option changed.
    fn refused(&self, option: &str, value: &str) -> Ended {
        let mut arguments = self.options();
        let place = arguments.iter().position(|argument| argument == option).unwrap();
        arguments[place + 1] = value.to_owned();
        arguments
            .splice(0..0, ["metadata", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"].map(String::from));
        run(&arguments, &self.environment())
    }

    fn create_key(&self) -> Ended {
        create_key(&self.place.uri().to_string(), &self.key_file())
    }

    /// The store as a node sees it.
    async fn kv(&self) -> Tikv {
        let (clock, settings) = (std::sync::Arc::new(SystemClock), TikvSettings::default());
        Tikv::connect(self.place.uri(), settings, clock, &SystemRandom).await.unwrap()
    }
}

fn create_key(kv: &str, key_file: &Path) -> Ended {
    run(&["key", "create", "--kv", kv, "--master-key-file", key_file.to_str().unwrap(), "--user", "ada"], &[])
}

fn printed_key(ended: Ended) -> Key {
    let printed = ended.ok();
    let after = |label: &str| {
        let line = printed.lines().find_map(|line| line.split_once(label));
        line.unwrap_or_else(|| panic!("'{label}' is not in: {printed}")).1.to_owned()
    };
    Key { id: after("BRAID_ACCESS_KEY_ID="), secret: after("BRAID_SECRET_ACCESS_KEY=") }
}

async fn ready(server: &Server) -> (u16, Value) {
    let answer = reqwest::get(format!("http://{}/readyz", server.http)).await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_are_one_service_and_one_of_them_is_enough() {
    let ground = Ground::new().await;
    let (first, second) = tokio::join!(ground.node(), ground.node());
    let key = printed_key(ground.create_key());
    for node in [&first, &second] {
        let all = json!({ "ready": true, "kv": "ok", "format": "ok", "storage": "ok" });
        assert_eq!(ready(node).await, (200, all));
    }
    let (one, two) = (key.client(&first), key.client(&second));
    create_lake(&one).await;
    write(&two, "main", "a", "1").await;
    assert_eq!(read(&one, "main", "a").await, "1");
    commit(&one, "main").await.unwrap();
    write(&one, "main", "b", "2").await;
    first.kill().await;
    assert_eq!(read(&two, "main", "b").await, "2");
    commit(&two, "main").await.unwrap();

    let third = ground.node().await;
    let found = listing(&key.client(&third), "main@").await;
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a", "b"]);
    for node in [second, third] {
        let (status, printed, _) = node.terminate().await;
        assert_eq!(status.code(), Some(0));
        assert!(!printed.contains("ACCESS_KEY"), "a node makes no key: {printed}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_refuses_what_it_cannot_serve_and_says_why() {
    let ground = Ground::new().await;
    let without_key = ["metadata", "--kv", "tikv://pd", "--storage", "s3://bucket"];
    run(&without_key, &ground.environment()).refused(1, &["--master-key-file", "BRAID_MASTER_KEY"]);
    ground.refused("--kv", "tikv://pd:x").refused(2, &["'x' of 'pd:x' is not a port"]);
    ground.refused("--storage", "nowhere").refused(2, &["nowhere"]);
    ground.refused("--master-key-file", "absent").refused(1, &["'absent'"]);
    let keyspace = format!("{}?keyspace=other", ground.place.uri());
    ground.refused("--kv", &keyspace).refused(1, &["no keyspace 'other'"]);

    ground.create_key().ok();
    let another = ground.folder.path().join("another.key");
    std::fs::write(&another, "6".repeat(64)).unwrap();
    let sealed = "the master key is not the one that this store's secrets were sealed under";
    ground.refused("--master-key-file", another.to_str().unwrap()).refused(1, &[sealed]);
    create_key(&ground.place.uri().to_string(), &another).refused(1, &[sealed]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_newer_version_wrote_is_left_alone() {
    let ground = Ground::new().await;
    let kv = ground.kv().await;
    let newer = b"\x01\0\0\0\x02whatever".as_slice();
    let mut txn = kv.begin(Mode::Optimistic).await.unwrap();
    txn.put(Bytes::from_static(b"v"), Bytes::from_static(newer));
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    let said = "have format 2; this version of Braid knows up to format 1";
    ground.refused("--storage", "s3://braid.local/lake").refused(1, &[said]);
    ground.create_key().refused(1, &[said]);
    assert_eq!(kv.snapshot().await.unwrap().get(b"v").await, Ok::<_, KvError>(Some(newer.into())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_in_one_process_can_keep_its_refs_in_a_cluster() {
    let (ground, data) = (Ground::new().await, tempfile::tempdir().unwrap());
    let kv = ground.place.uri().to_string();
    let mut server = Server::start_with(data.path(), &["--kv", &kv], &[]).await;
    let key = server.key().await;
    create_lake(&key.client(&server)).await;
    write(&key.client(&server), "main", "a", "1").await;
    server.kill().await;
    let server = Server::start_with(data.path(), &["--kv", &kv], &[]).await;
    assert_eq!(read(&key.client(&server), "main", "a").await, "1");
    assert!(!data.path().join("kv.redb").exists());
}
