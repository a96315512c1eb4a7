//! The part of a store under a key prefix, seen as a store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::port::check_key;
use crate::{
    ByteRange, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions, PresignPutOptions, Presigned,
    PutOptions, PutResult,
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

    fn bare(&self, mut meta: ObjectMeta) -> ObjectMeta {
        meta.key.drain(..self.prefix.len());
        meta
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
            next: page.next.map(|mut next| next.split_off(self.prefix.len())),
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

#[cfg(test)]
mod tests {
    use super::{Arc, Bytes, ObjectStore, Prefixed, PutOptions};
    use crate::MemoryStore;
    use crate::testing::{Fixture, clock, conformance};

    async fn under_a_prefix() -> Fixture {
        let memory = Arc::new(MemoryStore::new(clock()));
        for key in ["p", "p0", "o/x", "q"] {
            memory.put(key, Bytes::new(), PutOptions::default()).await.unwrap();
        }
        Fixture { store: Arc::new(Prefixed::new(memory, "p/")), _keep: Box::new(()) }
    }

    conformance!(under_a_prefix);
}
