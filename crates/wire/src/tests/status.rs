use braid_types::{Code, Error};
use proptest::prelude::*;
use prost::Message;
use tonic::{ConnectError, Status};

use crate::status::{Call, error_from_status, status_from_error};

/// An error as a transport gives it: a status with its cause.
fn transport(error: impl std::error::Error + Send + Sync + 'static) -> Status {
    Status::from_error(Box::new(error))
}

/// The status of an error with `code`, as if a newer server had sent it under another name.
fn renamed(code: Code, name: &str) -> Status {
    let status = status_from_error(&Error::new(code, "s", "m"));
    let (old, new) = (code.name().as_bytes(), name.as_bytes());
    assert_eq!(old.len(), new.len(), "lengths in the encoding stay right");
    let mut details = status.details().to_vec();
    let at = details.windows(old.len()).position(|window| window == old).unwrap();
    details[at..at + new.len()].copy_from_slice(new);
    Status::with_details(status.code(), status.message(), details.into())
}

proptest! {
    #[test]
    fn every_error_survives_the_wire(
        code in proptest::sample::select(Code::ALL),
        subject in ".{0,40}",
        message in ".{0,80}",
        unsure in any::<bool>(),
    ) {
        let mut error = Error::new(code, subject, message);
        if unsure {
            error = error.that_may_have_happened();
        }
        let sent = status_from_error(&error).into_http::<()>();
        let received = Status::from_header_map(sent.headers()).unwrap();
        prop_assert_eq!(received.code() as i32, code.grpc() as i32);
        prop_assert_eq!(received.message(), error.message());
        for call in [Call::Read, Call::Write] {
            prop_assert_eq!(error_from_status(&received, call), error.clone());
        }
    }
}

#[test]
fn codes_of_newer_servers_keep_their_status_and_whether_to_retry() {
    let known = |name| error_from_status(&renamed(Code::Conflict, name), Call::Write);
    assert_eq!(known("conflict").code(), Code::Conflict);
    assert_eq!(known("conflicx").code(), Code::Conflict, "aborted and retryable");
    let stale = error_from_status(&renamed(Code::MergeConflict, "merge_conflicx"), Call::Write);
    assert_eq!(stale.code(), Code::Internal, "aborted, but not retryable");
    let missing = error_from_status(&renamed(Code::TagNotFound, "tag_not_founx"), Call::Write);
    assert_eq!(missing.code(), Code::RefNotFound);
    let passing = renamed(Code::Busy, "busx").details().to_vec();
    let passing = Status::with_details(tonic::Code::FailedPrecondition, "m", passing.into());
    assert!(error_from_status(&passing, Call::Write).is_retryable(), "the server's word counts");
    let full = error_from_status(&renamed(Code::StorageFull, "storage_fulx"), Call::Write);
    assert!(full.is_retryable());
    assert!(!full.may_have_happened(), "the server said so");
}

#[test]
fn details_of_another_kind_are_no_details() {
    let any = prost_types::Any { type_url: "type.googleapis.com/google.rpc.Help".into(), value: vec![] };
    let mut rich = Vec::new();
    prost::encoding::message::encode(3, &any, &mut rich);
    let status = Status::with_details(tonic::Code::NotFound, "m", rich.into());
    let error = error_from_status(&status, Call::Read);
    assert_eq!((error.code(), error.subject()), (Code::RefNotFound, "server"));
    let garbage = Status::with_details(tonic::Code::NotFound, "m", any.encode_to_vec().into());
    assert_eq!(error_from_status(&garbage, Call::Read).code(), Code::RefNotFound);
}

#[test]
fn a_write_whose_answer_was_lost_may_have_happened() {
    for status in [
        Status::unavailable("m"),
        Status::unknown("m"),
        Status::cancelled("m"),
        Status::deadline_exceeded("m"),
        transport(std::io::Error::other("connection reset")),
    ] {
        let write = error_from_status(&status, Call::Write);
        assert!(write.may_have_happened(), "{status:?}");
        assert!(write.is_retryable(), "{status:?}");
        assert!(!error_from_status(&status, Call::Read).may_have_happened(), "{status:?}");
    }
}

#[test]
fn a_write_that_never_arrived_or_was_turned_away_did_not_happen() {
    let refused = transport(ConnectError(Box::new(std::io::Error::other("connection refused"))));
    for status in [refused, Status::unauthenticated("m"), Status::unimplemented("m")] {
        assert!(!error_from_status(&status, Call::Write).may_have_happened(), "{status:?}");
    }
    let refused = transport(ConnectError(Box::new(std::io::Error::other("connection refused"))));
    assert_eq!(error_from_status(&refused, Call::Write).code(), Code::Unavailable);
}
