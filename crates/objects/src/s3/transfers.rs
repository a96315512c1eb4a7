//! Large objects of a bucket of S3.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::primitives::ByteStream as SdkStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, EncodingType};
use aws_smithy_types::DateTime;
use bytes::Bytes;

use super::body::{patient, streamed};
use super::bucket::{S3Bucket, bare, size};
use super::gather::Gathered;
use super::{decode_name, encode_name, request_error};
use crate::{
    ByteRange, ByteStream, MAX_PAGE, ObjectError, ObjectMeta, Page, PartMeta, PartPage, PartPlace, Presigned,
    PutResult, Reading, Source, Transfers, UploadMeta, check_key,
};

/// The most bytes that one PUT takes, in S3.
const MOST_IN_ONE_PUT: u64 = 5 << 30;

/// Content of at most so many bytes is held in memory, so that a request that fails can be sent again.
const IN_MEMORY: u64 = 1 << 20;

impl S3Bucket {
    /// Writes content of a known length by one request. Nothing is there unless all of it came.
    async fn put_streamed(
        &self,
        key: &str,
        source: Source,
        length: u64,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let (body, broken) = streamed(key, source);
        let request = self.client.put_object().bucket(&self.bucket).key(key).body(body);
        let request = request.content_length(signed(key, length)?).set_content_type(content_type);
        let put = request.customize().config_override(patient(&self.timeouts)).send().await;
        let put = put.map_err(|error| broken.or(request_error(key, error)))?;
        Ok(PutResult { etag: bare(put.e_tag()) })
    }

    /// Writes a part that is in memory.
    pub(super) async fn put_part_bytes(
        &self,
        part: PartPlace<'_>,
        bytes: Bytes,
    ) -> Result<PutResult, ObjectError> {
        let request = self.client.upload_part().bucket(&self.bucket).key(part.key).upload_id(part.upload);
        let request = request.part_number(part.number.into()).body(bytes.into());
        let put = request.send().await.map_err(|error| request_error(part.key, error))?;
        Ok(PutResult { etag: bare(put.e_tag()) })
    }

    /// Writes an object that is in memory, in place of the one that is there.
    pub(super) async fn put_bytes(
        &self,
        key: &str,
        bytes: Bytes,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let put = self.put_request(key, bytes, content_type).send().await;
        Ok(PutResult { etag: bare(put.map_err(|error| request_error(key, error))?.e_tag()) })
    }

    fn copy_source(&self, from: &str) -> String {
        format!("{}/{}", self.bucket, encode_name(from).replace('*', "%2A"))
    }
}

