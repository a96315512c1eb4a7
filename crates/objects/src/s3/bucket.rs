//! A bucket of S3 as an [`ObjectStore`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::operation::get_object::GetObjectOutput;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::types::{EncodingType, Object};
use aws_smithy_types::DateTime;
use braid_types::{Clock, Random};
use bytes::Bytes;

use super::conditional::{self, Attempt, Creation, Found, WRITER};
use super::config::{S3Config, S3Timeouts};
use super::{client, decode_name, is_express, request_error};
use crate::presign::Presigner;
use crate::{
    Buckets, ByteRange, MAX_PAGE, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions,
    PresignPutOptions, Presigned, PutOptions, PutResult, check_key,
};

/// The buckets of one S3 account, reached through one pool of connections.
#[derive(Debug)]
pub struct S3Buckets {
    client: Client,
    presigner: Presigner,
    random: Arc<dyn Random>,
    timeouts: S3Timeouts,
}

impl S3Buckets {
    /// Reaches S3 as `config` says. Makes no request.
    #[must_use]
    pub fn new(config: &S3Config, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        let client = client(config, config.endpoint_url.as_deref());
        Self { client, presigner: Presigner::new(config, clock), random, timeouts: config.timeouts }
    }
}

impl Buckets for S3Buckets {
    fn bucket(&self, name: &str) -> Arc<dyn ObjectStore> {
        Arc::new(S3Bucket {
            client: self.client.clone(),
            presigner: self.presigner.clone(),
            random: Arc::clone(&self.random),
            timeouts: self.timeouts,
            bucket: name.to_owned(),
        })
    }
}

#[derive(Debug, Clone)]
pub(super) struct S3Bucket {
    pub(super) client: Client,
    pub(super) presigner: Presigner,
    random: Arc<dyn Random>,
    pub(super) timeouts: S3Timeouts,
    pub(super) bucket: String,
}

impl S3Bucket {
    pub(super) fn put_request(
        &self,
        key: &str,
        body: Bytes,
        content_type: Option<String>,
    ) -> PutObjectFluentBuilder {
        let request = self.client.put_object().bucket(&self.bucket).key(key);
        request.set_content_type(content_type).body(body.into())
    }

    async fn create(&self, key: &str, body: Bytes, content_type: Option<String>) -> Attempt {
        let writer = hex::encode(self.random.bytes::<16>());
        let write = ConditionalWrite { bucket: self, key, writer: &writer, body, content_type };
        let S3Timeouts { attempts, first_pause, .. } = self.timeouts;
        conditional::create(key, &writer, attempts, first_pause, &write).await
    }

    async fn body(&self, key: &str, answer: GetObjectOutput) -> Result<Bytes, ObjectError> {
        let body = tokio::time::timeout(self.timeouts.request, answer.body.collect()).await;
        let body = body.map_err(|_| ObjectError::Timeout { key: key.to_owned() })?;
        let body = body.map_err(|error| ObjectError::Unavailable {
            key: key.to_owned(),
            reason: format!("the object's content broke off: {error}"),
        })?;
        Ok(body.into_bytes())
    }

    pub(super) fn refuse_express(&self, key: &str) -> Result<(), ObjectError> {
        if is_express(&self.bucket) {
            let what = "presign, in a directory bucket,".to_owned();
            return Err(ObjectError::Unsupported { key: key.to_owned(), what });
        }
        Ok(())
    }
}

/// A write that must not replace anything.
struct ConditionalWrite<'w> {
    bucket: &'w S3Bucket,
    key: &'w str,
    writer: &'w str,
    body: Bytes,
    content_type: Option<String>,
}

#[async_trait]
impl Creation for ConditionalWrite<'_> {
    /// The SDK must not try again by itself: it would take its own success for another's.
    async fn attempt(&self) -> Attempt {
        let request = self.bucket.put_request(self.key, self.body.clone(), self.content_type.clone());
        let request = request.if_none_match("*").metadata(WRITER, self.writer).customize();
        let once = aws_sdk_s3::Config::builder().retry_config(RetryConfig::disabled());
        let put = request.config_override(once).send().await;
        let put = put.map_err(|error| request_error(self.key, error))?;
        Ok(bare(put.e_tag()))
    }

    async fn look(&self) -> Found {
        let request = self.bucket.client.head_object().bucket(&self.bucket.bucket).key(self.key);
        let head = request.send().await.map_err(|error| request_error(self.key, error))?;
        let writer = head.metadata().and_then(|metadata| metadata.get(WRITER)).cloned();
        Ok((bare(head.e_tag()), writer))
    }
}

#[async_trait]
impl ObjectStore for S3Bucket {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        check_key(key)?;
        if options.if_absent {
            return Ok(PutResult { etag: self.create(key, body, options.content_type).await? });
        }
        let put = self.put_request(key, body, options.content_type).send().await;
        let put = put.map_err(|error| request_error(key, error))?;
        Ok(PutResult { etag: bare(put.e_tag()) })
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        check_key(key)?;
        let invalid = || ObjectError::InvalidRange { key: key.to_owned() };
        let header = range.map(|range| range.header().ok_or_else(invalid)).transpose()?;
        let request = self.client.get_object().bucket(&self.bucket).key(key).set_range(header);
        let answer = request.send().await.map_err(|error| request_error(key, error))?;
        self.body(key, answer).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        check_key(key)?;
        let head = self.client.head_object().bucket(&self.bucket).key(key).send().await;
        let head = head.map_err(|error| request_error(key, error))?;
        Ok(ObjectMeta {
            key: key.to_owned(),
            size: size(head.content_length()),
            etag: bare(head.e_tag()),
            last_modified: head.last_modified().map_or(0, DateTime::secs),
            content_type: head.content_type().map(str::to_owned),
        })
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        check_key(key)?;
        let delete = self.client.delete_object().bucket(&self.bucket).key(key).send().await;
        match delete.map_err(|error| request_error(key, error)) {
            Ok(_) | Err(ObjectError::NotFound { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        let limit = i32::try_from(limit.clamp(1, MAX_PAGE)).expect("a page is small");
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix).max_keys(limit);
        let request = request.encoding_type(EncodingType::Url).set_start_after(after.map(str::to_owned));
        let page = request.send().await.map_err(|error| request_error(prefix, error))?;
        let items = page.contents().iter().map(listed).collect::<Result<Vec<_>, _>>()?;
        let more = page.is_truncated().unwrap_or(false);
        let next = items.last().filter(|_| more).map(|last| last.key.clone());
        Ok(Page { items, next })
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.refuse_express(key)?;
        self.presigner.get(&self.bucket, key, ttl, options).await
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        self.refuse_express(key)?;
        self.presigner.put(&self.bucket, key, ttl, options).await
    }
}

fn listed(object: &Object) -> Result<ObjectMeta, ObjectError> {
    let encoded = object.key().unwrap_or_default();
    let key = decode_name(encoded).ok_or_else(|| ObjectError::InvalidKey {
        key: encoded.to_owned(),
        rule: "a listed key is percent-encoded UTF-8".to_owned(),
    })?;
    Ok(ObjectMeta {
        key,
        size: size(object.size()),
        etag: bare(object.e_tag()),
        last_modified: object.last_modified().map_or(0, DateTime::secs),
        content_type: None,
    })
}

pub(super) fn bare(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

pub(super) fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}
