//! The part of a store under a key prefix, seen as a store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;

use crate::port::check_key;
use crate::{
    ByteRange, ByteStream, ObjectError, ObjectMeta, ObjectStore, Page, PartPage, PartPlace,
    PresignGetOptions, PresignPutOptions, Presigned, PutOptions, PutResult, Reading, Source, Transfers,
    UploadMeta,
};

/// Puts a prefix in front of every key, and takes it off every answer. The prefix counts for the longest key that the
/// store below takes.
#[derive(Debug, Clone)]
pub struct Prefixed {
    inner: Arc<dyn ObjectStore>,
    prefix: String,
}

impl Prefixed {
    /// The objects of `inner` whose keys begin with `prefix`.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>, prefix: impl Into<String>) -> Self {
        Self { inner, prefix: prefix.into() }
    }

    fn full(&self, key: &str) -> Result<String, ObjectError> {
        check_key(key)?;
        Ok(format!("{}{key}", self.prefix))
    }

    /// A name of this store in place of the one below it.
    fn without(&self, mut name: String) -> String {
        name.drain(..self.prefix.len());
        name
    }

    /// An error that names the object's own name, or the source's.
    fn renamed_either(&self, error: ObjectError, from: &str, key: &str) -> ObjectError {
        let named = if error.key() == format!("{}{from}", self.prefix) { from } else { key };
        error.renamed(named)
    }

    fn bare(&self, meta: ObjectMeta) -> ObjectMeta {
        ObjectMeta { key: self.without(meta.key), ..meta }
    }
}

#[async_trait]
impl ObjectStore for Prefixed {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        self.inner.put(&self.full(key)?, body, options).await.map_err(|error| error.renamed(key))
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        self.inner.get(&self.full(key)?, range).await.map_err(|error| error.renamed(key))
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        let meta = self.inner.head(&self.full(key)?).await.map_err(|error| error.renamed(key))?;
        Ok(self.bare(meta))
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.inner.delete(&self.full(key)?).await.map_err(|error| error.renamed(key))
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        let full = format!("{}{prefix}", self.prefix);
        let after = after.map(|after| format!("{}{after}", self.prefix));
        let page = self.inner.list(&full, after.as_deref(), limit).await;
        let page = page.map_err(|error| error.renamed(prefix))?;
        Ok(Page {
            items: page.items.into_iter().map(|meta| self.bare(meta)).collect(),
            next: page.next.map(|next| self.without(next)),
        })
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_get(&self.full(key)?, ttl, options).await.map_err(|error| error.renamed(key))
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_put(&self.full(key)?, ttl, options).await.map_err(|error| error.renamed(key))
    }
}

#[async_trait]
impl Transfers for Prefixed {
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        let reading = self.inner.read(&self.full(key)?, range).await.map_err(|error| error.renamed(key))?;
        let named = key.to_owned();
        let body = ByteStream::new(reading.body.map_err(move |error| error.renamed(&named)));
        Ok(Reading { meta: self.bare(reading.meta), body })
    }

    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let written = self.inner.write(&self.full(key)?, source, content_type).await;
        written.map_err(|error| error.renamed(key))
    }

    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        let copied = self.inner.copy(&self.full(from)?, &self.full(key)?).await;
        copied.map_err(|error| self.renamed_either(error, from, key))
    }

    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        let started = self.inner.start_upload(&self.full(key)?, content_type).await;
        started.map_err(|error| error.renamed(key))
    }

    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        let put = self.inner.put_part(part.at(&self.full(part.key)?), source).await;
        put.map_err(|error| error.renamed(part.key))
    }

    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        let copied = self.inner.copy_part(part.at(&self.full(part.key)?), &self.full(from)?, range).await;
        copied.map_err(|error| self.renamed_either(error, from, part.key))
    }

    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        let completed = self.inner.complete_upload(&self.full(key)?, upload, parts).await;
        completed.map_err(|error| error.renamed(key))
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        self.inner.abort_upload(&self.full(key)?, upload).await.map_err(|error| error.renamed(key))
    }

    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        let listed = self.inner.list_parts(&self.full(key)?, upload, after, limit).await;
        listed.map_err(|error| error.renamed(key))
    }

    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        let full = format!("{}{prefix}", self.prefix);
        let after = after.map(|after| format!("{}{after}", self.prefix));
        let page = self.inner.list_uploads(&full, after.as_deref()).await;
        let page = page.map_err(|error| error.renamed(prefix))?;
        let bare = |upload: UploadMeta| UploadMeta { key: self.without(upload.key), ..upload };
        Ok(Page {
            items: page.items.into_iter().map(bare).collect(),
            next: page.next.map(|next| self.without(next)),
        })
    }

    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        let signed = self.inner.presign_part(part.at(&self.full(part.key)?), ttl, length).await;
        signed.map_err(|error| error.renamed(part.key))
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, Bytes, ObjectStore, Prefixed, PutOptions};
    use crate::MemoryStore;
    use crate::testing::{Fixture, clock, conformance, conformance_transfers};

    async fn under_a_prefix() -> Fixture {
        let memory = Arc::new(MemoryStore::new(clock()));
        for key in ["p", "p0", "o/x", "q"] {
            memory.put(key, Bytes::new(), PutOptions::default()).await.unwrap();
        }
        Fixture { store: Arc::new(Prefixed::new(memory, "p/")), _keep: Box::new(()) }
    }

    conformance!(under_a_prefix);
    conformance_transfers!(under_a_prefix);
}
