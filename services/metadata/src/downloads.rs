//! Downloads: presigned URLs for what a path maps to, or for all under a prefix.

use std::sync::Arc;
use std::time::Duration;

use braid_catalog::{ListRequest, Listing};
use braid_objects::PresignGetOptions;
use braid_types::{Error, ObjectPath, Time};
use braid_wire::{Download, GetDownloadUrl, StreamDownloads};
use futures::{Stream, TryStreamExt};

use crate::convert;
use crate::namespaces::Namespaces;
use crate::service::Core;
use crate::store_error::store_error;

/// How many URLs are made before the first of them is sent. Each costs a little work and no request.
const READ_AHEAD: usize = 16;

/// Makes URLs for objects.
struct Downloads {
    namespaces: Arc<Namespaces>,
    ttl: Duration,
}

impl Core {
    /// A URL for one object.
    pub(crate) async fn download_url(&self, asked: GetDownloadUrl) -> Result<Download, Error> {
        let object = self.catalog.stat(&asked.repository, &asked.reference, &asked.path).await?;
        self.downloads().download(object).await
    }

    /// URLs for all objects under a prefix, from one snapshot.
    pub(crate) async fn stream_of_downloads(
        &self,
        asked: StreamDownloads,
    ) -> Result<impl Stream<Item = Result<Download, Error>> + Send + use<>, Error> {
        let downloads = Arc::new(self.downloads());
        let list = ListRequest {
            prefix: asked.prefix,
            delimiter: String::new(),
            after: asked.after.map(|after| after.to_string()).unwrap_or_default(),
        };
        let listed = self.listed(&asked.repository, &asked.reference, &list).await?;
        let made = listed.try_filter_map(async |listing| Ok(object(listing))).map_ok(move |object| {
            let downloads = Arc::clone(&downloads);
            async move { downloads.download(object).await }
        });
        Ok(made.try_buffered(READ_AHEAD))
    }

    fn downloads(&self) -> Downloads {
        Downloads { namespaces: Arc::clone(&self.namespaces), ttl: self.settings.presign_ttl }
    }
}

impl Downloads {
    async fn download(&self, object: braid_catalog::Object) -> Result<Download, Error> {
        let namespace = self.namespaces.open(&object.namespace)?;
        let location = self.namespaces.locate(&namespace, &object.entry)?;
        let options = PresignGetOptions {
            content_type: Some(object.entry.content_type.clone())
                .filter(|content_type| !content_type.is_empty()),
            download_name: download_name(&object.path),
        };
        let signed = location.store.presign_get(&location.key, self.ttl, options).await;
        let signed = signed.map_err(|error| store_error(&error, object.path.as_str()))?;
        let expires_at = Time::from_seconds(signed.expires_at);
        Ok(Download { object: convert::object(object), url: signed.url, expires_at })
    }
}

/// Without a delimiter every line of a listing is an object.
fn object(listing: Listing) -> Option<braid_catalog::Object> {
    match listing {
        Listing::Object(object) => Some(object),
        Listing::CommonPrefix(_) => None,
    }
}

/// The name under which a browser saves an object: the last part of its path.
fn download_name(path: &ObjectPath) -> Option<String> {
    path.as_str().rsplit('/').find(|part| !part.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_saved_under_the_last_part_of_its_path() {
        let name = |path: &str| download_name(&ObjectPath::new(path).unwrap());
        assert_eq!(name("a/b/c.txt").as_deref(), Some("c.txt"));
        assert_eq!(name("a/b/").as_deref(), Some("b"));
        assert_eq!(name("///"), None);
    }
}
