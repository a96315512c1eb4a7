//! What processes of one cluster share.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use braid::StoreServer;
use braid_kv::{TestPlace, Tikv, TikvSettings};
use braid_tikv::testing::Options;
use braid_types::{SystemClock, SystemRandom};

use super::binary::{Ended, run};
use super::server::{Key, Server};

/// A cluster and an object store, and what processes are told of them.
pub(super) struct Ground {
    pub(super) place: TestPlace,
    /// How processes are told to reach the cluster.
    kv: String,
    pub(super) store: StoreServer,
    pub(super) folder: tempfile::TempDir,
}

impl Ground {
    pub(super) async fn new() -> Self {
        Self::over(Options::default(), "").await
    }

    /// A cluster that begins so; `settings` follow its address.
    pub(super) async fn over(options: Options, settings: &str) -> Self {
        let place = TestPlace::started(options).await;
        let kv = format!("{}{settings}", place.uri());
        let folder = tempfile::tempdir().unwrap();
        let any_port = "127.0.0.1:0".parse().unwrap();
        let store = StoreServer::start(&folder.path().join("store"), any_port).await.unwrap();
        let ground = Self { place, kv, store, folder };
        std::fs::write(ground.key_file(), "5".repeat(64)).unwrap();
        ground
    }

    fn key_file(&self) -> PathBuf {
        self.folder.path().join("master.key")
    }

    fn options(&self) -> Vec<String> {
        let endpoint = format!("http://{}", self.store.address());
        let key_file = self.key_file().display().to_string();
        let storage = ["--storage", "s3://braid.local/lake", "--s3-endpoint", &endpoint];
        ["--kv", &self.kv, "--master-key-file", &key_file]
            .into_iter()
            .chain(storage)
            .map(str::to_owned)
            .collect()
    }

    pub(super) fn environment(&self) -> [(&str, &str); 2] {
        let key = self.store.key();
        [("AWS_ACCESS_KEY_ID", &key.access_key_id), ("AWS_SECRET_ACCESS_KEY", &key.secret)]
    }

    pub(super) async fn node(&self) -> Server {
        let options = self.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        Server::node(&options, &self.environment()).await
    }

    /// Starts a node that is to refuse, with one option changed.
    pub(super) fn refused(&self, option: &str, value: &str) -> Ended {
        let mut arguments = self.options();
        let place = arguments.iter().position(|argument| argument == option).unwrap();
        arguments[place + 1] = value.to_owned();
        arguments
            .splice(0..0, ["metadata", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"].map(String::from));
        run(&arguments, &self.environment())
    }

    pub(super) fn create_key(&self) -> Ended {
        create_key(&self.kv, &self.key_file())
    }

    /// Another key of the administrator.
    pub(super) fn key(&self) -> Key {
        printed_key(&self.create_key().ok())
    }

    /// The store as a node sees it.
    pub(super) async fn kv(&self) -> Tikv {
        let (clock, settings) = (Arc::new(SystemClock), TikvSettings::default());
        Tikv::connect(self.place.uri(), settings, clock, &SystemRandom).await.unwrap()
    }
}

pub(super) fn create_key(kv: &str, key_file: &Path) -> Ended {
    run(&["key", "create", "--kv", kv, "--master-key-file", key_file.to_str().unwrap(), "--user", "ada"], &[])
}

fn printed_key(printed: &str) -> Key {
    let after = |label: &str| {
        let line = printed.lines().find_map(|line| line.split_once(label));
        line.unwrap_or_else(|| panic!("'{label}' is not in: {printed}")).1.to_owned()
    };
    Key { id: after("BRAID_ACCESS_KEY_ID="), secret: after("BRAID_SECRET_ACCESS_KEY=") }
}
