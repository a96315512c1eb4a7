//! Data on its way between callers and the object store, in memory that does not grow with it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use braid_objects::{ByteRange, ObjectStore, Reading, Source, Stores};
use braid_types::{Code, Error};
use bytes::Bytes;
use futures::{Stream, StreamExt};

/// How long URLs live that the gateway makes.
pub(crate) const URL_LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Where an object's data is, or will be.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    bucket: String,
    pub(crate) store: Arc<dyn ObjectStore>,
    pub(crate) key: String,
}

/// What was written.
pub(crate) struct Written {
    /// The store's entity tag.
    pub(crate) etag: String,
    /// How many bytes.
    pub(crate) size: u64,
}

impl Place {
    /// The place that a physical address names, a whole URI.
    pub(crate) fn at(stores: &dyn Stores, address: &str) -> Result<Self, Error> {
        let out_of_reach = || {
            let message = format!("physical address '{address}' is in no storage that this server reaches");
            Error::new(Code::InvalidArgument, address, message)
        };
        let (bucket, key) =
            address.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(out_of_reach)?;
        let bucket = format!("s3://{bucket}");
        let namespace = bucket.parse().map_err(|_| out_of_reach())?;
        let store = stores.open(&namespace).map_err(|error| error.about(address))?;
        Ok(Self { bucket, store, key: key.to_owned() })
    }

    /// Whether the object store can copy between here and there by itself.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.bucket == other.bucket
    }

    /// Reads all of the data, or a part of it.
    pub(crate) async fn read(&self, range: Option<ByteRange>, path: &str) -> Result<Reading, Error> {
        self.store.read(&self.key, range).await.map_err(|error| error.about(path))
    }

    /// Writes `body`, of which `length` is known if the caller said it.
    pub(crate) async fn write(
        &self,
        body: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
        length: Option<u64>,
        content_type: Option<String>,
        path: &str,
    ) -> Result<Written, Error> {
        let size = Arc::new(AtomicU64::new(0));
        let counted = {
            let size = Arc::clone(&size);
            body.inspect(move |chunk| {
                if let Ok(chunk) = chunk {
                    size.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                }
            })
        };
        let put = self.store.write(&self.key, Source::new(counted, length), content_type).await;
        let put = put.map_err(|error| error.about(path))?;
        Ok(Written { etag: put.etag, size: size.load(Ordering::Relaxed) })
    }

    /// Removes what was written and will not be linked. What cannot be removed is left to the clean-up of unlinked uploads.
    pub(crate) async fn discard(&self) {
        if let Err(error) = self.store.delete(&self.key).await {
            tracing::warn!(key = self.key, %error, "data that nothing refers to is left in the object store");
        }
    }
}
