//! What the catalog asks of the place where committed data lives.

use std::sync::Arc;

use async_trait::async_trait;
use braid_tree::RangeStore;
use braid_types::Result;

/// Opens storage namespaces.
#[async_trait]
pub trait Storage: Send + Sync + 'static {
    /// Takes a namespace for this installation. Taking it again is fine, also after a crash in the middle.
    ///
    /// # Errors
    /// [`braid_types::Code::NamespaceInUse`] if another installation (of Braid or lakeFS) holds it;
    /// [`braid_types::Code::InvalidArgument`] if no such place can be reached.
    async fn claim(&self, namespace: &str) -> Result<()>;

    /// The ranges and metaranges of a namespace.
    async fn ranges(&self, namespace: &str) -> Result<Arc<dyn RangeStore>>;
}
