//! Braid's errors as gRPC statuses, and back.
//!
//! A status that Braid sends carries a `google.rpc.Status` in `grpc-status-details-bin`, with one [`ErrorDetail`] in it.
//! A status without comes from something in between, or from this side's own transport.

use braid_types::{Code, Error};
use prost::Message;
use tonic::Status;

use crate::proto::ErrorDetail;

/// Type URL of [`ErrorDetail`] in an `Any`.
const DETAIL_TYPE: &str = "type.googleapis.com/braid.v1.ErrorDetail";

/// `google.rpc.Status`, as gRPC's richer error model has it.
#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<prost_types::Any>,
}

/// What a status is the answer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// A call that changes nothing.
    Read,
    /// A call that changes something: if its answer is lost, nobody knows whether it did.
    Write,
}

/// The status that tells `error` whole.
pub fn status_from_error(error: &Error) -> Status {
    let code = error.code().grpc() as i32;
    let detail = detail_of(error).encode_to_vec();
    let any = prost_types::Any { type_url: DETAIL_TYPE.to_owned(), value: detail };
    let rich = RpcStatus { code, message: error.message().to_owned(), details: vec![any] };
    Status::with_details(tonic::Code::from(code), error.message(), rich.encode_to_vec().into())
}

/// The error that `status` tells of a `call`.
pub fn error_from_status(status: &Status, call: Call) -> Error {
    match detail(status) {
        Some(detail) => error_from_detail(status.code(), detail),
        None => error_without_detail(status, call),
    }
}

fn detail(status: &Status) -> Option<ErrorDetail> {
    let rich = RpcStatus::decode(status.details()).ok()?;
    let any = rich.details.iter().find(|any| any.type_url == DETAIL_TYPE)?;
    ErrorDetail::decode(any.value.as_slice()).ok()
}

/// What `error` says, in a message.
pub(crate) fn detail_of(error: &Error) -> ErrorDetail {
    ErrorDetail {
        code: error.code().name().to_owned(),
        subject: error.subject().to_owned(),
        message: error.message().to_owned(),
        retryable: error.is_retryable(),
        may_have_happened: error.may_have_happened(),
    }
}

/// The error that came with `status`.
pub(crate) fn error_from_detail(status: tonic::Code, detail: ErrorDetail) -> Error {
    let code = Code::from_name(&detail.code).unwrap_or_else(|| unknown_code(status, detail.retryable));
    let error = Error::new(code, detail.subject, detail.message);
    if detail.may_have_happened { error.that_may_have_happened() } else { error }
}

/// Stands in for a code that only a newer server knows: of the same status, and as retryable as the server says.
fn unknown_code(status: tonic::Code, retryable: bool) -> Code {
    let code = code_of(status);
    match (Error::new(code, "", "").is_retryable(), retryable) {
        (false, true) => Code::Unavailable,
        (true, false) => Code::Internal,
        _ => code,
    }
}

fn error_without_detail(status: &Status, call: Call) -> Error {
    let local = std::error::Error::source(status).is_some();
    let code = match status.code() {
        // Only this side's transport has causes to name: the connection broke.
        tonic::Code::Internal if local => Code::Unavailable,
        code => code_of(code),
    };
    let message = format!("the call failed with gRPC status {:?}: {}", status.code(), status.message());
    let error = Error::new(code, "server", message);
    if call == Call::Write && may_have_arrived(status) { error.that_may_have_happened() } else { error }
}

/// Whether the server may have acted: not if it was never reached, nor if the status is one of refusal.
fn may_have_arrived(status: &Status) -> bool {
    use tonic::Code;
    let refused = matches!(
        status.code(),
        Code::InvalidArgument
            | Code::NotFound
            | Code::AlreadyExists
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::Unimplemented
    );
    !refused && !never_arrived(status)
}

/// Whether no connection was made.
fn never_arrived(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(error) = cause {
        if error.is::<tonic::ConnectError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

/// The general code for each status.
fn code_of(status: tonic::Code) -> Code {
    match status {
        tonic::Code::InvalidArgument => Code::InvalidArgument,
        // tonic cancels calls that outlive their deadline.
        tonic::Code::DeadlineExceeded | tonic::Code::Cancelled => Code::DeadlineExceeded,
        tonic::Code::NotFound => Code::RefNotFound,
        tonic::Code::AlreadyExists | tonic::Code::FailedPrecondition => Code::PreconditionFailed,
        tonic::Code::PermissionDenied => Code::PermissionDenied,
        tonic::Code::ResourceExhausted => Code::Busy,
        tonic::Code::Aborted => Code::Conflict,
        // tonic's refusal of messages that are too large.
        tonic::Code::OutOfRange => Code::LimitExceeded,
        tonic::Code::Unimplemented => Code::Unimplemented,
        tonic::Code::Internal | tonic::Code::Ok => Code::Internal,
        // What an answer without a status comes to: a proxy or a server went away in the middle.
        tonic::Code::Unavailable | tonic::Code::Unknown => Code::Unavailable,
        tonic::Code::DataLoss => Code::Corrupt,
        tonic::Code::Unauthenticated => Code::Unauthenticated,
    }
}