#[async_trait]
impl Transfers for S3Bucket {
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        check_key(key)?;
        let invalid = || ObjectError::InvalidRange { key: key.to_owned() };
        let header = range.map(|range| range.header().ok_or_else(invalid)).transpose()?;
        let request = self.client.get_object().bucket(&self.bucket).key(key).set_range(header);
        let answer = request.send().await.map_err(|error| request_error(key, error))?;
        Ok(Reading { meta: meta(key, &answer), body: chunks(key.to_owned(), answer.body) })
    }

    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        check_key(key)?;
        match source.length() {
            Some(length) if (IN_MEMORY + 1..=MOST_IN_ONE_PUT).contains(&length) => {
                self.put_streamed(key, source, length, content_type).await
            }
            _ => Gathered::new(self.clone(), key).write(source, content_type).await,
        }
    }

    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        check_key(key)?;
        let request = self.client.copy_object().bucket(&self.bucket).key(key);
        let request = request.copy_source(self.copy_source(from)).customize();
        let copied = request.config_override(patient(&self.timeouts)).send().await;
        let copied = copied.map_err(|error| about_source(request_error(key, error), from))?;
        Ok(PutResult { etag: bare(copied.copy_object_result().and_then(|result| result.e_tag())) })
    }

    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        check_key(key)?;
        let request = self.client.create_multipart_upload().bucket(&self.bucket).key(key);
        let started = request.set_content_type(content_type).send().await;
        let started = started.map_err(|error| request_error(key, error))?;
        let nameless = || ObjectError::Io { key: key.to_owned(), reason: "the upload has no id".to_owned() };
        started.upload_id().map(str::to_owned).ok_or_else(nameless)
    }

    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        part.check()?;
        let rule = "the length of a part must be known".to_owned();
        let unknown = || ObjectError::InvalidRequest { key: part.key.to_owned(), rule };
        let length = source.length().ok_or_else(unknown)?;
        let (body, broken) = streamed(part.key, source);
        let request = self.client.upload_part().bucket(&self.bucket).key(part.key).upload_id(part.upload);
        let request = request.part_number(part.number.into()).body(body);
        let request = request.content_length(signed(part.key, length)?).customize();
        let put = request.config_override(patient(&self.timeouts)).send().await;
        let put = put.map_err(|error| broken.or(request_error(part.key, error)))?;
        Ok(PutResult { etag: bare(put.e_tag()) })
    }

    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        part.check()?;
        let range = match range {
            Some(range) => Some(self.span(from, range).await?),
            None => None,
        };
        let request = self.client.upload_part_copy().bucket(&self.bucket).key(part.key);
        let request = request.upload_id(part.upload).part_number(part.number.into());
        let request = request.copy_source(self.copy_source(from)).set_copy_source_range(range).customize();
        let copied = request.config_override(patient(&self.timeouts)).send().await;
        let copied = copied.map_err(|error| about_source(request_error(part.key, error), from))?;
        Ok(PutResult { etag: bare(copied.copy_part_result().and_then(|result| result.e_tag())) })
    }

    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        let part = |(number, etag): &(u16, String)| {
            CompletedPart::builder().part_number(i32::from(*number)).e_tag(format!("\"{etag}\"")).build()
        };
        let parts = parts.iter().map(part).collect();
        let named = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let request = self.client.complete_multipart_upload().bucket(&self.bucket).key(key);
        let request = request.upload_id(upload).multipart_upload(named).customize();
        let completed = request.config_override(patient(&self.timeouts)).send().await;
        let completed = completed.map_err(|error| request_error(key, error))?;
        Ok(PutResult { etag: bare(completed.e_tag()) })
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload);
        match request.send().await.map_err(|error| request_error(key, error)) {
            Ok(_) | Err(ObjectError::NoSuchUpload { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        let limit = i32::try_from(limit.clamp(1, MAX_PAGE)).expect("a page is small");
        let request = self.client.list_parts().bucket(&self.bucket).key(key).upload_id(upload);
        let request = request.part_number_marker(after.to_string()).max_parts(limit);
        let page = request.send().await.map_err(|error| request_error(key, error))?;
        let part = |part: &aws_sdk_s3::types::Part| PartMeta {
            number: part.part_number().and_then(|number| u16::try_from(number).ok()).unwrap_or_default(),
            size: size(part.size()),
            etag: bare(part.e_tag()),
            last_modified: part.last_modified().map_or(0, DateTime::secs),
        };
        let more = page.is_truncated().unwrap_or(false);
        Ok(PartPage { parts: page.parts().iter().map(part).collect(), more })
    }

    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        let request = self.client.list_multipart_uploads().bucket(&self.bucket).prefix(prefix);
        let request = request.encoding_type(EncodingType::Url).set_key_marker(after.map(str::to_owned));
        let page = request.send().await.map_err(|error| request_error(prefix, error))?;
        let upload = |upload: &aws_sdk_s3::types::MultipartUpload| {
            Some(UploadMeta {
                key: decode_name(upload.key()?)?,
                upload: upload.upload_id()?.to_owned(),
                started: upload.initiated().map_or(0, DateTime::secs),
            })
        };
        let items: Vec<UploadMeta> = page.uploads().iter().filter_map(upload).collect();
        let more = page.is_truncated().unwrap_or(false);
        let next = items.last().filter(|_| more).map(|last| last.key.clone());
        Ok(Page { items, next })
    }

    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        self.refuse_express(part.key)?;
        self.presigner.part(&self.bucket, part, ttl, length).await
    }
}

impl S3Bucket {
    /// The header that names a range of an object, which must be within it, with both its ends.
    async fn span(&self, from: &str, range: ByteRange) -> Result<String, ObjectError> {
        let head = self.client.head_object().bucket(&self.bucket).key(from).send().await;
        let head = head.map_err(|error| request_error(from, error))?;
        let invalid = || ObjectError::InvalidRange { key: from.to_owned() };
        let within = range.within(size(head.content_length())).ok_or_else(invalid)?;
        ByteRange::from(within).header().ok_or_else(invalid)
    }
}

/// What an answer says of the object whose content, or a range of it, comes with it.
fn meta(key: &str, answer: &GetObjectOutput) -> ObjectMeta {
    let whole = answer.content_range().and_then(|range| range.rsplit_once('/')?.1.parse().ok());
    ObjectMeta {
        key: key.to_owned(),
        size: whole.unwrap_or_else(|| size(answer.content_length())),
        etag: bare(answer.e_tag()),
        last_modified: answer.last_modified().map_or(0, DateTime::secs),
        content_type: answer.content_type().map(str::to_owned),
    }
}

fn chunks(key: String, body: SdkStream) -> ByteStream<ObjectError> {
    ByteStream::new(futures::stream::try_unfold((key, body), async |(key, mut body)| {
        match body.next().await {
            None => Ok(None),
            Some(Ok(chunk)) => Ok(Some((chunk, (key, body)))),
            Some(Err(error)) => {
                let reason = format!("the object's content broke off: {error}");
                Err(ObjectError::Unavailable { key, reason })
            }
        }
    }))
}

/// An object that is not there is the source of a copy.
fn about_source(error: ObjectError, from: &str) -> ObjectError {
    match error {
        ObjectError::NotFound { .. } => ObjectError::NotFound { key: from.to_owned() },
        other => other,
    }
}

fn signed(key: &str, length: u64) -> Result<i64, ObjectError> {
    let rule = || format!("an object has at most {} bytes", i64::MAX);
    i64::try_from(length).map_err(|_| ObjectError::InvalidRequest { key: key.to_owned(), rule: rule() })
}
