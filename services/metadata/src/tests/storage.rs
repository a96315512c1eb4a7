//! How much is stored, what differs directory by directory, and whether what is stored is sound.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_client::{
    Client, Diff, DiffBranch, DiffItem, DiffMode, Fsck, FsckEvent, FsckFault, FsckProgress, GetUsage,
    ListDiff, StreamUsage, Usage,
};
use braid_objects::{
    ByteRange, MemoryStore, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions, PresignPutOptions,
    Presigned, PutOptions, PutResult, SingleStore, Transfers,
};
use braid_types::{Code, Error};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::support::*;
use crate::Settings;

/// A lake with `a`, `d/1`, `d/2` committed on `main`, where `d/1` is deleted and `e/f` added since, in no commit.
async fn changed() -> (Node, Client) {
    let (node, client) = Node::with_lake().await;
    write_and_change(&node, &client).await;
    (node, client)
}

async fn write_and_change(node: &Node, client: &Client) {
    for (at, body) in [("a", "12345"), ("d/1", "x"), ("d/2", "yy")] {
        node.write(client, &main_branch(), at, body).await;
    }
    commit(client, &main_branch(), "three").await.unwrap();
    client.delete_object(&lake(), &main_branch(), &path("d/1")).await.unwrap();
    node.write(client, &main_branch(), "e/f", "zzz").await;
}

async fn usage(client: &Client, at: &str, under: &str) -> Result<(u64, u64), Error> {
    let request = GetUsage { repository: lake(), reference: reference(at), prefix: prefix(under) };
    client.get_usage(request).await.map(|Usage { objects, bytes }| (objects, bytes))
}

#[tokio::test]
async fn sums_count_what_is_staged_unless_told_otherwise() {
    let (_node, client) = changed().await;
    for (at, under, expected) in [
        ("main", "", (3, 10)),
        ("main@", "", (3, 8)),
        ("main", "d/", (1, 2)),
        ("main@", "d/", (2, 3)),
        ("main", "e/f", (1, 3)),
        ("main~1", "", (0, 0)),
        ("main", "none/", (0, 0)),
    ] {
        assert_eq!(usage(&client, at, under).await.unwrap(), expected, "{at} {under}");
    }
    assert_eq!(code(usage(&client, "dev", "").await), Code::RefNotFound);
    let elsewhere =
        GetUsage { repository: repository("pond"), reference: reference("main"), prefix: prefix("") };
    assert_eq!(code(client.get_usage(elsewhere).await), Code::RepositoryNotFound);
}

#[tokio::test]
async fn directories_come_with_their_sum() {
    let (_node, client) = changed().await;
    let usages = async |at: &str, under: &str, delimiter: Option<&str>| -> Vec<(String, u64, u64)> {
        let delimiter = delimiter.map(str::to_owned);
        let request =
            StreamUsage { repository: lake(), reference: reference(at), prefix: prefix(under), delimiter };
        let all = client.stream_usage(request);
        all.map_ok(|of| (of.prefix.to_string(), of.usage.objects, of.usage.bytes))
            .try_collect()
            .await
            .unwrap()
    };
    let line = |prefix: &str, objects, bytes| (prefix.to_owned(), objects, bytes);
    assert_eq!(usages("main", "", Some("/")).await, [line("d/", 1, 2), line("e/", 1, 3), line("", 3, 10)]);
    assert_eq!(usages("main@", "d/", Some("/")).await, [line("d/", 2, 3)]);
    assert_eq!(usages("main", "", None).await, [line("", 3, 10)]);
    let missing =
        StreamUsage { repository: lake(), reference: reference("dev"), prefix: prefix(""), delimiter: None };
    let refused: Result<Vec<_>, Error> = client.stream_usage(missing).try_collect().await;
    assert_eq!(code(refused), Code::RefNotFound);
}

