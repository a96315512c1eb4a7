//! The endpoint as clients see it: the SDK, plain HTTP with presigned URLs, and our own S3 store on top.

mod browser;
mod listing;
mod multipart;
mod presigned;
mod reading;
mod retries;
mod signatures;
mod writing;

use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::testing::{Fixture, clock, conformance, conformance_transfers, serve};

async fn over_s3() -> Fixture {
    let server = serve(clock()).await;
    Fixture { store: server.over_s3(clock()), _keep: Box::new(server) }
}

conformance!(over_s3);
conformance_transfers!(over_s3);
conformance_transfers!(over_s3; little_of_a_stream_is_held_at_once);
conformance!(over_s3; the_longest_key_is_a_key);

/// The status and S3 code of a refusal.
fn refusal<T, E: ProvideErrorMetadata>(outcome: Result<T, SdkError<E>>) -> (u16, String) {
    match outcome {
        Err(SdkError::ServiceError(refused)) => {
            let code = refused.err().code().unwrap_or_default().to_owned();
            (refused.raw().status().as_u16(), code)
        }
        Err(_) => panic!("no answer"),
        Ok(_) => panic!("not refused"),
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
