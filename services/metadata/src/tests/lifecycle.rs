use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_client::{Client, StreamDownloads};
use braid_objects::{
    ByteRange, MemoryStore, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions, PresignPutOptions,
    Presigned, PutOptions, PutResult, SingleStore, Transfers,
};
use braid_types::Code;
use bytes::Bytes;
use futures::StreamExt;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;

use super::support::*;
use crate::Settings;

/// A store that answers some questions only when it is let.
#[derive(Debug)]
struct Held {
    inner: Arc<MemoryStore>,
    heads: Semaphore,
    presigned_gets: Semaphore,
    seen: mpsc::UnboundedSender<Seen>,
}

#[derive(Debug, PartialEq)]
enum Seen {
    Asked,
    GaveUp,
}

/// Tells when the question that it belongs to is dropped.
struct Question(mpsc::UnboundedSender<Seen>);

impl Drop for Question {
    fn drop(&mut self) {
        let _ = self.0.send(Seen::GaveUp);
    }
}

impl Transfers for Held {}

#[async_trait]
impl ObjectStore for Held {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        self.inner.put(key, body, options).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        self.inner.get(key, range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        self.seen.send(Seen::Asked).unwrap();
        let question = Question(self.seen.clone());
        self.heads.acquire().await.unwrap().forget();
        std::mem::forget(question);
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
        self.presigned_gets.acquire().await.unwrap().forget();
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

struct Slow {
    node: Node,
    client: Client,
    held: Arc<Held>,
    seen: mpsc::UnboundedReceiver<Seen>,
}

/// A node with a lake, over a store that is held.
async fn slow(settings: Settings) -> Slow {
    let installation = Installation::new();
    let (sender, seen) = mpsc::unbounded_channel();
    let inner = installation.objects.clone();
    let held = Held { inner, heads: Semaphore::new(0), presigned_gets: Semaphore::new(0), seen: sender };
    let held = Arc::new(held);
    let node = installation.with_stores(Arc::new(SingleStore::new(held.clone()))).start(settings).await;
    let client = node.client();
    create_lake(&client).await;
    Slow { node, client, held, seen }
}

#[tokio::test]
async fn a_shutdown_lets_calls_finish_and_closes_the_port() {
    let Slow { node, client, held, mut seen } = slow(Settings::default()).await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    let linking = tokio::spawn(async move { client.link_upload(&lake(), &main_branch(), link).await });
    assert_eq!(seen.recv().await, Some(Seen::Asked));
    node.stop();
    held.heads.add_permits(1);
    linking.await.unwrap().unwrap();
    let again = node.client();
    timeout(PATIENCE, node.stopped()).await.unwrap();
    assert_eq!(code(again.get_repository(&lake()).await), Code::Unavailable);
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_ever() {
    let settings = Settings { drain: Duration::from_millis(10), ..Settings::default() };
    let Slow { node, client, held: _held, mut seen } = slow(settings).await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    let linking = tokio::spawn(async move { client.link_upload(&lake(), &main_branch(), link).await });
    assert_eq!(seen.recv().await, Some(Seen::Asked));
    node.stop();
    let interrupted = linking.await.unwrap().unwrap_err();
    assert_eq!((interrupted.code(), interrupted.may_have_happened()), (Code::Unavailable, true));
    timeout(PATIENCE, node.stopped()).await.unwrap();
}

#[tokio::test]
async fn a_shutdown_ends_streams() {
    let Slow { node, client, held, seen: _seen } = slow(Settings::default()).await;
    held.heads.add_permits(20);
    for index in 0..20 {
        node.write(&client, &main_branch(), &index.to_string(), "x").await;
    }
    held.presigned_gets.add_permits(3);
    let all =
        StreamDownloads { repository: lake(), reference: reference("main"), prefix: prefix(""), after: None };
    let mut downloads = client.stream_downloads(all);
    for _ in 0..3 {
        downloads.next().await.unwrap().unwrap();
    }
    node.stop();
    let ended = timeout(PATIENCE, downloads.next()).await.unwrap().unwrap().unwrap_err();
    assert_eq!((ended.code(), ended.message()), (Code::Unavailable, "the server is shutting down"));
    timeout(PATIENCE, node.stopped()).await.unwrap();
}

#[tokio::test]
async fn an_upload_is_not_linked_into_another_repository_of_the_name() {
    let Slow { node, client, held, mut seen } = slow(Settings::default()).await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    let other = node.client();
    let linking = tokio::spawn(async move { client.link_upload(&lake(), &main_branch(), link).await });
    assert_eq!(seen.recv().await, Some(Seen::Asked));
    other.delete_repository(&lake()).await.unwrap();
    create_lake(&other).await;
    held.heads.add_permits(1);
    assert_eq!(code(linking.await.unwrap()), Code::RepositoryNotFound);
    assert_eq!(paths(&other, "main").await.len(), 0);
}

#[tokio::test]
async fn work_stops_when_the_client_goes_away() {
    let Slow { node, client, held: _held, mut seen } = slow(Settings::default()).await;
    let link = node.uploaded(&client, &main_branch(), "a", "x").await;
    let other = node.client();
    let linking = tokio::spawn(async move { client.link_upload(&lake(), &main_branch(), link).await });
    assert_eq!(seen.recv().await, Some(Seen::Asked));
    linking.abort();
    assert_eq!(timeout(PATIENCE, seen.recv()).await.unwrap(), Some(Seen::GaveUp));
    assert_eq!(paths(&other, "main").await.len(), 0);
}
