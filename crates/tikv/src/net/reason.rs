//! Why something failed, in words.

use std::error::Error;

use tonic::Status;

/// The innermost error: the outer ones only say that it was about transport.
pub(crate) fn root_cause(error: &dyn Error) -> String {
    let mut inner = error;
    while let Some(source) = inner.source() {
        inner = source;
    }
    inner.to_string()
}

/// Why a call failed: what the other side said, or what broke on the way.
pub(crate) fn reason(status: &Status) -> String {
    match status.source() {
        Some(cause) => root_cause(cause),
        None => status.message().to_owned(),
    }
}