fn shown(item: DiffItem) -> String {
    match item {
        DiffItem::Entry(entry) => format!("{:?} {}", entry.kind, entry.path),
        DiffItem::CommonPrefix(of) => format!("{} +{} -{} ~{}", of.prefix, of.added, of.removed, of.changed),
    }
}

#[tokio::test]
async fn differences_are_rolled_up_in_streams_and_pages() {
    let (_node, client) = changed().await;
    let delimiter = || Some("/".to_owned());
    let (left, right) = (reference("main~1"), reference("main$"));
    let stream = Diff {
        repository: lake(),
        left: left.clone(),
        right: right.clone(),
        mode: DiffMode::TwoDot,
        prefix: prefix(""),
        delimiter: delimiter(),
        after: None,
    };
    let all = ["Added a", "d/ +1 -0 ~0", "e/ +1 -0 ~0"];
    let found: Vec<String> = client.diff(stream.clone()).map_ok(shown).try_collect().await.unwrap();
    assert_eq!(found, all);
    let later = Diff { after: Some(prefix("d/")), ..stream };
    let found: Vec<String> = client.diff(later).map_ok(shown).try_collect().await.unwrap();
    assert_eq!(found, all[2..]);
    let uncommitted = DiffBranch {
        repository: lake(),
        branch: main_branch(),
        prefix: prefix(""),
        delimiter: delimiter(),
        after: None,
    };
    let found: Vec<String> = client.diff_branch(uncommitted).map_ok(shown).try_collect().await.unwrap();
    assert_eq!(found, ["d/ +0 -1 ~0", "e/ +1 -0 ~0"]);

    let mut list = ListDiff {
        repository: lake(),
        left,
        right,
        mode: DiffMode::TwoDot,
        prefix: prefix(""),
        delimiter: delimiter(),
        after: None,
        page_size: Some(2),
        page_token: None,
    };
    let first = client.list_diff(list.clone()).await.unwrap();
    commit(&client, &main_branch(), "later").await.unwrap();
    list.page_token = first.next_page_token;
    let second = client.list_diff(list.clone()).await.unwrap();
    assert_eq!(second.next_page_token, None);
    let pages: Vec<String> = first.items.into_iter().chain(second.items).map(shown).collect();
    assert_eq!(pages, all, "both pages show the state before the commit");
    let foreign = client.list_diff(ListDiff { prefix: prefix("d"), ..list }).await;
    assert_eq!(code(foreign), Code::InvalidPageToken);
}

#[tokio::test]
async fn pages_of_heavy_differences_are_smaller() {
    let (node, client) = Node::with_lake().await;
    let metadata: BTreeMap<String, String> = [("k".to_owned(), "v".repeat(60_000))].into();
    for index in 0..600 {
        let link = node.uploaded(&client, &main_branch(), &format!("{index:03}"), "x").await;
        let link = braid_client::Link { metadata: metadata.clone(), ..link };
        client.link_upload(&lake(), &main_branch(), link).await.unwrap();
    }
    let list = |page_token| ListDiff {
        repository: lake(),
        left: reference("main@"),
        right: reference("main$"),
        mode: DiffMode::TwoDot,
        prefix: prefix(""),
        delimiter: None,
        after: None,
        page_size: None,
        page_token,
    };
    let first = client.list_diff(list(None)).await.unwrap();
    assert!(first.items.len() < 600 && first.next_page_token.is_some());
    let second = client.list_diff(list(first.next_page_token)).await.unwrap();
    assert_eq!(first.items.len() + second.items.len(), 600);
}

fn everything(history: bool) -> Fsck {
    Fsck { repository: lake(), reference: None, history }
}

async fn found(client: &Client, check: Fsck) -> (Vec<FsckFault>, FsckProgress) {
    let events: Vec<FsckEvent> = client.fsck(check).try_collect().await.unwrap();
    let Some(FsckEvent::Progress(last)) = events.last().cloned() else { panic!("{events:?}") };
    let fault = |event| match event {
        FsckEvent::Fault(fault) => Some(fault),
        FsckEvent::Progress(_) => None,
    };
    (events.into_iter().filter_map(fault).collect(), last)
}

