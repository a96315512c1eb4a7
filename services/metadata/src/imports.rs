//! Imports: which objects can be imported, and doing it in the background, on this node or whichever is there.

use std::sync::Arc;

use async_trait::async_trait;
use braid_catalog::{Catalog, ImportSource, ImportStore, Importable};
use braid_objects::{MAX_PAGE, ObjectError, ObjectMeta, ObjectStore};
use braid_types::{Code, Error, ImportId, RepositoryName, Result, Time};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::namespaces::{Namespaces, parse, split_address};
use crate::service::Core;
use crate::store_error::store_error;

/// Imports that a node does at the same time.
const AT_ONCE: usize = 4;

/// What does the imports of this node.
#[derive(Clone)]
pub(crate) struct Imports {
    catalog: Catalog,
    store: Arc<dyn ImportStore>,
    places: Arc<Semaphore>,
}

impl Imports {
    pub(crate) fn new(catalog: Catalog, store: Arc<dyn ImportStore>) -> Self {
        Self { catalog, store, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Where objects are that can be imported.
    pub(crate) fn store(&self) -> &dyn ImportStore {
        &*self.store
    }

    /// Does an import in the background until `stop`; another node goes on then. Waits while this one does others.
    pub(crate) fn spawn(&self, repository: RepositoryName, id: ImportId, stop: CancellationToken) {
        let imports = self.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = imports.run(&repository, id) => {}
            }
        });
    }

    async fn run(&self, repository: &RepositoryName, id: ImportId) {
        let _place = self.places.acquire().await;
        match self.catalog.run_import(repository, id, &self.store).await {
            Ok(true) => tracing::info!(%repository, import = %id, "an import ended"),
            Ok(false) => tracing::debug!(%repository, import = %id, "an import is another node's, or over"),
            Err(error) => {
                tracing::warn!(%repository, import = %id, %error, "an import broke off; a later run begins it again");
            }
        }
    }
}

/// Takes the imports that nobody does, as far as this node has room.
pub(crate) async fn take_over(core: &Core) {
    if core.imports.places.available_permits() == 0 {
        return;
    }
    match core.catalog.imports_to_run().await {
        Ok(imports) => {
            for (repository, id) in imports.into_iter().take(AT_ONCE) {
                core.imports.spawn(repository, id, core.front.stops().draining.clone());
            }
        }
        Err(error) => tracing::warn!(%error, "imports were not looked for; the next run tries again"),
    }
}

#[async_trait]
impl ImportStore for Namespaces {
    fn check(&self, namespace: &str, source: &ImportSource) -> Result<()> {
        let (ImportSource::Prefix { uri, .. } | ImportSource::Object { uri, .. }) = source;
        let refused = |rule: &str| {
            let message = format!("'{uri}' cannot be imported: {rule}");
            Error::new(Code::InvalidArgument, uri.clone(), message)
        };
        let opened = self.bucket_of(uri);
        let (_, key) = opened.map_err(|error| refused(error.message()))?;
        let own = parse(namespace)?;
        let is_object = matches!(source, ImportSource::Object { .. });
        if is_object && key.is_empty() {
            return Err(refused("it names no object"));
        }
        let is_around = !is_object && own.to_string().starts_with(uri.as_str());
        if own.relative(uri).is_some() || is_around {
            return Err(refused(&format!(
                "it is in the repository's own storage namespace '{namespace}', or around it"
            )));
        }
        Ok(())
    }

    async fn list(&self, uri: &str, after: Option<&str>) -> Result<Vec<Importable>> {
        let (store, prefix) = self.bucket_of(uri)?;
        let bucket = &uri[..uri.len() - prefix.len()];
        let mut after = after.and_then(|address| address.strip_prefix(bucket)).map(str::to_owned);
        loop {
            let page = store.list(&prefix, after.as_deref(), MAX_PAGE).await;
            let page = page.map_err(|error| source_error(&error, uri))?;
            if page.items.is_empty() && page.next.is_some() {
                after = page.next;
                continue;
            }
            return Ok(page.items.into_iter().map(|object| importable(bucket, object)).collect());
        }
    }

    async fn find(&self, uri: &str) -> Result<Importable> {
        let (store, key) = self.bucket_of(uri)?;
        let found = store.head(&key).await.map_err(|error| source_error(&error, uri))?;
        Ok(importable(&uri[..uri.len() - key.len()], found))
    }
}

impl Namespaces {
    /// The bucket that an address is in, and the key there.
    fn bucket_of(&self, uri: &str) -> Result<(Arc<dyn ObjectStore>, String)> {
        let (bucket, key) = split_address(uri)?;
        Ok((self.bucket(&bucket)?, key))
    }
}

/// The failure of a request about what a caller names: that it may not be read is no fault of the server's.
fn source_error(error: &ObjectError, uri: &str) -> Error {
    match error {
        ObjectError::Denied { .. } => {
            let message = format!("the server may not read '{uri}': {error}");
            Error::new(Code::PermissionDenied, uri, message)
        }
        _ => store_error(error, uri),
    }
}

/// `bucket` ends in a slash.
fn importable(bucket: &str, object: ObjectMeta) -> Importable {
    Importable {
        address: format!("{bucket}{}", object.key),
        size: object.size,
        etag: object.etag,
        content_type: object.content_type.unwrap_or_default(),
        mtime: Time::from_seconds(object.last_modified),
    }
}
