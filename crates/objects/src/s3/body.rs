//! Bodies of requests whose content does not fit in memory.

use std::sync::Arc;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::primitives::{ByteStream as SdkStream, SdkBody};
use futures::TryStreamExt;
use http_body::Frame;
use http_body_util::StreamBody;
use parking_lot::Mutex;

use super::config::S3Timeouts;
use crate::{ObjectError, Source};

/// How a source failed, if it did: the SDK only tells that its request did.
#[derive(Debug, Clone)]
pub(super) struct Broken {
    key: String,
    reason: Arc<Mutex<Option<String>>>,
}

impl Broken {
    /// The source's failure, if that is behind `error`: S3 makes no object of content that broke off.
    pub(super) fn or(&self, error: ObjectError) -> ObjectError {
        match self.reason.lock().take() {
            Some(reason) => ObjectError::BrokenOff { key: self.key.clone(), reason },
            None => error,
        }
    }
}

/// The source as a body, which can be sent once.
pub(super) fn streamed(key: &str, source: Source) -> (SdkStream, Broken) {
    let broken = Broken { key: key.to_owned(), reason: Arc::default() };
    let told = Arc::clone(&broken.reason);
    let frames = source.into_checked().map_ok(Frame::data).inspect_err(move |error| {
        *told.lock() = Some(error.to_string());
    });
    (SdkStream::new(SdkBody::from_body_1_x(StreamBody::new(frames))), broken)
}

/// Settings of a request that takes as long as its content does; the SDK notices by itself when nothing moves. It is
/// sent once.
pub(super) fn patient(timeouts: &S3Timeouts) -> Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(timeouts.connect)
        .disable_operation_attempt_timeout()
        .disable_operation_timeout()
        .build();
    aws_sdk_s3::Config::builder().timeout_config(timeouts).retry_config(RetryConfig::disabled())
}
