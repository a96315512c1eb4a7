//! What can go wrong on the disk and in the index.

use std::io;

use super::blocks::DamagedBlock;
use crate::ObjectError;

/// Why a local store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The disk failed.
    #[error("cannot open local storage: {0}")]
    Io(#[from] io::Error),
    /// The index cannot be opened; [`redb::DatabaseError::DatabaseAlreadyOpen`] if another process has it.
    #[error("cannot open the index of local storage: {0}")]
    Index(#[from] redb::DatabaseError),
    /// The index cannot be written.
    #[error("cannot write the index of local storage: {0}")]
    Write(Box<redb::Error>),
}

/// Why a request to the local store failed: what the port knows, and what only multipart uploads have.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LocalError {
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error("no upload \"{upload}\" of \"{key}\"")]
    NoSuchUpload { key: String, upload: String },
    #[error("part {number} of \"{key}\" was not uploaded, or has another etag")]
    InvalidPart { key: String, number: u16 },
    #[error("the parts of \"{key}\" are not in ascending order")]
    PartOrder { key: String },
}

/// Says what a failure of the disk means for the object at `key`, of which nothing was changed.
pub(super) fn disk_error(key: &str, error: &io::Error) -> ObjectError {
    let key = key.to_owned();
    let reason = error.to_string();
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ObjectError::NoSpace { key },
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof | io::ErrorKind::NotFound => {
            let block = error.get_ref().and_then(|inner| inner.downcast_ref::<DamagedBlock>());
            ObjectError::Damaged { key, reason, offset: block.map(DamagedBlock::offset) }
        }
        _ => ObjectError::Io { key, reason },
    }
}
