//! Writing content of a length that nobody knows: it is gathered into parts, and becomes one object if it is no longer
//! than a part.

use bytes::{Bytes, BytesMut};
use futures::StreamExt;

use super::bucket::S3Bucket;
use crate::{ByteStream, MAX_PART_NUMBER, ObjectError, PartPlace, PutResult, Source, Transfers};

/// How long a part is, but for the last one; this much is held in memory. All parts together are 160 GB.
const PART_BYTES: usize = 16 << 20;

/// Content on its way to one key.
pub(super) struct Gathered {
    bucket: S3Bucket,
    key: String,
    upload: Option<Upload>,
}

/// An upload under way; given up if it is dropped.
struct Upload {
    bucket: S3Bucket,
    key: String,
    id: String,
    parts: Vec<(u16, String)>,
    over: bool,
}

impl Gathered {
    pub(super) fn new(bucket: S3Bucket, key: &str) -> Self {
        Self { bucket, key: key.to_owned(), upload: None }
    }

    pub(super) async fn write(
        mut self,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let mut body = source.into_checked();
        loop {
            let part = gather(&self.key, &mut body).await?;
            let last = part.len() < PART_BYTES;
            if last && self.upload.is_none() {
                return self.bucket.put_bytes(&self.key, part, content_type).await;
            }
            let upload = self.upload(content_type.clone()).await?;
            if !part.is_empty() {
                upload.add(part).await?;
            }
            if last {
                return upload.complete().await;
            }
        }
    }

    async fn upload(&mut self, content_type: Option<String>) -> Result<&mut Upload, ObjectError> {
        if self.upload.is_none() {
            let id = self.bucket.start_upload(&self.key, content_type).await?;
            let (bucket, key) = (self.bucket.clone(), self.key.clone());
            self.upload = Some(Upload { bucket, key, id, parts: Vec::new(), over: false });
        }
        Ok(self.upload.as_mut().expect("it was just made"))
    }
}

impl Upload {
    async fn add(&mut self, bytes: Bytes) -> Result<(), ObjectError> {
        let number = u16::try_from(self.parts.len() + 1).ok().filter(|number| *number <= MAX_PART_NUMBER);
        let rule = "content of unknown length has at most 160 GB".to_owned();
        let too_long = || ObjectError::InvalidRequest { key: self.key.clone(), rule };
        let number = number.ok_or_else(too_long)?;
        let place = PartPlace { key: &self.key, upload: &self.id, number };
        let put = self.bucket.put_part_bytes(place, bytes).await?;
        self.parts.push((number, put.etag));
        Ok(())
    }

    async fn complete(&mut self) -> Result<PutResult, ObjectError> {
        let completed = self.bucket.complete_upload(&self.key, &self.id, &self.parts).await;
        // Of one that may have been completed nobody knows whether it can be given up.
        self.over = completed.as_ref().map_or_else(ObjectError::may_have_happened, |_| true);
        completed
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let (bucket, key, id) = (self.bucket.clone(), self.key.clone(), self.id.clone());
        tokio::spawn(async move {
            if let Err(error) = bucket.abort_upload(&key, &id).await {
                tracing::warn!(%key, %error, "an upload that broke off was not given up");
            }
        });
    }
}

/// The next part's content: shorter than a part only at the end.
async fn gather(key: &str, body: &mut ByteStream<std::io::Error>) -> Result<Bytes, ObjectError> {
    let mut part = BytesMut::new();
    while part.len() < PART_BYTES {
        let Some(chunk) = body.next().await else { break };
        let broken =
            |error: std::io::Error| ObjectError::BrokenOff { key: key.to_owned(), reason: error.to_string() };
        part.extend_from_slice(&chunk.map_err(broken)?);
    }
    Ok(part.freeze())
}
