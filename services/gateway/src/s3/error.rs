//! From the services' errors, and the object store's, to S3's.

use braid_objects::ObjectError;
use braid_types::{Code, Error};
use http::StatusCode;
use s3s::{S3Error, S3ErrorCode};

/// The S3 error that says what `error` says of a read.
pub(super) fn s3_error(error: &Error) -> S3Error {
    coded(error, error.code().s3(), error.code().http())
}

/// The same of a write, which wants a branch: where there is none, there is no such bucket.
pub(super) fn write_error(error: &Error) -> S3Error {
    match error.code() {
        Code::BranchNotFound | Code::RefNotFound => coded(error, "NoSuchBucket", 404),
        _ => s3_error(error),
    }
}

fn coded(error: &Error, code: &str, status: u16) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).expect("codes of S3 are ASCII");
    // Whoever asks S3 for what is gone is told that it is not there.
    let status = if code == S3ErrorCode::NoSuchKey { 404 } else { status };
    let mut said = S3Error::with_message(code, error.message().to_owned());
    if let Ok(status) = StatusCode::from_u16(status) {
        said.set_status_code(status);
    }
    said
}

/// The S3 error for a failure of the object store about the object at `key`.
pub(super) fn store_error(error: &ObjectError, key: &str) -> S3Error {
    let code = match error {
        ObjectError::NotFound { .. } => S3ErrorCode::NoSuchKey,
        ObjectError::NoSuchUpload { .. } => S3ErrorCode::NoSuchUpload,
        ObjectError::InvalidPart { .. } => S3ErrorCode::InvalidPart,
        ObjectError::InvalidRange { .. } => S3ErrorCode::InvalidRange,
        ObjectError::BrokenOff { .. } => S3ErrorCode::IncompleteBody,
        ObjectError::InvalidRequest { .. } | ObjectError::InvalidKey { .. } => S3ErrorCode::InvalidRequest,
        ObjectError::Unsupported { .. } => S3ErrorCode::NotImplemented,
        ObjectError::Timeout { .. } | ObjectError::Unavailable { .. } | ObjectError::Unknown { .. } => {
            S3ErrorCode::ServiceUnavailable
        }
        ObjectError::NoSpace { .. } => S3ErrorCode::Custom("InsufficientStorage".into()),
        ObjectError::AlreadyExists { .. }
        | ObjectError::Changed { .. }
        | ObjectError::Denied { .. }
        | ObjectError::Damaged { .. }
        | ObjectError::Io { .. } => S3ErrorCode::InternalError,
    };
    let named = error.clone().renamed(key);
    if code == S3ErrorCode::InternalError {
        tracing::error!(key, %error, "the object store failed");
    }
    let mut said = S3Error::with_message(code, named.to_string());
    if let ObjectError::NoSpace { .. } = error {
        said.set_status_code(StatusCode::INSUFFICIENT_STORAGE);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_status_of_its_kind() {
        for &code in Code::ALL {
            let error = s3_error(&Error::new(code, "x", "m"));
            let status = error.status_code().unwrap().as_u16();
            assert_eq!(status >= 500, code.http() >= 500, "{code}");
        }
        let gone = s3_error(&Error::new(Code::DataNotFound, "x", "m"));
        assert_eq!(gone.status_code(), Some(StatusCode::NOT_FOUND));
        let no_branch = write_error(&Error::new(Code::BranchNotFound, "x", "m"));
        assert_eq!(no_branch.code(), &S3ErrorCode::NoSuchBucket);
    }
}
