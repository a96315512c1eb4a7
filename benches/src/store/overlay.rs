//! A store that stays as it is, with one for what is written over it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_objects::{
    ByteRange, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions, PresignPutOptions, Presigned,
    PutOptions, PutResult, Transfers,
};
use bytes::Bytes;
use parking_lot::Mutex;

/// Writes to one store, and reads what was written from there and everything else from another, which stays as it is. What
/// it lists is what was written.
#[derive(Debug)]
pub(crate) struct Overlay {
    below: Arc<dyn ObjectStore>,
    written: Arc<dyn ObjectStore>,
    keys: Mutex<HashSet<String>>,
}

impl Overlay {
    /// Writes to `written`, which is empty, over `below`.
    pub(crate) fn new(below: Arc<dyn ObjectStore>, written: Arc<dyn ObjectStore>) -> Self {
        Self { below, written, keys: Mutex::default() }
    }

    fn holder(&self, key: &str) -> &dyn ObjectStore {
        match self.keys.lock().contains(key) {
            true => &*self.written,
            false => &*self.below,
        }
    }
}

impl Transfers for Overlay {}

#[async_trait]
impl ObjectStore for Overlay {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        let put = self.written.put(key, body, options).await?;
        self.keys.lock().insert(key.to_owned());
        Ok(put)
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        self.holder(key).get(key, range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        self.holder(key).head(key).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.keys.lock().remove(key);
        self.written.delete(key).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        self.written.list(prefix, after, limit).await
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.holder(key).presign_get(key, ttl, options).await
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        self.written.presign_put(key, ttl, options).await
    }
}

#[cfg(test)]
mod tests {
    use braid_objects::MemoryStore;
    use braid_types::SystemClock;

    use super::*;

    fn empty() -> Arc<dyn ObjectStore> {
        Arc::new(MemoryStore::new(Arc::new(SystemClock)))
    }

    #[tokio::test]
    async fn what_is_below_is_read_and_stays_as_it_is() {
        let (below, written) = (empty(), empty());
        let body = Bytes::from_static;
        below.put("old", body(b"1"), PutOptions::default()).await.unwrap();
        let overlay = Overlay::new(Arc::clone(&below), Arc::clone(&written));
        overlay.put("new", body(b"2"), PutOptions::default()).await.unwrap();
        overlay.put("old", body(b"3"), PutOptions::default()).await.unwrap();
        assert_eq!(overlay.get("new", None).await.unwrap(), "2");
        assert_eq!(overlay.get("old", None).await.unwrap(), "3");
        assert_eq!(below.get("old", None).await.unwrap(), "1");
        assert!(below.head("new").await.is_err());
        overlay.delete("old").await.unwrap();
        assert_eq!(overlay.get("old", None).await.unwrap(), "1");
    }
}
