//! From a storage namespace to the store that holds it.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::{ObjectError, ObjectStore, Prefixed, StorageUri};

/// Opens storage namespaces.
pub trait Stores: Send + Sync + Debug + 'static {
    /// The store of the objects under `namespace`; their keys are relative to it. Makes no request, so the
    /// bucket need not exist.
    ///
    /// # Errors
    /// [`ObjectError::Unsupported`] if this process has no such storage.
    fn open(&self, namespace: &StorageUri) -> Result<Arc<dyn ObjectStore>, ObjectError>;
}

/// Opens one bucket of one storage.
pub trait Buckets: Send + Sync + Debug + 'static {
    /// The store of the whole bucket. Makes no request.
    fn bucket(&self, name: &str) -> Arc<dyn ObjectStore>;
}

/// The storages of a process: the local one, S3, or both. Buckets are opened once and kept.
#[derive(Debug)]
pub struct StoreSet {
    local: Option<Arc<dyn Buckets>>,
    remote: Option<Arc<dyn Buckets>>,
    open: RwLock<HashMap<String, Arc<dyn ObjectStore>>>,
}

impl StoreSet {
    /// Buckets with a dot in their name are opened in `local`, others in `remote`.
    #[must_use]
    pub fn new(local: Option<Arc<dyn Buckets>>, remote: Option<Arc<dyn Buckets>>) -> Self {
        Self { local, remote, open: RwLock::default() }
    }

    fn bucket(&self, namespace: &StorageUri) -> Option<Arc<dyn ObjectStore>> {
        let name = namespace.bucket();
        if let Some(store) = self.open.read().get(name) {
            return Some(Arc::clone(store));
        }
        let buckets = if namespace.is_local() { &self.local } else { &self.remote };
        let store = buckets.as_ref()?.bucket(name);
        Some(Arc::clone(self.open.write().entry(name.to_owned()).or_insert(store)))
    }
}

impl Stores for StoreSet {
    fn open(&self, namespace: &StorageUri) -> Result<Arc<dyn ObjectStore>, ObjectError> {
        let store = self.bucket(namespace).ok_or_else(|| unsupported(namespace))?;
        Ok(under_prefix(store, namespace))
    }
}

/// One store for every namespace, under the bucket's name and prefix: for tests.
#[derive(Debug)]
pub struct SingleStore(Arc<dyn ObjectStore>);

impl SingleStore {
    /// Opens every namespace in `store`.
    #[must_use]
    pub fn new(store: Arc<dyn ObjectStore>) -> Self {
        Self(store)
    }
}

impl Stores for SingleStore {
    fn open(&self, namespace: &StorageUri) -> Result<Arc<dyn ObjectStore>, ObjectError> {
        let prefix = format!("{}/{}", namespace.bucket(), namespace.prefix());
        Ok(Arc::new(Prefixed::new(Arc::clone(&self.0), prefix)))
    }
}

fn under_prefix(store: Arc<dyn ObjectStore>, namespace: &StorageUri) -> Arc<dyn ObjectStore> {
    if namespace.prefix().is_empty() {
        return store;
    }
    Arc::new(Prefixed::new(store, namespace.prefix()))
}

fn unsupported(namespace: &StorageUri) -> ObjectError {
    let kind = if namespace.is_local() { "local storage" } else { "S3 storage" };
    ObjectError::Unsupported { key: namespace.to_string(), what: format!("open {kind}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::clock;
    use crate::{MemoryStore, PutOptions};

    #[derive(Debug)]
    struct OneBucket(Arc<MemoryStore>);

    impl Buckets for OneBucket {
        fn bucket(&self, _name: &str) -> Arc<dyn ObjectStore> {
            Arc::clone(&self.0) as Arc<dyn ObjectStore>
        }
    }

    fn uri(text: &str) -> StorageUri {
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn a_dot_in_the_bucket_decides_and_the_prefix_goes_in_front() {
        let (local, remote) = (Arc::new(MemoryStore::new(clock())), Arc::new(MemoryStore::new(clock())));
        let buckets = |store: &Arc<MemoryStore>| Arc::new(OneBucket(Arc::clone(store))) as Arc<dyn Buckets>;
        let stores = StoreSet::new(Some(buckets(&local)), Some(buckets(&remote)));
        for (namespace, store, key) in [
            ("s3://braid.local/a", &local, "a/key"),
            ("s3://lake/b/c", &remote, "b/c/key"),
            ("s3://other", &remote, "key"),
        ] {
            let opened = stores.open(&uri(namespace)).unwrap();
            opened.put("key", "body".into(), PutOptions::if_absent()).await.unwrap();
            assert_eq!(store.get(key, None).await.unwrap(), "body", "{namespace}");
        }
    }

    #[test]
    fn a_storage_that_is_not_there_is_named() {
        let stores = StoreSet::new(None, None);
        for namespace in ["s3://braid.local/a", "s3://lake/b"] {
            let error = stores.open(&uri(namespace)).unwrap_err();
            assert_eq!(error.key(), format!("{namespace}/"));
        }
    }

    #[tokio::test]
    async fn namespaces_of_a_single_store_do_not_meet() {
        let stores = SingleStore::new(Arc::new(MemoryStore::new(clock())));
        let (one, two) =
            (stores.open(&uri("s3://lake/a")).unwrap(), stores.open(&uri("s3://lake/b")).unwrap());
        one.put("key", "1".into(), PutOptions::default()).await.unwrap();
        two.put("key", "2".into(), PutOptions::if_absent()).await.unwrap();
        assert_eq!(one.get("key", None).await.unwrap(), "1");
    }
}
