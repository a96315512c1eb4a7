//! What a caller sees of an object store's failure.

use braid_objects::ObjectError;
use braid_types::{Code, Error};

/// The failure of a request about `subject`: the path, address or namespace that the caller knows.
pub(crate) fn store_error(error: &ObjectError, subject: &str) -> Error {
    let code = match error {
        ObjectError::NotFound { .. } => Code::DataNotFound,
        ObjectError::AlreadyExists { .. } | ObjectError::Changed { .. } => Code::Conflict,
        ObjectError::NoSuchUpload { .. } => Code::UploadNotFound,
        ObjectError::InvalidPart { .. } => Code::InvalidParts,
        ObjectError::InvalidKey { .. }
        | ObjectError::BrokenOff { .. }
        | ObjectError::InvalidRequest { .. }
        | ObjectError::Unsupported { .. } => Code::InvalidArgument,
        ObjectError::Timeout { .. } | ObjectError::Unavailable { .. } | ObjectError::Unknown { .. } => {
            Code::Unavailable
        }
        ObjectError::NoSpace { .. } => Code::StorageFull,
        ObjectError::Damaged { .. } => Code::Corrupt,
        ObjectError::Denied { .. } | ObjectError::InvalidRange { .. } | ObjectError::Io { .. } => {
            Code::Internal
        }
    };
    Error::new(code, subject, format!("the object store failed for '{subject}': {error}"))
}
