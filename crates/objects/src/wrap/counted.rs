//! Counts what goes to a store: requests cost money, and tests hold budgets against them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;

use crate::{
    ByteRange, ByteStream, ObjectError, ObjectMeta, ObjectStore, Page, PartPage, PartPlace,
    PresignGetOptions, PresignPutOptions, Presigned, PutOptions, PutResult, Reading, Source, Transfers,
    UploadMeta,
};

/// Counts each call to the store below it, whether or not it succeeds.
#[derive(Debug, Clone)]
pub struct Counted {
    inner: Arc<dyn ObjectStore>,
    counters: Arc<Counters>,
}

/// What was asked of a store so far; shared, and only ever growing.
#[derive(Debug, Default)]
pub struct Counters {
    puts: AtomicU64,
    gets: AtomicU64,
    heads: AtomicU64,
    deletes: AtomicU64,
    lists: AtomicU64,
    presigned: AtomicU64,
    written: AtomicU64,
    read: AtomicU64,
}

/// The state of [`Counters`] at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests to write an object.
    pub puts: u64,
    /// Requests to read one.
    pub gets: u64,
    /// Requests to describe one.
    pub heads: u64,
    /// Requests to remove one.
    pub deletes: u64,
    /// Requests for a page of a listing.
    pub lists: u64,
    /// URLs presigned; no request goes out for them.
    pub presigned: u64,
    /// Bytes sent in writes.
    pub written: u64,
    /// Bytes received from reads that succeeded.
    pub read: u64,
}

impl Counts {
    /// Requests that went to the store.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.puts + self.gets + self.heads + self.deletes + self.lists
    }

    /// What came after `earlier`.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            puts: self.puts - earlier.puts,
            gets: self.gets - earlier.gets,
            heads: self.heads - earlier.heads,
            deletes: self.deletes - earlier.deletes,
            lists: self.lists - earlier.lists,
            presigned: self.presigned - earlier.presigned,
            written: self.written - earlier.written,
            read: self.read - earlier.read,
        }
    }
}

impl Counters {
    /// What was counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            puts: load(&self.puts),
            gets: load(&self.gets),
            heads: load(&self.heads),
            deletes: load(&self.deletes),
            lists: load(&self.lists),
            presigned: load(&self.presigned),
            written: load(&self.written),
            read: load(&self.read),
        }
    }
}

impl Counted {
    /// Counts what goes to `inner`.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, counters: Arc::default() }
    }

    /// The counters, which outlive the store.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    fn counted(&self, source: Source) -> Source {
        let counters = Arc::clone(&self.counters);
        source.inspected(move |chunk| add(&counters.written, chunk.len() as u64))
    }
}

fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Relaxed);
}

#[async_trait]
impl ObjectStore for Counted {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        add(&self.counters.puts, 1);
        add(&self.counters.written, body.len() as u64);
        self.inner.put(key, body, options).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        add(&self.counters.gets, 1);
        let body = self.inner.get(key, range).await?;
        add(&self.counters.read, body.len() as u64);
        Ok(body)
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        add(&self.counters.heads, 1);
        self.inner.head(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        add(&self.counters.deletes, 1);
        self.inner.delete(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        add(&self.counters.lists, 1);
        self.inner.list(prefix, after, limit).await
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        add(&self.counters.presigned, 1);
        self.inner.presign_get(key, ttl, options).await
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        add(&self.counters.presigned, 1);
        self.inner.presign_put(key, ttl, options).await
    }
}

#[async_trait]
impl Transfers for Counted {
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        add(&self.counters.gets, 1);
        let Reading { meta, body } = self.inner.read(key, range).await?;
        let counters = Arc::clone(&self.counters);
        let body = body.inspect_ok(move |chunk| add(&counters.read, chunk.len() as u64));
        Ok(Reading { meta, body: ByteStream::new(body) })
    }

    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        add(&self.counters.puts, 1);
        self.inner.write(key, self.counted(source), content_type).await
    }

    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        add(&self.counters.puts, 1);
        self.inner.copy(from, key).await
    }

    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        add(&self.counters.puts, 1);
        self.inner.start_upload(key, content_type).await
    }

    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        add(&self.counters.puts, 1);
        self.inner.put_part(part, self.counted(source)).await
    }

    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        add(&self.counters.puts, 1);
        self.inner.copy_part(part, from, range).await
    }

    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        add(&self.counters.puts, 1);
        self.inner.complete_upload(key, upload, parts).await
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        add(&self.counters.deletes, 1);
        self.inner.abort_upload(key, upload).await
    }

    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        add(&self.counters.lists, 1);
        self.inner.list_parts(key, upload, after, limit).await
    }

    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        add(&self.counters.lists, 1);
        self.inner.list_uploads(prefix, after).await
    }

    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        add(&self.counters.presigned, 1);
        self.inner.presign_part(part, ttl, length).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::testing::clock;

    #[tokio::test]
    async fn requests_and_bytes_are_counted() {
        let store = Counted::new(Arc::new(MemoryStore::new(clock())));
        let counters = store.counters();
        store.put("key", Bytes::from_static(b"12345"), PutOptions::default()).await.unwrap();
        let before = counters.counts();
        store.get("key", Some(ByteRange::Last(2))).await.unwrap();
        store.get("none", None).await.unwrap_err();
        store.head("key").await.unwrap();
        store.list("", None, 10).await.unwrap();
        store.presign_get("key", Duration::from_secs(9), PresignGetOptions::default()).await.unwrap();
        store.delete("key").await.unwrap();
        let reading = store.read("none", None).await;
        assert!(matches!(reading, Err(ObjectError::NotFound { .. })));
        assert_eq!(before, Counts { puts: 1, written: 5, ..Counts::default() });
        let counts = counters.counts().since(&before);
        let expected =
            Counts { gets: 3, heads: 1, lists: 1, presigned: 1, deletes: 1, read: 2, ..Counts::default() };
        assert_eq!(counts, expected);
        assert_eq!(counts.requests(), 6);
    }

    #[tokio::test]
    async fn content_is_counted_as_it_passes() {
        let store = Counted::new(Arc::new(MemoryStore::new(clock())));
        store.write("key", Bytes::from_static(b"12345").into(), None).await.unwrap();
        let body = store.read("key", Some(ByteRange::From(1))).await.unwrap().body;
        let counts = store.counters().counts();
        assert_eq!((counts.written, counts.read), (5, 0));
        assert_eq!(body.try_collect::<Vec<_>>().await.unwrap().concat(), b"2345");
        assert_eq!(store.counters().counts().read, 4);
    }
}
