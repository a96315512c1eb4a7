//! Downloads: ask for a URL, get the data from there, check it.

use std::time::Duration;

use braid_types::{Code, Error, ObjectPath, RefExpression, RepositoryName};
use braid_wire::{Download, Object};
use http::StatusCode;
use http::header::RANGE;
use md5::{Digest, Md5};
use reqwest::Response;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::checksum::{described_by, etag, tags_are_md5};
use super::store::{Next, Refusal};
use super::{Progress, TransferError};
use crate::client::Client;

impl Client {
    /// Downloads the object at `path` into `sink`, and says what it is.
    ///
    /// The data is checked at the end, when all of it has been written: use it only if this succeeds.
    ///
    /// # Errors
    /// `object_not_found`, and those of [`Client::get`].
    pub async fn download<W: AsyncWrite + Unpin + Send>(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        path: &ObjectPath,
        sink: &mut W,
        progress: Option<Progress>,
    ) -> Result<Object, TransferError> {
        let download = self.get_download_url(repository, reference, path).await?;
        let object = download.object.clone();
        Box::pin(self.get(repository, reference, download, sink, progress)).await?;
        Ok(object)
    }

    /// Gets the data of `download` into `sink`, asking for a new URL when its own can no longer be used. Nothing is written
    /// twice, whatever is tried again.
    ///
    /// The data is checked at the end, when all of it has been written: use it only if this succeeds.
    ///
    /// # Errors
    /// [`TransferError::Sink`] if the data cannot be written; `data_not_found` if it is gone; `corrupt` if it is not what
    /// its entry says; `conflict` if another object came to the path before a new URL was asked for; `unavailable` if the
    /// object store cannot be reached.
    pub async fn get<W: AsyncWrite + Unpin + Send>(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        download: Download,
        sink: &mut W,
        progress: Option<Progress>,
    ) -> Result<(), TransferError> {
        let mut download = download;
        let mut writing = Writing { sink, progress, written: 0, hasher: Md5::new(), answer: None };
        let mut next = self.next_by_clock(download.expires_at);
        let mut retries = self.retries();
        loop {
            if next == Next::Renew {
                download = self.renewed(repository, reference, download.object).await?;
            }
            match self.get_once(&download, &mut writing).await? {
                Ok(()) => return writing.finish(&download.object).await,
                Err(refusal) => next = refusal.recover(&mut retries).await?,
            }
        }
    }

    async fn renewed(
        &self,
        repository: &RepositoryName,
        reference: &RefExpression,
        object: Object,
    ) -> Result<Download, Error> {
        let download = self.get_download_url(repository, reference, &object.path).await?;
        if download.object.entry.address == object.entry.address {
            return Ok(download);
        }
        let path = object.path.as_str();
        let message = format!("'{path}' became another object while it was downloaded");
        Err(Error::new(Code::Conflict, path, message))
    }

    /// Gets what is still missing, as far as it comes.
    async fn get_once<W: AsyncWrite + Unpin + Send>(
        &self,
        download: &Download,
        writing: &mut Writing<'_, W>,
    ) -> Result<Result<(), Refusal>, TransferError> {
        let (path, size) = (download.object.path.as_str(), download.object.entry.size);
        if writing.written == size && writing.answer.is_some() {
            return Ok(Ok(()));
        }
        let mut request = self.http().get(&download.url);
        if writing.written > 0 {
            request = request.header(RANGE, format!("bytes={}-", writing.written));
        }
        let idle = self.timeouts().idle;
        match timeout(idle, request.send()).await {
            Err(_) => Ok(Err(Refusal::stalled(path))),
            Ok(Err(error)) => Ok(Err(Refusal::broken(path, error))),
            Ok(Ok(response)) if response.status().is_success() => {
                writing.receive(&download.object, response, idle).await
            }
            Ok(Ok(response)) => Ok(Err(Refusal::read(path, response, idle).await)),
        }
    }
}

fn ended(path: &str, written: u64, size: u64) -> Result<(), Refusal> {
    if written == size {
        return Ok(());
    }
    let message = format!("the object store ended after {written} of {size} bytes of '{path}'");
    Err(Refusal::Busy(Error::new(Code::Unavailable, path, message)))
}

fn too_long(path: &str, size: u64) -> Refusal {
    let message = format!("the object store holds more than the {size} bytes of '{path}'");
    Refusal::Final(Error::new(Code::Corrupt, path, message))
}

/// What the store said of the data.
struct Answer {
    tag: Option<String>,
    tags_are_md5: bool,
}

impl Answer {
    fn of(response: &Response) -> Self {
        let host = response.url().host_str().unwrap_or_default();
        Self { tag: etag(response.headers()), tags_are_md5: tags_are_md5(host, response.headers()) }
    }
}

/// What has been written, over all attempts.
struct Writing<'a, W> {
    sink: &'a mut W,
    progress: Option<Progress>,
    written: u64,
    hasher: Md5,
    answer: Option<Answer>,
}

impl<W: AsyncWrite + Unpin> Writing<'_, W> {
    /// Writes what an answer brings that is not there yet.
    async fn receive(
        &mut self,
        object: &Object,
        mut response: Response,
        idle: Duration,
    ) -> Result<Result<(), Refusal>, TransferError> {
        let (path, size) = (object.path.as_str(), object.entry.size);
        // A store that knows no ranges begins again: what is there already is skipped.
        let mut skip = if response.status() == StatusCode::PARTIAL_CONTENT { 0 } else { self.written };
        self.answer = Some(Answer::of(&response));
        loop {
            let mut chunk = match timeout(idle, response.chunk()).await {
                Err(_) => return Ok(Err(Refusal::stalled(path))),
                Ok(Err(error)) => return Ok(Err(Refusal::broken(path, error))),
                Ok(Ok(None)) => return Ok(ended(path, self.written, size)),
                Ok(Ok(Some(chunk))) => chunk,
            };
            let skipped = skip.min(chunk.len() as u64);
            skip -= skipped;
            let fresh = chunk.split_off(skipped as usize);
            if self.written + fresh.len() as u64 > size {
                return Ok(Err(too_long(path, size)));
            }
            self.write(path, &fresh).await?;
        }
    }

    async fn write(&mut self, path: &str, chunk: &[u8]) -> Result<(), TransferError> {
        let result = self.sink.write_all(chunk).await;
        result.map_err(|source| TransferError::Sink { path: path.to_owned(), source })?;
        self.hasher.update(chunk);
        self.written += chunk.len() as u64;
        if let Some(progress) = &self.progress {
            progress(self.written);
        }
        Ok(())
    }

    async fn finish(self, object: &Object) -> Result<(), TransferError> {
        let path = object.path.as_str();
        let flushed = self.sink.flush().await;
        flushed.map_err(|source| TransferError::Sink { path: path.to_owned(), source })?;
        let md5 = hex::encode(self.hasher.finalize());
        let checksum = &object.entry.checksum;
        let answer = self.answer.expect("the store has answered before all is written");
        if described_by(&md5, checksum, answer.tag.as_deref(), answer.tags_are_md5) {
            return Ok(());
        }
        let tag = answer.tag.unwrap_or_default();
        let message = format!(
            "the data of '{path}' is not what its entry says: checksum '{checksum}', entity tag '{tag}', MD5 '{md5}'"
        );
        Err(Error::new(Code::Corrupt, path, message).into())
    }
}
