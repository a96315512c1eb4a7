//! A store that is some way off.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_objects::{
    ByteRange, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions, PresignPutOptions, Presigned,
    PutOptions, PutResult, Transfers,
};
use bytes::Bytes;

/// Lets each request of the store below it take at least a certain time; requests at once take it at once.
#[derive(Debug, Clone)]
pub(crate) struct Delayed {
    inner: Arc<dyn ObjectStore>,
    request: Duration,
}

impl Delayed {
    /// Lets each request to `inner` take `request` at least.
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, request: Duration) -> Self {
        Self { inner, request }
    }

    async fn slowly<T>(&self, answer: impl Future<Output = T>) -> T {
        futures::join!(answer, pause(self.request)).0
    }
}

/// The runtime's own timer counts whole milliseconds, of which a request has but a few.
async fn pause(time: Duration) {
    let pause = tokio::task::spawn_blocking(move || std::thread::sleep(time));
    pause.await.expect("a sleep does not panic, and the runtime outlives its requests");
}

impl Transfers for Delayed {}

#[async_trait]
impl ObjectStore for Delayed {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        self.slowly(self.inner.put(key, body, options)).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        self.slowly(self.inner.get(key, range)).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        self.slowly(self.inner.head(key)).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.slowly(self.inner.delete(key)).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        self.slowly(self.inner.list(prefix, after, limit)).await
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

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use braid_objects::MemoryStore;
    use braid_types::SystemClock;

    use super::*;

    #[tokio::test]
    async fn no_request_takes_less_than_it_should() {
        let inner: Arc<dyn ObjectStore> = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
        inner.put("key", Bytes::from_static(b"12345"), PutOptions::default()).await.unwrap();
        let store = Delayed::new(inner, Duration::from_millis(2));
        let started = Instant::now();
        assert_eq!(store.get("key", Some(ByteRange::Last(2))).await.unwrap(), "45");
        assert!(started.elapsed() >= Duration::from_millis(2));
    }
}
