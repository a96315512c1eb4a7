//! From the SDK's errors to the port's.

use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_smithy_types::error::metadata::ErrorMetadata;

use crate::ObjectError;

/// What a failed request for `key` means.
pub(crate) fn request_error<E>(key: &str, error: SdkError<E>) -> ObjectError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
{
    let key = key.to_owned();
    match error {
        SdkError::ConstructionFailure(_) => {
            ObjectError::InvalidRequest { key, rule: DisplayErrorContext(&error).to_string() }
        }
        SdkError::TimeoutError(_) => ObjectError::Timeout { key },
        SdkError::ServiceError(refused) => {
            answer_error(key, refused.raw().status().as_u16(), refused.err().meta())
        }
        other => ObjectError::Unknown { key, reason: DisplayErrorContext(&other).to_string() },
    }
}

/// What an answer of this status and code means. An answer to HEAD has no code.
fn answer_error(key: String, status: u16, meta: &ErrorMetadata) -> ObjectError {
    let code = meta.code().unwrap_or_default();
    let reason = reason(status, meta);
    match (status, code) {
        (_, "NoSuchKey") => ObjectError::NotFound { key },
        (_, "NoSuchUpload") => ObjectError::NoSuchUpload { key },
        (_, "InvalidPart" | "InvalidPartOrder" | "EntityTooSmall") => {
            ObjectError::InvalidPart { key, rule: reason }
        }
        (404, "" | "NotFound") => ObjectError::NotFound { key },
        (412, _) => ObjectError::AlreadyExists { key },
        (416, _) => ObjectError::InvalidRange { key },
        (507, _) | (_, "XMinioStorageFull") => ObjectError::NoSpace { key },
        (_, "RequestTimeout") => ObjectError::Timeout { key },
        (409, "ConditionalRequestConflict" | "OperationAborted") => ObjectError::Unavailable { key, reason },
        (429 | 503, _) | (_, "SlowDown") => ObjectError::Unavailable { key, reason },
        (401 | 403, _) | (_, "ExpiredToken" | "InvalidToken") => ObjectError::Denied { key, reason },
        (501, _) => ObjectError::Unsupported { key, what: reason },
        (500.., _) => ObjectError::Unknown { key, reason },
        _ => ObjectError::InvalidRequest { key, rule: reason },
    }
}

fn reason(status: u16, meta: &ErrorMetadata) -> String {
    match (meta.code(), meta.message()) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(code), None) => code.to_owned(),
        (None, _) => format!("status {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> ObjectError {
        let meta = ErrorMetadata::builder().code(code).message("m").build();
        answer_error("k".to_owned(), status, &meta)
    }

    #[test]
    fn a_missing_bucket_is_not_a_missing_object() {
        assert_eq!(answer(404, "NoSuchKey"), ObjectError::NotFound { key: "k".into() });
        assert!(matches!(answer(404, "NoSuchBucket"), ObjectError::InvalidRequest { .. }));
    }

    #[test]
    fn each_answer_says_whether_to_try_again_and_whether_it_may_have_happened() {
        for (status, code, retryable, may_have_happened) in [
            (503, "SlowDown", true, false),
            (409, "ConditionalRequestConflict", true, false),
            (500, "InternalError", true, true),
            (400, "RequestTimeout", true, true),
            (403, "AccessDenied", false, false),
            (412, "PreconditionFailed", false, false),
            (400, "InvalidArgument", false, false),
            (507, "InsufficientStorage", false, false),
        ] {
            let error = answer(status, code);
            let said = (error.is_retryable(), error.may_have_happened());
            assert_eq!(said, (retryable, may_have_happened), "{error}");
        }
    }
}
