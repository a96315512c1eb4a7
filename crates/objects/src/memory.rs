//! An object store in memory, for tests and for a process that keeps nothing.

mod transfers;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use braid_types::Clock;
use bytes::Bytes;
use md5::{Digest, Md5};
use parking_lot::RwLock;

use crate::port::{check_key, check_ttl};
use crate::{
    ByteRange, MAX_PAGE, ObjectError, ObjectMeta, ObjectStore, Page, PresignGetOptions, PresignPutOptions,
    Presigned, PutOptions, PutResult,
};

/// Objects in a map. Its presigned URLs are well formed, but nobody serves them.
#[derive(Debug)]
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    objects: RwLock<BTreeMap<String, Object>>,
    uploads: RwLock<transfers::Uploads>,
}

#[derive(Debug)]
struct Object {
    meta: ObjectMeta,
    body: Bytes,
}

impl MemoryStore {
    /// An empty store that dates objects by `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, objects: RwLock::default(), uploads: RwLock::default() }
    }

    fn object(&self, key: &str, body: Bytes, options: PutOptions) -> Object {
        let meta = ObjectMeta {
            key: key.to_owned(),
            size: body.len() as u64,
            etag: hex::encode(Md5::digest(&body)),
            last_modified: self.clock.now().seconds,
            content_type: options.content_type,
        };
        Object { meta, body }
    }

    /// An object, and the part of its content that `range` names.
    fn part_of(&self, key: &str, range: Option<ByteRange>) -> Result<(ObjectMeta, Bytes), ObjectError> {
        check_key(key)?;
        let objects = self.objects.read();
        let object = objects.get(key).ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })?;
        let Some(range) = range else { return Ok((object.meta.clone(), object.body.clone())) };
        let range = range
            .within(object.meta.size)
            .ok_or_else(|| ObjectError::InvalidRange { key: key.to_owned() })?;
        let offset = |at: u64| usize::try_from(at).expect("the object is in memory");
        Ok((object.meta.clone(), object.body.slice(offset(range.start)..offset(range.end))))
    }

    fn presigned(
        &self,
        method: &str,
        key: &str,
        ttl: Duration,
        headers: Vec<(String, String)>,
    ) -> Result<Presigned, ObjectError> {
        check_key(key)?;
        let expires_at = self.clock.now().seconds + i64::from(check_ttl(key, ttl)?);
        let url = format!("memory:///{}?method={method}&expires={expires_at}", hex::encode(key));
        Ok(Presigned { url, method: method.to_owned(), headers, expires_at })
    }
}

#[async_trait]
impl ObjectStore for MemoryStore {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        check_key(key)?;
        let if_absent = options.if_absent;
        let object = self.object(key, body, options);
        let etag = object.meta.etag.clone();
        match self.objects.write().entry(key.to_owned()) {
            Entry::Occupied(_) if if_absent => {
                return Err(ObjectError::AlreadyExists { key: key.to_owned() });
            }
            Entry::Occupied(mut taken) => drop(taken.insert(object)),
            Entry::Vacant(free) => drop(free.insert(object)),
        }
        Ok(PutResult { etag })
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        self.part_of(key, range).map(|(_, body)| body)
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        check_key(key)?;
        let objects = self.objects.read();
        let object = objects.get(key).ok_or_else(|| ObjectError::NotFound { key: key.to_owned() })?;
        Ok(object.meta.clone())
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        check_key(key)?;
        self.objects.write().remove(key);
        Ok(())
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let objects = self.objects.read();
        let found = objects
            .range::<str, _>((start, Bound::Unbounded))
            .map(|(_, object)| object.meta.clone())
            .take_while(|meta| meta.key.starts_with(prefix));
        Ok(Page::of(found, limit.min(MAX_PAGE), |meta| &meta.key))
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        _options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.presigned("GET", key, ttl, Vec::new())
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        let conditional = options.if_absent.then(|| ("if-none-match".to_owned(), "*".to_owned()));
        let typed = options.content_type.map(|value| ("content-type".to_owned(), value));
        self.presigned("PUT", key, ttl, typed.into_iter().chain(conditional).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Arc, MemoryStore};
    use crate::testing::{Fixture, clock, conformance, conformance_transfers};

    async fn in_memory() -> Fixture {
        Fixture { store: Arc::new(MemoryStore::new(clock())), _keep: Box::new(()) }
    }

    conformance!(in_memory);
    conformance_transfers!(in_memory);
    conformance!(in_memory; the_longest_key_is_a_key);
}
