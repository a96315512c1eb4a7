//! Uploads: ask for a place, put the data there, link it.

use std::collections::BTreeMap;
use std::fmt;

use braid_types::{BranchName, Code, Error, ObjectPath, RepositoryName};
use braid_wire::{Link, Object, Upload, UploadTarget};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue};
use reqwest::Response;

use super::body::{Body, Piece, Reading};
use super::checksum::{etag, stored_as, tags_are_md5};
use super::stall::{Stalled, unless_stalled};
use super::store::{Next, Refusal};
use super::{IN_PARTS_ABOVE, Progress, TransferError};
use crate::call::malformed;
use crate::client::Client;

/// What goes with an upload.
#[derive(Clone, Default)]
pub struct UploadOptions {
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
    /// Refuse with `precondition_failed` if there is an object at the path.
    pub if_absent: bool,
    /// Refuse with `precondition_failed` unless the object at the path has this checksum.
    pub if_etag: Option<String>,
    /// Refuse with `precondition_failed` unless the object at the path has this generation; 0: if there is an object.
    pub if_generation: Option<u64>,
    /// Whom to tell how far it has come.
    pub progress: Option<Progress>,
}

impl fmt::Debug for UploadOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UploadOptions")
            .field("content_type", &self.content_type)
            .field("metadata", &self.metadata)
            .field("if_absent", &self.if_absent)
            .field("if_etag", &self.if_etag)
            .field("if_generation", &self.if_generation)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// Uploads `body` and stages it at `path`: in parts if it is larger than [`IN_PARTS_ABOVE`].
    ///
    /// # Errors
    /// Those of [`Client::put`] and [`Client::link_upload`], or of [`Client::put_parts`] and [`Client::link_parts`].
    pub async fn upload(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        path: &ObjectPath,
        body: &Body,
        options: &UploadOptions,
    ) -> Result<Object, TransferError> {
        if body.size() > IN_PARTS_ABOVE {
            let sent = Box::pin(self.put_parts(repository, branch, path, body, options)).await?;
            return Ok(self.link_parts(sent, options).await?);
        }
        let upload = self.create_upload(repository, branch, target(path, body, options)).await?;
        let link = Box::pin(self.put(repository, branch, upload, body, options)).await?;
        Ok(self.link_upload(repository, branch, link).await?)
    }

    /// Puts `body` to the place that `upload` gives, or to a new one when that can no longer be used. What comes back is to
    /// be linked: nothing is staged yet.
    ///
    /// `upload` must have been asked for with the body's size, or none, and with the content type of `options`.
    ///
    /// # Errors
    /// [`TransferError::Source`] if the body cannot be read; `unavailable` if the object store cannot be reached;
    /// `upload_mismatch` if it says that it holds other data.
    pub async fn put(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        upload: Upload,
        body: &Body,
        options: &UploadOptions,
    ) -> Result<Link, TransferError> {
        let path = upload.path.clone();
        let mut upload = upload;
        let mut next = self.next_by_clock(upload.expires_at);
        let mut retries = self.retries();
        loop {
            if next == Next::Renew {
                upload = self.create_upload(repository, branch, target(&path, body, options)).await?;
            }
            let to = Destination { path: path.as_str(), url: &upload.url, headers: &upload.headers };
            match self.put_once(to, Piece::whole(body), options.progress.clone()).await? {
                Ok(checksum) => return Ok(link(upload, checksum, body, options)),
                Err(refusal) => next = refusal.recover(&mut retries).await?,
            }
        }
    }

    /// Sends a piece once; the entity tag that the store answered.
    pub(super) async fn put_once(
        &self,
        to: Destination<'_>,
        piece: Piece,
        progress: Option<Progress>,
    ) -> Result<Result<String, Refusal>, TransferError> {
        let (path, size) = (to.path, piece.size());
        let reading = Reading::default();
        let request = self
            .http()
            .put(to.url)
            .headers(headers(&to, size)?)
            .body(reqwest::Body::wrap_stream(reading.stream(piece, progress)));
        let sent = unless_stalled(self.timeouts().idle, || reading.moved(), request.send()).await;
        if let Some(source) = reading.failure() {
            return Err(TransferError::Source { path: path.to_owned(), source });
        }
        Ok(match sent {
            Err(Stalled) => Err(Refusal::stalled(path)),
            Ok(Err(error)) => Err(Refusal::broken(path, error)),
            Ok(Ok(response)) if response.status().is_success() => stored(path, &response, &reading, size),
            Ok(Ok(response)) => Err(Refusal::read(path, response, self.timeouts().idle).await),
        })
    }
}

/// Where data goes.
pub(super) struct Destination<'a> {
    /// The object's path, for errors.
    pub(super) path: &'a str,
    pub(super) url: &'a str,
    pub(super) headers: &'a BTreeMap<String, String>,
}

fn target(path: &ObjectPath, body: &Body, options: &UploadOptions) -> UploadTarget {
    UploadTarget { path: path.clone(), content_type: options.content_type.clone(), size: Some(body.size()) }
}

fn link(upload: Upload, checksum: String, body: &Body, options: &UploadOptions) -> Link {
    Link {
        path: upload.path,
        intent: upload.intent,
        checksum,
        size: body.size(),
        content_type: options.content_type.clone(),
        metadata: options.metadata.clone(),
        if_absent: options.if_absent,
        if_etag: options.if_etag.clone(),
        if_generation: options.if_generation,
    }
}

fn headers(to: &Destination<'_>, size: u64) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in to.headers {
        let parsed = (name.parse::<HeaderName>(), value.parse::<HeaderValue>());
        let (Ok(name), Ok(value)) = parsed else {
            return Err(malformed(&format!("'{name}' is not a header for '{}'", to.path)));
        };
        headers.insert(name, value);
    }
    headers.insert(CONTENT_LENGTH, size.into());
    Ok(headers)
}

/// Checks what the store says that it holds.
fn stored(path: &str, response: &Response, reading: &Reading, size: u64) -> Result<String, Refusal> {
    if reading.moved() != size {
        let message = format!("the object store took {} of {size} bytes for '{path}'", reading.moved());
        return Err(Refusal::Busy(Error::new(Code::Unavailable, path, message)));
    }
    let Some(tag) = etag(response.headers()) else {
        let message = format!("the object store gave no entity tag for '{path}'");
        return Err(Refusal::Final(Error::new(Code::Internal, path, message)));
    };
    let host = response.url().host_str().unwrap_or_default();
    if stored_as(&reading.md5(), &tag, tags_are_md5(host, response.headers())) {
        return Ok(tag);
    }
    let message = format!(
        "the object store holds other data for '{path}' than was sent: entity tag '{tag}', MD5 of the data '{}'",
        reading.md5()
    );
    Err(Refusal::Final(Error::new(Code::UploadMismatch, path, message)))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::TryStreamExt;

    use super::*;

    #[tokio::test]
    async fn a_store_that_answers_before_it_has_everything_has_not_got_it() {
        let answer =
            || Response::from(http::Response::builder().header("etag", "\"abc-1\"").body("").unwrap());
        let reading = Reading::default();
        let early = stored("p", &answer(), &reading, 3);
        assert!(matches!(early, Err(Refusal::Busy(error)) if error.message().contains("took 0 of 3 bytes")));
        let _: Vec<_> = reading
            .stream(Piece::whole(&Bytes::from_static(b"abc").into()), None)
            .try_collect()
            .await
            .unwrap();
        assert_eq!(stored("p", &answer(), &reading, 3), Ok("abc-1".to_owned()));
    }
}
