use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use braid_auth::{Keys, MasterKey, NewKey};
use braid_cache::{CacheOptions, RangeMemory};
use braid_client::{Client, ClientConfig, CommitBranch, CreateBranch, CreateRepository, Credentials, Link};
use braid_client::{CommitInfo, DiffEntry, DiffItem, RetryPolicy, Upload, UploadTarget};
use braid_kv::{Kv, Memory, MemorySettings};
use braid_objects::{MemoryStore, ObjectStore, PutOptions, SingleStore, Stores};
use braid_types::{
    BranchName, Clock, Code, CommitId, Entry, Error, ManualClock, ObjectPath, PathPrefix, Random,
    RefExpression, RepositoryName, SeededRandom, Time,
};
use braid_wire::proto::commit_service_client::CommitServiceClient;
use braid_wire::proto::object_service_client::ObjectServiceClient;
use braid_wire::proto::ref_service_client::RefServiceClient;
use braid_wire::proto::repository_service_client::RepositoryServiceClient;
use braid_wire::{Call, error_from_status};
use futures::TryStreamExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::{Metadata, Parts, ServeError, Settings};

/// Two o'clock in the afternoon of some day.
pub(crate) const START: Time = Time::from_seconds(1_790_000_000);

/// What nodes of one installation share.
#[derive(Clone)]
pub(crate) struct Installation {
    pub(crate) kv: Arc<dyn Kv>,
    pub(crate) stores: Arc<dyn Stores>,
    pub(crate) objects: Arc<MemoryStore>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) random: Arc<SeededRandom>,
    pub(crate) master: MasterKey,
}

/// A running service.
pub(crate) struct Node {
    pub(crate) installation: Installation,
    pub(crate) address: SocketAddr,
    pub(crate) keys: Arc<Keys>,
    pub(crate) key: NewKey,
    stop: CancellationToken,
    serving: JoinHandle<Result<(), ServeError>>,
}

impl Installation {
    pub(crate) fn new() -> Self {
        Self::with_store(MemorySettings::default())
    }

    pub(crate) fn with_store(settings: MemorySettings) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let objects = Arc::new(MemoryStore::new(clock.clone()));
        let random = Arc::new(SeededRandom::new(3));
        Self {
            kv: Arc::new(Memory::new(settings, clock.clone())),
            stores: Arc::new(SingleStore::new(objects.clone())),
            objects,
            clock,
            master: MasterKey::generate(&*random),
            random,
        }
    }

    pub(crate) fn with_stores(self, stores: Arc<dyn Stores>) -> Self {
        Self { stores, ..self }
    }

    pub(crate) fn with_another_master(self) -> Self {
        Self { master: MasterKey::generate(&SeededRandom::new(4)), ..self }
    }

    pub(crate) fn parts(&self, keys: &Arc<Keys>) -> Parts {
        Parts {
            kv: Arc::clone(&self.kv),
            stores: Arc::clone(&self.stores),
            range_memory: Arc::new(RangeMemory::new(CacheOptions::default())),
            keys: Arc::clone(keys),
            intent_key: self.master.derive("upload intents"),
            clock: self.clock.clone(),
            random: self.random.clone(),
        }
    }

    pub(crate) async fn start(&self, settings: Settings) -> Node {
        let clock: Arc<dyn Clock> = self.clock.clone();
        let random: Arc<dyn Random> = self.random.clone();
        let keys = Keys::open(Arc::clone(&self.kv), &self.master, Arc::clone(&clock), Arc::clone(&random));
        let keys = Arc::new(keys.await.unwrap());
        let key = keys.create("ada").await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let serving =
            tokio::spawn(Metadata::new(self.parts(&keys), settings).unwrap().serve(listener, stopped));
        Node { installation: self.clone(), address, keys, key, stop, serving }
    }
}

/// A service that is not served.
pub(crate) async fn metadata(installation: &Installation, settings: Settings) -> Metadata {
    let (clock, random) = (installation.clock.clone(), installation.random.clone());
    let keys = Keys::open(Arc::clone(&installation.kv), &installation.master, clock, random).await.unwrap();
    Metadata::new(installation.parts(&Arc::new(keys)), settings).unwrap()
}

impl Node {
    /// A node of an installation of its own.
    pub(crate) async fn start() -> Self {
        Installation::new().start(Settings::default()).await
    }

    /// A node with a repository `lake`.
    pub(crate) async fn with_lake() -> (Self, Client) {
        let node = Self::start().await;
        let client = node.client();
        create_lake(&client).await;
        (node, client)
    }

    pub(crate) fn client(&self) -> Client {
        self.client_as(&self.key.id, self.key.secret.expose())
    }

    /// A client that tries everything once.
    pub(crate) fn client_as(&self, id: &str, secret: &str) -> Client {
        let credentials = Some(Credentials::new(id, secret).unwrap());
        self.connect(&ClientConfig { credentials, ..self.config() })
    }

    /// The configuration of a client without a key that tries everything once.
    pub(crate) fn config(&self) -> ClientConfig {
        let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
        ClientConfig { retry, ..ClientConfig::new(format!("http://{}", self.address)) }
    }

    pub(crate) fn connect(&self, config: &ClientConfig) -> Client {
        let (random, clock) = (self.installation.random.clone(), self.installation.clock.clone());
        Client::connect(config, random, clock).unwrap()
    }

