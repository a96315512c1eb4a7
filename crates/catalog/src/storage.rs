//! What the catalog asks of the place where committed data lives.

use std::sync::Arc;

use async_trait::async_trait;
use braid_tree::RangeStore;
use braid_types::Result;

use crate::refs_dump::RefsManifest;

/// Opens storage namespaces.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Takes a namespace for this installation. Taking it again is fine, also after a crash in the middle.
    ///
    /// # Errors
    /// [`braid_types::Code::NamespaceInUse`] if another installation (of Braid or lakeFS) holds it;
    /// [`braid_types::Code::InvalidArgument`] if no such place can be reached.
    async fn claim(&self, namespace: &str) -> Result<()>;

    /// Takes a namespace for this installation, whoever holds it.
    async fn take_over(&self, namespace: &str) -> Result<()>;

    /// Keeps the manifest of a dump of references in a namespace, in place of any before.
    async fn put_refs_manifest(&self, namespace: &str, manifest: &RefsManifest) -> Result<()>;

    /// The manifest that is kept in a namespace, by whomever; `None` if there is none.
    ///
    /// # Errors
    /// [`braid_types::Code::Corrupt`] if it cannot be read.
    async fn refs_manifest(&self, namespace: &str) -> Result<Option<RefsManifest>>;

    /// The ranges and metaranges of a namespace.
    async fn ranges(&self, namespace: &str) -> Result<Arc<dyn RangeStore>>;
}
