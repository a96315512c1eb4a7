//! A bucket of the local store as an [`ObjectStore`].

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use super::change::Condition;
use super::error::LocalError;
use super::listing::{Listed, ListingQuery};
use super::record::{Attributes, StoredObject};
use super::store::LocalStore;
use crate::presign::Presigner;
use crate::{
    Buckets, ByteRange, InternalKey, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions,
    PresignPutOptions, Presigned, PutOptions, PutResult,
};

/// The buckets of the local store. A bucket is there as soon as it is named.
#[derive(Debug)]
pub struct LocalBuckets {
    store: Arc<LocalStore>,
    presigner: Presigner,
}

impl LocalBuckets {
    /// Opens buckets of `store`. Presigned URLs begin with `public_url`, where [`s3_endpoint`](crate::s3_endpoint)
    /// is served, and are signed with `key`.
    #[must_use]
    pub fn new(store: Arc<LocalStore>, public_url: &str, key: &InternalKey) -> Self {
        let presigner = Presigner::local(public_url, key, Arc::clone(store.clock()));
        Self { store, presigner }
    }
}

impl Buckets for LocalBuckets {
    fn bucket(&self, name: &str) -> Arc<dyn ObjectStore> {
        let (store, presigner) = (Arc::clone(&self.store), self.presigner.clone());
        Arc::new(LocalBucket { store, bucket: name.to_owned(), presigner })
    }
}

#[derive(Debug)]
pub(super) struct LocalBucket {
    pub(super) store: Arc<LocalStore>,
    pub(super) bucket: String,
    pub(super) presigner: Presigner,
}

#[async_trait]
impl ObjectStore for LocalBucket {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        let mut upload = self.store.upload(key)?;
        upload.write(body).await?;
        let written = upload.finish().await?;
        let condition = if options.if_absent { Condition::Absent } else { Condition::None };
        let attributes = Attributes { content_type: options.content_type, ..Attributes::default() };
        let put = self.store.put(&self.bucket, key, written, attributes, condition);
        Ok(PutResult { etag: put.await.map_err(object_error)? })
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        let content = self.store.content(&self.bucket, key)?;
        let range = content.resolve(range)?;
        content.read(range).await
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        let object = self.store.object(&self.bucket, key)?;
        Ok(meta(key.to_owned(), object))
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.store.delete(&self.bucket, key, Condition::None).await.map_err(object_error)
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        let query = ListingQuery { prefix, delimiter: None, after, limit };
        let page = self.store.list(&self.bucket, query).await?;
        let object = |line| match line {
            Listed::Object(key, object) => meta(key, object),
            Listed::Prefix(_) => unreachable!("nothing is folded without a delimiter"),
        };
        Ok(Page { items: page.items.into_iter().map(object).collect(), next: page.next })
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.presigner.get(&self.bucket, key, ttl, options).await
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        self.presigner.put(&self.bucket, key, ttl, options).await
    }
}

pub(super) fn meta(key: String, object: StoredObject) -> ObjectMeta {
    ObjectMeta {
        key,
        size: object.size,
        etag: object.etag,
        last_modified: object.modified,
        content_type: object.attributes.content_type,
    }
}

pub(super) fn object_error(error: LocalError) -> ObjectError {
    match error {
        LocalError::Object(error) => error,
        LocalError::NoSuchUpload { key, .. } => ObjectError::NoSuchUpload { key },
        LocalError::InvalidPart { key, number } => {
            let rule = format!("part {number} was not uploaded, or has another etag");
            ObjectError::InvalidPart { key, rule }
        }
        LocalError::PartOrder { key } => {
            ObjectError::InvalidPart { key, rule: "they are not in ascending order".to_owned() }
        }
    }
}