    pub(crate) fn channel(&self) -> Channel {
        Endpoint::from_shared(format!("http://{}", self.address)).unwrap().connect_lazy()
    }

    pub(crate) fn repository_service(&self) -> RepositoryServiceClient<Channel> {
        RepositoryServiceClient::new(self.channel())
    }

    pub(crate) fn ref_service(&self) -> RefServiceClient<Channel> {
        RefServiceClient::new(self.channel())
    }

    pub(crate) fn object_service(&self) -> ObjectServiceClient<Channel> {
        ObjectServiceClient::new(self.channel())
    }

    pub(crate) fn commit_service(&self) -> CommitServiceClient<Channel> {
        CommitServiceClient::new(self.channel())
    }

    /// A request with this node's key.
    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let pair = STANDARD.encode(format!("{}:{}", self.key.id, self.key.secret.expose()));
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Basic {pair}").parse().unwrap());
        request
    }

    /// Puts data where an upload says.
    pub(crate) async fn put(&self, upload: &Upload, body: &str) -> String {
        let key = upload.physical_address.strip_prefix("s3://").unwrap();
        let put = self.installation.objects.put(key, body.to_owned().into(), PutOptions::if_absent());
        put.await.unwrap().etag
    }

    /// Uploads data for a path of `main`; what is to be linked.
    pub(crate) async fn uploaded(&self, client: &Client, on: &BranchName, at: &str, body: &str) -> Link {
        let upload = client.create_upload(&lake(), on, target(at)).await.unwrap();
        let checksum = self.put(&upload, body).await;
        link(upload, &checksum, body)
    }

    /// Uploads and links.
    pub(crate) async fn write(&self, client: &Client, on: &BranchName, at: &str, body: &str) {
        let link = self.uploaded(client, on, at, body).await;
        client.link_upload(&lake(), on, link).await.unwrap();
    }

    /// Begins a shutdown.
    pub(crate) fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits for the end of serving.
    pub(crate) async fn stopped(self) {
        self.ended().await.unwrap();
    }

    /// How serving ended.
    pub(crate) async fn ended(self) -> Result<(), ServeError> {
        self.serving.await.unwrap()
    }
}

pub(crate) async fn create_lake(client: &Client) {
    client
        .create_repository(CreateRepository { name: lake(), storage_namespace: None, default_branch: None })
        .await
        .unwrap();
}

pub(crate) async fn commit(client: &Client, on: &BranchName, message: &str) -> Result<CommitInfo, Error> {
    client
        .commit(CommitBranch {
            repository: lake(),
            branch: on.clone(),
            message: message.to_owned(),
            metadata: [("k".to_owned(), "v".to_owned())].into(),
            allow_empty: false,
            date: None,
        })
        .await
}

pub(crate) async fn branch_from(client: &Client, name: &str, source: &str) -> BranchName {
    let create =
        CreateBranch { repository: lake(), name: branch(name), source: reference(source), hidden: false };
    client.create_branch(create).await.unwrap().name
}

pub(crate) fn target(at: &str) -> UploadTarget {
    UploadTarget { path: path(at), content_type: "text/plain".to_owned(), size: None }
}

pub(crate) fn link(upload: Upload, checksum: &str, body: &str) -> Link {
    Link {
        path: upload.path,
        intent: upload.intent,
        checksum: checksum.to_owned(),
        size: body.len() as u64,
        content_type: "text/plain".to_owned(),
        metadata: [("color".to_owned(), "red".to_owned())].into(),
        if_absent: false,
        if_etag: None,
        if_generation: None,
    }
}

/// The paths at a ref.
pub(crate) async fn paths(client: &Client, at: &str) -> Vec<String> {
    let stream = client.stream_objects(braid_client::StreamObjects {
        repository: lake(),
        reference: reference(at),
        prefix: prefix(""),
        delimiter: None,
        after: None,
    });
    let items: Vec<_> = stream.try_collect().await.unwrap();
    items
        .into_iter()
        .map(|item| match item {
            braid_client::ListItem::Object(object) => object.path.to_string(),
            braid_client::ListItem::CommonPrefix(prefix) => prefix.to_string(),
        })
        .collect()
}

/// An item of a diff without a delimiter.
pub(crate) fn changed_path(item: DiffItem) -> DiffEntry {
    match item {
        DiffItem::Entry(entry) => entry,
        DiffItem::CommonPrefix(changes) => panic!("no delimiter was given, but there is {changes:?}"),
    }
}

pub(crate) async fn entry(client: &Client, at: &str, path_text: &str) -> Entry {
    client.stat_object(&lake(), &reference(at), &path(path_text)).await.unwrap().entry
}

/// The code of a refusal.
#[track_caller]
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> Code {
    result.unwrap_err().code()
}

/// The error that a status tells.
pub(crate) fn told(status: &Status) -> Error {
    error_from_status(status, Call::Write)
}

pub(crate) fn lake() -> RepositoryName {
    repository("lake")
}

pub(crate) fn main_branch() -> BranchName {
    branch("main")
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    RepositoryName::new(name).unwrap()
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(crate) fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

pub(crate) fn prefix(text: &str) -> PathPrefix {
    PathPrefix::new(text).unwrap()
}

pub(crate) fn reference(text: &str) -> RefExpression {
    RefExpression::parse(text).unwrap()
}

pub(crate) fn at_commit(id: &CommitId) -> RefExpression {
    reference(&id.to_hex())
}

/// A moment long enough for anything in this process, to fail instead of hanging.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
