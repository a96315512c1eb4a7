//! How transfers fail.

use std::io;

use braid_types::Error;

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The server or the object store refused it, could not be reached, or holds other data than it says.
    #[error(transparent)]
    Service(#[from] Error),
    /// The data to upload could not be read.
    #[error("cannot read the data to upload to '{path}': {source}")]
    Source {
        /// The object's path.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
    /// The downloaded data could not be written.
    #[error("cannot write the data downloaded from '{path}': {source}")]
    Sink {
        /// The object's path.
        path: String,
        /// What went wrong.
        source: io::Error,
    },
}