#[tokio::test]
async fn a_damaged_file_is_named_with_the_place_of_the_damage() {
    let (node, client) = changed().await;
    let (faults, progress) = found(&client, everything(true)).await;
    assert_eq!((faults.len(), progress.commits, progress.trees, progress.entries), (0, 2, 1, 3));
    let store = &node.installation.objects;
    let all = store.list("", None, 1000).await.unwrap().items;
    let files: Vec<&str> = all
        .iter()
        .map(|meta| meta.key.as_str())
        .filter(|key| key.contains("/_lakefs/") && !key.ends_with("dummy"))
        .collect();
    assert_eq!(progress.files, files.len() as u64);
    for key in files {
        let sound = store.get(key, None).await.unwrap();
        let mut damaged = sound.to_vec();
        damaged[5] ^= 1;
        store.put(key, damaged.into(), PutOptions::default()).await.unwrap();
        let (faults, progress) = found(&client, everything(false)).await;
        assert_eq!(progress.faults, faults.len() as u64);
        assert!(faults.iter().any(|fault| fault.offset == Some(0)), "{faults:?}");
        assert!(faults.iter().all(|fault| fault.subject == format!("s3://{key}")), "{faults:?}");
        store.put(key, sound, PutOptions::default()).await.unwrap();
    }
    let refused = Fsck { reference: Some(reference("dev")), ..everything(false) };
    let refused: Result<Vec<_>, Error> = client.fsck(refused).try_collect().await;
    assert_eq!(code(refused), Code::RefNotFound);
}

#[tokio::test]
async fn a_check_needs_a_key_as_every_read_does() {
    let (node, _client) = Node::with_lake().await;
    let anonymous = node.connect(&node.config());
    let refused: Result<Vec<_>, Error> = anonymous.fsck(everything(false)).try_collect().await;
    assert_eq!(code(refused), Code::Unauthenticated);
}

/// A store whose files of trees are read only after the check began, and which tells when a read is given up.
#[derive(Debug)]
struct Stuck {
    inner: Arc<MemoryStore>,
    given_up: mpsc::UnboundedSender<()>,
    reads: mpsc::UnboundedSender<()>,
    sticks: std::sync::atomic::AtomicBool,
}

struct Read(mpsc::UnboundedSender<()>);

impl Drop for Read {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

impl Transfers for Stuck {}

#[async_trait]
impl ObjectStore for Stuck {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        self.inner.put(key, body, options).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        if self.sticks.load(std::sync::atomic::Ordering::SeqCst) {
            let _read = Read(self.given_up.clone());
            self.reads.send(()).unwrap();
            std::future::pending::<()>().await;
        }
        self.inner.get(key, range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.inner.delete(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        self.inner.list(prefix, after, limit).await
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_get(key, ttl, options).await
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_put(key, ttl, options).await
    }
}

#[tokio::test]
async fn a_check_ends_when_its_client_goes_away() {
    let installation = Installation::new();
    let ((reads, mut reading), (given_up, mut ended)) =
        (mpsc::unbounded_channel(), mpsc::unbounded_channel());
    let (inner, sticks) = (installation.objects.clone(), false.into());
    let stuck = Arc::new(Stuck { inner, given_up, reads, sticks });
    let installation = installation.with_stores(Arc::new(SingleStore::new(stuck.clone())));
    let node = installation.start(Settings::default()).await;
    let client = node.client();
    create_lake(&client).await;
    write_and_change(&node, &client).await;
    stuck.sticks.store(true, std::sync::atomic::Ordering::SeqCst);
    let other = node.client();
    let checking = tokio::spawn(async move { other.fsck(everything(false)).next().await });
    timeout(PATIENCE, reading.recv()).await.unwrap().unwrap();
    checking.abort();
    timeout(PATIENCE, ended.recv()).await.unwrap().unwrap();
}
