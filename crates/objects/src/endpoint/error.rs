//! From the store's errors to S3's.

use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

use crate::ObjectError;
use crate::local::LocalError;

/// The S3 error that says what `error` says.
pub(super) fn s3_error(error: impl Into<LocalError>) -> S3Error {
    let error = error.into();
    let mut said = S3Error::with_message(code(&error), error.to_string());
    if let LocalError::Object(ObjectError::NoSpace { .. }) = error {
        said.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
    }
    said
}

fn code(error: &LocalError) -> S3ErrorCode {
    match error {
        LocalError::Object(error) => object_code(error),
        LocalError::NoSuchUpload { .. } => S3ErrorCode::NoSuchUpload,
        LocalError::InvalidPart { .. } => S3ErrorCode::InvalidPart,
        LocalError::PartOrder { .. } => S3ErrorCode::InvalidPartOrder,
    }
}

fn object_code(error: &ObjectError) -> S3ErrorCode {
    match error {
        ObjectError::NotFound { .. } => S3ErrorCode::NoSuchKey,
        ObjectError::AlreadyExists { .. } | ObjectError::Changed { .. } => S3ErrorCode::PreconditionFailed,
        ObjectError::Denied { .. } => S3ErrorCode::AccessDenied,
        ObjectError::InvalidKey { .. } => S3ErrorCode::KeyTooLongError,
        ObjectError::InvalidRange { .. } => S3ErrorCode::InvalidRange,
        ObjectError::NoSuchUpload { .. } => S3ErrorCode::NoSuchUpload,
        ObjectError::InvalidPart { .. } => S3ErrorCode::InvalidPart,
        ObjectError::BrokenOff { .. } => S3ErrorCode::IncompleteBody,
        ObjectError::InvalidRequest { .. } => S3ErrorCode::InvalidRequest,
        ObjectError::Unsupported { .. } => S3ErrorCode::NotImplemented,
        ObjectError::Timeout { .. } | ObjectError::Unavailable { .. } => S3ErrorCode::ServiceUnavailable,
        ObjectError::NoSpace { .. } => S3ErrorCode::Custom("InsufficientStorage".into()),
        ObjectError::Unknown { .. } | ObjectError::Damaged { .. } | ObjectError::Io { .. } => {
            S3ErrorCode::InternalError
        }
    }
}
