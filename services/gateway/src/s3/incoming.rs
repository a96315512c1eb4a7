//! Content as it comes in: counted, and held against what is declared of it before the last of it goes on.
//!
//! The last chunk is held back until all checks have passed. So content that is not what it is declared to be never
//! reaches the object store whole, and leaves nothing there.

use std::io;
use std::sync::Arc;

use braid_objects::Source;
use braid_objects::protocol::Expected;
use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, StatusCode};
use md5::{Digest, Md5};
use parking_lot::Mutex;
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders, s3_error as refuse};

/// Content, and what is declared of it.
pub(super) struct Incoming {
    body: Option<StreamingBlob>,
    length: Option<i64>,
    headers: HeaderMap,
    trailers: Option<TrailingHeaders>,
}

/// What was found of content that came whole, or why it did not.
#[derive(Clone, Default)]
pub(super) struct Outcome(Arc<Mutex<Option<S3Result<Received>>>>);

/// Content that came whole.
#[derive(Default)]
pub(super) struct Received {
    /// Length in bytes.
    pub(super) size: u64,
    /// The checksums that were declared.
    pub(super) checksum: Checksum,
}

impl Outcome {
    /// What came, once all of it was taken.
    pub(super) fn received(&self) -> S3Result<Received> {
        self.0
            .lock()
            .take()
            .unwrap_or_else(|| Err(refuse!(IncompleteBody, "the content was not taken whole")))
    }

    /// Why the content failed, if it did; else `error`, by which the write of it failed.
    pub(super) fn or(&self, error: S3Error) -> S3Error {
        match self.0.lock().take() {
            Some(Err(reason)) => reason,
            _ => error,
        }
    }

    fn fail(&self, error: S3Error) -> io::Error {
        let told = io::Error::other(error.to_string());
        *self.0.lock() = Some(Err(error));
        told
    }
}

/// Content being checked as it passes.
struct Passing {
    body: Option<StreamingBlob>,
    held: Option<Bytes>,
    checks: Option<Checks>,
    outcome: Outcome,
}

struct Checks {
    expected: Expected,
    md5: Md5,
    declared: Option<u64>,
    size: u64,
    needs_md5: bool,
}

impl Incoming {
    /// Content of the length that a request declares. One in chunks says it apart, and may leave `content-length` out.
    pub(super) fn new(
        body: Option<StreamingBlob>,
        length: Option<i64>,
        headers: HeaderMap,
        trailers: Option<TrailingHeaders>,
    ) -> Self {
        let decoded = || headers.get("x-amz-decoded-content-length")?.to_str().ok()?.parse().ok();
        Self { length: length.or_else(decoded), body, headers, trailers }
    }

    /// Whether the request says how long its content is.
    pub(super) fn has_length(&self) -> bool {
        self.length.is_some()
    }

    /// The content as the object store takes it, and where what becomes of it is found.
    pub(super) fn into_source(self) -> S3Result<(Source, Outcome)> {
        let negative = |_| refuse!(InvalidArgument, "a length is not negative");
        let declared = self.length.map(u64::try_from).transpose().map_err(negative)?;
        let outcome = Outcome::default();
        let checks = Checks {
            needs_md5: self.headers.contains_key("content-md5"),
            expected: Expected::of(&self.headers, self.trailers),
            md5: Md5::new(),
            declared,
            size: 0,
        };
        // No body is an empty one.
        let length = if self.body.is_none() { Some(0) } else { declared };
        let passing = Passing { body: self.body, held: None, checks: Some(checks), outcome: outcome.clone() };
        let chunks = futures::stream::try_unfold(passing, |mut passing| async move {
            Ok(passing.next().await?.map(|chunk| (chunk, passing)))
        });
        Ok((Source::new(chunks, length), outcome))
    }
}

impl Passing {
    /// The chunk before the one that comes next.
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        loop {
            let Some(body) = &mut self.body else {
                return self.finish();
            };
            match body.next().await {
                Some(Ok(chunk)) if chunk.is_empty() => {}
                Some(Ok(chunk)) => {
                    self.checks.as_mut().expect("checks are done at the end").take(&chunk);
                    if let Some(before) = self.held.replace(chunk) {
                        return Ok(Some(before));
                    }
                }
                Some(Err(error)) => return Err(self.outcome.fail(broken(error))),
                None => self.body = None,
            }
        }
    }

    /// Checks all of it, and lets the last chunk go.
    fn finish(&mut self) -> io::Result<Option<Bytes>> {
        let Some(checks) = self.checks.take() else { return Ok(None) };
        let received = checks.finish().map_err(|error| self.outcome.fail(error))?;
        *self.outcome.0.lock() = Some(Ok(received));
        Ok(self.held.take())
    }
}

