//! Short calls of a client on one repository, `lake`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use braid_client::{
    Body, Client, ClientConfig, CommitBranch, CommitInfo, CreateBranch, CreateRepository, Credentials,
    ListItem, Log, Merge, MergeStrategy, RetryPolicy, StreamObjects, UploadOptions,
};
use braid_types::{
    BranchName, CommitId, Entry, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName, SystemClock,
    SystemRandom,
};
use futures::TryStreamExt;

pub(crate) fn lake() -> RepositoryName {
    RepositoryName::new("lake").unwrap()
}

pub(crate) fn branch(name: &str) -> BranchName {
    BranchName::new(name).unwrap()
}

pub(crate) fn reference(text: &str) -> RefExpression {
    RefExpression::parse(text).unwrap()
}

pub(crate) fn path(text: &str) -> ObjectPath {
    ObjectPath::new(text).unwrap()
}

/// A client with this key that goes on trying for as long as a server may take to come back.
pub(crate) fn patient(endpoint: &str, id: &str, secret: &str) -> Client {
    let (first_delay, longest_delay) = (Duration::from_millis(10), Duration::from_millis(200));
    let retry = RetryPolicy { attempts: 300, first_delay, longest_delay };
    connect(&ClientConfig { retry, ..config(endpoint, id, secret) })
}

/// A client with this key that tries everything once.
pub(crate) fn impatient(endpoint: &str, id: &str, secret: &str) -> Client {
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    connect(&ClientConfig { retry, ..config(endpoint, id, secret) })
}

fn config(endpoint: &str, id: &str, secret: &str) -> ClientConfig {
    let credentials = Some(Credentials::new(id, secret).unwrap());
    ClientConfig { credentials, ..ClientConfig::new(endpoint) }
}

fn connect(config: &ClientConfig) -> Client {
    Client::connect(config, Arc::new(SystemRandom), Arc::new(SystemClock)).unwrap()
}

pub(crate) async fn create_lake(client: &Client) {
    let create = CreateRepository { name: lake(), storage_namespace: None, default_branch: None };
    client.create_repository(create).await.unwrap();
}

pub(crate) async fn create_branch(client: &Client, name: &str, from: &str) {
    let create =
        CreateBranch { repository: lake(), name: branch(name), source: reference(from), hidden: false };
    client.create_branch(create).await.unwrap();
}

/// Uploads and stages `text`.
pub(crate) async fn write(client: &Client, on: &str, at: &str, text: &str) {
    let body = Body::from(bytes::Bytes::from(text.to_owned()));
    client.upload(&lake(), &branch(on), &path(at), &body, &UploadOptions::default()).await.unwrap();
}

/// The data at a path.
pub(crate) async fn read(client: &Client, at: &str, path_text: &str) -> String {
    let mut data = Vec::new();
    client.download(&lake(), &reference(at), &path(path_text), &mut data, None).await.unwrap();
    String::from_utf8(data).unwrap()
}

pub(crate) async fn commit(client: &Client, on: &str) -> Result<CommitInfo, Error> {
    let commit = CommitBranch {
        repository: lake(),
        branch: branch(on),
        message: "commit".to_owned(),
        metadata: BTreeMap::new(),
        allow_empty: false,
        date: None,
    };
    client.commit(commit).await
}

pub(crate) async fn merge(client: &Client, source: &str, destination: &str) -> Result<CommitInfo, Error> {
    let merge = Merge {
        repository: lake(),
        source: reference(source),
        destination: branch(destination),
        strategy: MergeStrategy::Refuse,
        message: None,
        metadata: BTreeMap::new(),
        squash: false,
        allow_empty: false,
    };
    client.merge(merge).await
}

/// All entries at a ref.
pub(crate) async fn listing(client: &Client, at: &str) -> BTreeMap<String, Entry> {
    let request = StreamObjects {
        repository: lake(),
        reference: reference(at),
        prefix: PathPrefix::default(),
        delimiter: None,
        after: None,
    };
    let items: Vec<ListItem> = client.stream_objects(request).try_collect().await.unwrap();
    let objects = items.into_iter().map(|item| match item {
        ListItem::Object(object) => (object.path.to_string(), object.entry),
        ListItem::CommonPrefix(prefix) => panic!("'{prefix}' was listed without a delimiter"),
    });
    objects.collect()
}

/// All commits from a ref backwards.
pub(crate) async fn history(client: &Client, at: &str) -> Vec<CommitId> {
    let request = Log {
        repository: lake(),
        reference: reference(at),
        limit: None,
        first_parent: false,
        since: None,
        stop_at: None,
        after: None,
        paths: Vec::new(),
        prefixes: Vec::new(),
    };
    let commits: Vec<CommitInfo> = client.log(request).try_collect().await.unwrap();
    commits.into_iter().map(|commit| commit.id).collect()
}
