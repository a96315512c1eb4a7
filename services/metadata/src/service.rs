//! The handlers: convert, call, convert.

mod auth;
mod commits;
mod imports;
mod multipart;
mod objects;
mod pulls;
mod references;
mod repositories;
mod server;
mod settings;

use std::sync::Arc;

use braid_auth::Keys;
use braid_catalog::{Catalog, ListRequest, Listing};
use braid_objects::StorageUri;
use braid_types::{Clock, Error, Random, RefExpression, RepositoryName};
use futures::{Stream, TryStreamExt, stream};

use crate::address::Addresses;
use crate::front::Front;
use crate::imports::Imports;
use crate::intent::Intents;
use crate::metadata::Settings;
use crate::namespaces::Namespaces;
use crate::stream::items_of;

/// How many items are read from a listing at once.
const READ_ITEMS: usize = 500;

/// What all handlers work with.
pub(crate) struct Core {
    pub(crate) catalog: Catalog,
    pub(crate) keys: Arc<Keys>,
    pub(crate) namespaces: Arc<Namespaces>,
    pub(crate) imports: Imports,
    pub(crate) intents: Intents,
    pub(crate) addresses: Addresses,
    pub(crate) default_prefix: StorageUri,
    pub(crate) front: Front,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) settings: Settings,
}

impl Core {
    /// A listing item by item, from one snapshot.
    pub(crate) async fn listed(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        list: &ListRequest,
    ) -> Result<impl Stream<Item = Result<Listing, Error>> + Send + use<>, Error> {
        let cursor = self.catalog.object_cursor(repository, reference, list).await?;
        let pages = items_of(cursor, async |mut cursor| {
            let items = cursor.next_items(READ_ITEMS).await?;
            Ok(if items.is_empty() { None } else { Some((items, cursor)) })
        });
        Ok(pages.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten())
    }
}
