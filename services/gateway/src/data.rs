//! Data at the addresses that the services name.

use std::sync::Arc;

use braid_objects::{ObjectStore, Stores};
use braid_types::{Code, Error};

/// Where an object's data is.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// The bucket, as `s3://bucket`: copies within one need not come through here.
    pub(crate) bucket: String,
    /// The store of the whole bucket.
    pub(crate) store: Arc<dyn ObjectStore>,
    /// The key in it.
    pub(crate) key: String,
}

impl Place {
    /// Whether the object store can copy from here to there by itself.
    pub(crate) fn is_beside(&self, other: &Self) -> bool {
        self.bucket == other.bucket
    }
}

/// The place of a physical address: a whole URI.
///
/// # Errors
/// [`Code::InvalidArgument`] if it is in no storage of this process.
pub(crate) fn place(stores: &dyn Stores, address: &str) -> Result<Place, Error> {
    let unreachable = || {
        let message = format!("physical address '{address}' is not in a storage that this server reaches");
        Error::new(Code::InvalidArgument, address, message)
    };
    let (bucket, key) =
        address.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or_else(unreachable)?;
    let bucket = format!("s3://{bucket}");
    let namespace = bucket.parse().map_err(|_| unreachable())?;
    let store = stores.open(&namespace).map_err(|_| unreachable())?;
    Ok(Place { bucket, store, key: key.to_owned() })
}
