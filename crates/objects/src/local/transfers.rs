//! Large objects of a bucket of the local store.

use std::time::Duration;

use async_trait::async_trait;
use futures::{Stream, StreamExt};

use super::bucket::{LocalBucket, meta, object_error};
use super::change::Condition;
use super::multipart::{PartInfo, UploadInfo};
use super::record::Attributes;
use super::upload::{Upload, Written};
use crate::{
    ByteRange, ByteStream, MAX_PAGE, ObjectError, Page, PartMeta, PartPage, PartPlace, Presigned, PutResult,
    Reading, Source, Transfers, UploadMeta,
};

impl LocalBucket {
    /// Writes content of a source to the disk; what fails or is dropped leaves nothing.
    async fn receive(&self, upload: Upload, key: &str, source: Source) -> Result<Written, ObjectError> {
        let broken =
            |error: std::io::Error| ObjectError::BrokenOff { key: key.to_owned(), reason: error.to_string() };
        let chunks = source.into_checked().map(|chunk| chunk.map_err(broken));
        self.written(upload, chunks).await
    }

    async fn written(
        &self,
        mut upload: Upload,
        chunks: impl Stream<Item = Result<bytes::Bytes, ObjectError>> + Send,
    ) -> Result<Written, ObjectError> {
        let mut chunks = std::pin::pin!(chunks);
        while let Some(chunk) = chunks.next().await {
            upload.write(chunk?).await?;
        }
        upload.finish().await
    }

    async fn name(
        &self,
        key: &str,
        written: Written,
        attributes: Attributes,
    ) -> Result<PutResult, ObjectError> {
        let put = self.store.put(&self.bucket, key, written, attributes, Condition::None);
        Ok(PutResult { etag: put.await.map_err(object_error)? })
    }

    async fn name_part(&self, part: PartPlace<'_>, written: Written) -> Result<PutResult, ObjectError> {
        let put = self.store.put_part(&self.bucket, part.key, part.upload, part.number, written);
        Ok(PutResult { etag: put.await.map_err(object_error)? })
    }
}

#[async_trait]
impl Transfers for LocalBucket {
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        let content = self.store.content(&self.bucket, key)?;
        let range = content.resolve(range)?;
        let meta = meta(key.to_owned(), content.object().clone());
        Ok(Reading { meta, body: ByteStream::new(content.stream(range)) })
    }

    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let written = self.receive(self.store.upload(key)?, key, source).await?;
        self.name(key, written, Attributes { content_type, ..Attributes::default() }).await
    }

    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        let content = self.store.content(&self.bucket, from)?;
        let (all, attributes) = (content.resolve(None)?, content.object().attributes.clone());
        let written = self.written(self.store.upload(key)?, content.stream(all)).await?;
        self.name(key, written, attributes).await
    }

    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        let attributes = Attributes { content_type, ..Attributes::default() };
        self.store.start_upload(&self.bucket, key, attributes).await.map_err(object_error)
    }

    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        part.check()?;
        let written = self.receive(self.store.upload_part(part.key)?, part.key, source).await?;
        self.name_part(part, written).await
    }

    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        part.check()?;
        let content = self.store.content(&self.bucket, from)?;
        let range = content.resolve(range)?;
        let written = self.written(self.store.upload_part(part.key)?, content.stream(range)).await?;
        self.name_part(part, written).await
    }

    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        let complete = self.store.complete_upload(&self.bucket, key, upload, parts.to_vec(), Condition::None);
        Ok(PutResult { etag: complete.await.map_err(object_error)? })
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        match self.store.abort_upload(&self.bucket, key, upload).await.map_err(object_error) {
            Err(ObjectError::NoSuchUpload { .. }) => Ok(()),
            ended => ended,
        }
    }

    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        let limit = limit.clamp(1, MAX_PAGE);
        let parts = self.store.parts(&self.bucket, key, upload, after, limit + 1);
        let mut parts = parts.await.map_err(object_error)?;
        let more = parts.len() > limit;
        parts.truncate(limit);
        Ok(PartPage { parts: parts.into_iter().map(part_meta).collect(), more })
    }

    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        // Behind all uploads to the key: no upload's id is at or above a NUL behind the key.
        let after = after.map(|key| (format!("{key}\0"), String::new()));
        let found = self.store.uploads(&self.bucket, prefix, after, MAX_PAGE + 1).await?;
        Ok(Page::of(found.into_iter().map(upload_meta), MAX_PAGE, |upload| &upload.key))
    }

    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        self.presigner.part(&self.bucket, part, ttl, length).await
    }
}

fn part_meta(part: PartInfo) -> PartMeta {
    PartMeta { number: part.number, size: part.size, etag: part.etag, last_modified: part.modified }
}

fn upload_meta(upload: UploadInfo) -> UploadMeta {
    UploadMeta { key: upload.key, upload: upload.upload, started: upload.started }
}
