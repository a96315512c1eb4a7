//! Storage namespaces: who holds them, their object stores and their ranges.

use std::sync::Arc;

use async_trait::async_trait;
use braid_cache::{RangeCache, RangeMemory};
use braid_catalog::{RefsManifest, Storage};
use braid_objects::{ObjectError, ObjectStore, PutOptions, StorageUri, Stores};
use braid_tree::RangeStore;
use braid_types::{AddressType, Code, Entry, Error, Result};
use moka::sync::Cache;

use crate::refs_dump::{MANIFEST, decode_manifest, encode_manifest};
use crate::store_error::store_error;

/// The object by which a namespace is held. lakeFS puts one of the same name.
const MARKER: &str = "_lakefs/dummy";

/// Most namespaces kept open.
const OPEN_NAMESPACES: u64 = 10_000;

/// All storage namespaces of an installation, opened as they are used.
pub(crate) struct Namespaces {
    stores: Arc<dyn Stores>,
    range_memory: Arc<RangeMemory>,
    marker: String,
    open: Cache<String, Arc<Namespace>>,
}

/// One storage namespace.
pub(crate) struct Namespace {
    uri: StorageUri,
    /// The objects in it, by keys relative to it.
    pub(crate) store: Arc<dyn ObjectStore>,
    ranges: Arc<dyn RangeStore>,
}

/// Where an object's data is.
pub(crate) struct Location {
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) key: String,
}

impl Namespaces {
    pub(crate) fn new(stores: Arc<dyn Stores>, range_memory: Arc<RangeMemory>, installation: &str) -> Self {
        let marker = format!("This storage namespace is held by Braid installation {installation}.\n");
        Self { stores, range_memory, marker, open: Cache::new(OPEN_NAMESPACES) }
    }

    /// The namespace, opened once and shared.
    pub(crate) fn open(&self, namespace: &str) -> Result<Arc<Namespace>> {
        let opened = self.open.try_get_with_by_ref(namespace, || self.open_anew(namespace).map(Arc::new));
        opened.map_err(|error| (*error).clone())
    }

    fn open_anew(&self, namespace: &str) -> Result<Namespace> {
        let uri = parse(namespace)?;
        let store = self.stores.open(&uri).map_err(|error| store_error(&error, namespace))?;
        let ranges = RangeCache::new(Arc::clone(&self.range_memory), canonical(&uri), Arc::clone(&store));
        Ok(Namespace { uri, store, ranges: Arc::new(ranges) })
    }

    /// Where the data of an entry of `namespace` is: in it, or wherever a whole URI says.
    pub(crate) fn locate(&self, namespace: &Namespace, entry: &Entry) -> Result<Location> {
        let whole = match entry.address_type {
            AddressType::Full => true,
            AddressType::Relative => false,
            AddressType::ByPrefix => entry.address.contains("://"),
        };
        if !whole {
            return Ok(Location { store: Arc::clone(&namespace.store), key: entry.address.clone() });
        }
        if let Some(key) = namespace.uri.relative(&entry.address) {
            return Ok(Location { store: Arc::clone(&namespace.store), key: key.to_owned() });
        }
        let (bucket, key) = split_address(&entry.address)?;
        Ok(Location { store: self.bucket(&bucket)?, key })
    }

    /// A whole bucket, named as `s3://bucket`.
    pub(crate) fn bucket(&self, bucket: &str) -> Result<Arc<dyn ObjectStore>> {
        self.stores.open(&parse(bucket)?).map_err(|error| store_error(&error, bucket))
    }

    /// Refuses a namespace whose marker is not this installation's.
    async fn check_holder(&self, store: &dyn ObjectStore, namespace: &str) -> Result<()> {
        let found = store.get(MARKER, None).await.map_err(|error| store_error(&error, namespace))?;
        if found == self.marker {
            return Ok(());
        }
        let message =
            format!("storage namespace '{namespace}' is held by another installation of Braid or lakeFS");
        Err(Error::new(Code::NamespaceInUse, namespace, message))
    }
}

#[async_trait]
impl Storage for Namespaces {
    async fn claim(&self, namespace: &str) -> Result<()> {
        let store = Arc::clone(&self.open(namespace)?.store);
        let options = PutOptions { content_type: Some("text/plain".to_owned()), ..PutOptions::if_absent() };
        match store.put(MARKER, self.marker.clone().into(), options).await {
            Ok(_) => Ok(()),
            Err(ObjectError::AlreadyExists { .. }) => self.check_holder(&*store, namespace).await,
            Err(error @ (ObjectError::NotFound { .. } | ObjectError::Denied { .. })) => {
                let message = format!("storage namespace '{namespace}' cannot be written to: {error}");
                Err(Error::new(Code::InvalidArgument, namespace, message))
            }
            Err(error) => Err(store_error(&error, namespace)),
        }
    }

    async fn take_over(&self, namespace: &str) -> Result<()> {
        let store = Arc::clone(&self.open(namespace)?.store);
        let options = PutOptions { content_type: Some("text/plain".to_owned()), ..PutOptions::default() };
        let put = store.put(MARKER, self.marker.clone().into(), options).await;
        put.map(|_| ()).map_err(|error| store_error(&error, namespace))
    }

    async fn put_refs_manifest(&self, namespace: &str, manifest: &RefsManifest) -> Result<()> {
        let store = Arc::clone(&self.open(namespace)?.store);
        let options =
            PutOptions { content_type: Some("application/json".to_owned()), ..PutOptions::default() };
        let put = store.put(MANIFEST, encode_manifest(manifest).into(), options).await;
        put.map(|_| ()).map_err(|error| store_error(&error, namespace))
    }

    async fn refs_manifest(&self, namespace: &str) -> Result<Option<RefsManifest>> {
        let store = Arc::clone(&self.open(namespace)?.store);
        match store.get(MANIFEST, None).await {
            Ok(file) => decode_manifest(namespace, &file).map(Some),
            Err(ObjectError::NotFound { .. }) => Ok(None),
            Err(error) => Err(store_error(&error, namespace)),
        }
    }

    async fn ranges(&self, namespace: &str) -> Result<Arc<dyn RangeStore>> {
        Ok(Arc::clone(&self.open(namespace)?.ranges))
    }
}

/// Parses a storage namespace.
pub(crate) fn parse(namespace: &str) -> Result<StorageUri> {
    namespace.parse().map_err(|error: braid_objects::InvalidStorageUri| {
        Error::new(Code::InvalidArgument, namespace, error.to_string())
    })
}

/// The one way to write a namespace: two ways would be two namespaces to the catalog, in one place.
pub(crate) fn canonical(uri: &StorageUri) -> String {
    uri.to_string().trim_end_matches('/').to_owned()
}

/// Splits `s3://bucket/key` into the bucket's namespace and the key.
pub(crate) fn split_address(address: &str) -> Result<(String, String)> {
    let parts = address.strip_prefix("s3://").and_then(|rest| rest.split_once('/'));
    match parts {
        Some((bucket, key)) => Ok((format!("s3://{bucket}"), key.to_owned())),
        None => {
            let message =
                format!("physical address '{address}' is not in a storage that this server reaches");
            Err(Error::new(Code::InvalidArgument, address, message))
        }
    }
}