impl Checks {
    fn take(&mut self, chunk: &Bytes) {
        self.size += chunk.len() as u64;
        self.expected.update(chunk);
        if self.needs_md5 {
            self.md5.update(chunk);
        }
    }

    fn finish(self) -> S3Result<Received> {
        let size = self.size;
        if self.declared.is_some_and(|declared| declared != size) {
            return Err(refuse!(IncompleteBody, "{size} bytes came, which is not what was declared"));
        }
        let checksum = self.expected.check(&self.md5.finalize().into())?;
        Ok(Received { size, checksum })
    }
}

/// What a body that fails says of its request. The library's own errors are told by their texts alone.
fn broken(error: StdError) -> S3Error {
    let text = format!("{error} {error:?}");
    let (code, status) = if text.contains("SignatureMismatch") {
        (S3ErrorCode::SignatureDoesNotMatch, StatusCode::FORBIDDEN)
    } else if text.contains("Sha256Mismatch") {
        (S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()), StatusCode::BAD_REQUEST)
    } else {
        (S3ErrorCode::IncompleteBody, StatusCode::BAD_REQUEST)
    };
    let mut said = S3Error::with_source(code, error);
    said.set_status_code(status);
    said
}

#[cfg(test)]
mod tests {
    use braid_objects::{MemoryStore, ObjectStore, Transfers};
    use braid_types::{ManualClock, Time};
    use http::HeaderValue;

    use super::*;

    async fn store(
        chunks: Vec<io::Result<Bytes>>,
        length: Option<i64>,
        headers: &[(&'static str, &'static str)],
    ) -> Result<u64, String> {
        let objects = MemoryStore::new(Arc::new(ManualClock::at(Time::from_seconds(1_790_000_000))));
        let body = Some(StreamingBlob::wrap(futures::stream::iter(chunks)));
        let parse = |(name, value): &(&'static str, &'static str)| {
            (name.parse().unwrap(), HeaderValue::from_static(value))
        };
        let headers = headers.iter().map(parse).collect();
        let incoming = Incoming::new(body, length, headers, None);
        let (source, outcome) = incoming.into_source().unwrap();
        match objects.write("key", source, None).await {
            Ok(_) => {
                let size = outcome.received().unwrap().size;
                assert_eq!(objects.head("key").await.unwrap().size, size);
                Ok(size)
            }
            Err(error) => {
                assert!(objects.head("key").await.is_err(), "nothing is left");
                let said = outcome.or(refuse!(InternalError, "{error}"));
                Err(said.code().as_str().to_owned())
            }
        }
    }

    fn chunks(texts: &[&'static str]) -> Vec<io::Result<Bytes>> {
        texts.iter().map(|text| Ok(Bytes::from_static(text.as_bytes()))).collect()
    }

    #[tokio::test]
    async fn content_that_is_as_declared_passes() {
        assert_eq!(store(chunks(&["hel", "", "lo"]), Some(5), &[]).await, Ok(5));
        assert_eq!(
            store(chunks(&["hel", "lo"]), None, &[("content-md5", "XUFAKrxLKna5cZ2REBfFkg==")]).await,
            Ok(5)
        );
        assert_eq!(store(chunks(&["hello"]), Some(5), &[("x-amz-checksum-crc32", "NhCmhg==")]).await, Ok(5));
        assert_eq!(store(vec![], Some(0), &[]).await, Ok(0));
        let decoded = [("x-amz-decoded-content-length", "5")];
        assert_eq!(store(chunks(&["hello"]), None, &decoded).await, Ok(5));
        assert_eq!(store(chunks(&["hell"]), None, &decoded).await, Err("IncompleteBody".to_owned()));
    }

    #[tokio::test]
    async fn content_that_is_not_leaves_nothing_and_says_why() {
        let refused = |code: &str| Err(code.to_owned());
        let crc = [("x-amz-checksum-crc32", "NhCmhQ==")];
        assert_eq!(store(chunks(&["hello"]), Some(5), &crc).await, refused("BadDigest"));
        let md5 = [("content-md5", "XUFAKrxLKna5cZ2REBfFkQ==")];
        assert_eq!(store(chunks(&["hello"]), Some(5), &md5).await, refused("BadDigest"));
        assert_eq!(store(chunks(&["hel"]), Some(5), &[]).await, refused("IncompleteBody"));
        assert_eq!(store(chunks(&["hello", "!"]), Some(5), &[]).await, refused("IncompleteBody"));
        let mut broken = chunks(&["hello"]);
        broken.push(Err(io::Error::other("the client is gone")));
        assert_eq!(store(broken, Some(9), &[]).await, refused("IncompleteBody"));
    }
}
