//! A store that fails when told to: faults are data, so that a test can place each one.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::TryStreamExt;
use parking_lot::Mutex;

use crate::{
    ByteRange, ByteStream, ObjectError, ObjectMeta, ObjectStore, Page, PartPage, PartPlace,
    PresignGetOptions, PresignPutOptions, Presigned, PutOptions, PutResult, Reading, Source, Transfers,
    UploadMeta,
};

/// The kinds of request that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Writing an object.
    Put,
    /// Reading one.
    Get,
    /// Describing one.
    Head,
    /// Removing one.
    Delete,
    /// Listing.
    List,
    /// Beginning, completing or giving up an upload in parts.
    Upload,
    /// Writing a part.
    Part,
}

/// How a request fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// The store says that it is busy, and does nothing.
    Unavailable,
    /// The request is lost on the way there: the caller cannot know, but nothing happened.
    LostRequest,
    /// The answer is lost on the way back: the caller cannot know, but it did happen.
    LostReply,
    /// Nothing is left of the disk.
    NoSpace,
    /// A read succeeds with one bit flipped.
    FlippedBit,
}

/// Fails the requests it was told to, and passes on all others.
#[derive(Debug)]
pub struct Faulty {
    inner: Arc<dyn ObjectStore>,
    faults: Mutex<Vec<Fault>>,
}

#[derive(Debug)]
struct Fault {
    operation: Operation,
    failure: Failure,
    key_part: String,
    times: usize,
}

impl Faulty {
    /// Passes all on to `inner`, until told otherwise.
    #[must_use]
    pub fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, faults: Mutex::default() }
    }

    /// Fails the next `times` requests of this kind. Faults told first come first.
    pub fn fail(&self, operation: Operation, times: usize, failure: Failure) {
        self.fail_on("", operation, times, failure);
    }

    /// Fails the next `times` requests of this kind about keys that contain `key_part`.
    pub fn fail_on(&self, key_part: &str, operation: Operation, times: usize, failure: Failure) {
        let fault = Fault { operation, failure, key_part: key_part.to_owned(), times };
        self.faults.lock().push(fault);
    }

    /// Takes back all faults that have not happened.
    pub fn heal(&self) {
        self.faults.lock().clear();
    }

    fn next(&self, operation: Operation, key: &str) -> Option<Failure> {
        let mut faults = self.faults.lock();
        let meets = |fault: &Fault| fault.operation == operation && key.contains(&fault.key_part);
        let at = faults.iter().position(|fault| fault.times > 0 && meets(fault))?;
        faults[at].times -= 1;
        Some(faults[at].failure)
    }

    async fn run<T>(
        &self,
        operation: Operation,
        key: &str,
        request: impl Future<Output = Result<T, ObjectError>> + Send,
    ) -> Result<T, ObjectError> {
        under(self.next(operation, key), key, request).await
    }
}

/// Runs `request` as `failure` says.
async fn under<T>(
    failure: Option<Failure>,
    key: &str,
    request: impl Future<Output = Result<T, ObjectError>> + Send,
) -> Result<T, ObjectError> {
    let lost = |what: &str| ObjectError::Unknown { key: key.to_owned(), reason: format!("{what} lost") };
    match failure {
        None | Some(Failure::FlippedBit) => request.await,
        Some(Failure::Unavailable) => {
            Err(ObjectError::Unavailable { key: key.to_owned(), reason: "slow down".to_owned() })
        }
        Some(Failure::NoSpace) => Err(ObjectError::NoSpace { key: key.to_owned() }),
        Some(Failure::LostRequest) => Err(lost("request")),
        Some(Failure::LostReply) => {
            request.await?;
            Err(lost("reply"))
        }
    }
}

fn with_a_flipped_bit(body: &Bytes) -> Bytes {
    let mut body = body.to_vec();
    let middle = body.len() / 2;
    if let Some(byte) = body.get_mut(middle) {
        *byte ^= 1;
    }
    body.into()
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError> {
        self.run(Operation::Put, key, self.inner.put(key, body, options)).await
    }

    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError> {
        let failure = self.next(Operation::Get, key);
        let body = under(failure, key, self.inner.get(key, range)).await?;
        Ok(if failure == Some(Failure::FlippedBit) { with_a_flipped_bit(&body) } else { body })
    }

    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError> {
        self.run(Operation::Head, key, self.inner.head(key)).await
    }

    async fn delete(&self, key: &str) -> Result<(), ObjectError> {
        self.run(Operation::Delete, key, self.inner.delete(key)).await
    }

    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError> {
        self.run(Operation::List, prefix, self.inner.list(prefix, after, limit)).await
    }

    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_get(key, ttl, options).await
    }

    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_put(key, ttl, options).await
    }
}

#[async_trait]
impl Transfers for Faulty {
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        let failure = self.next(Operation::Get, key);
        let Reading { meta, body } = under(failure, key, self.inner.read(key, range)).await?;
        if failure != Some(Failure::FlippedBit) {
            return Ok(Reading { meta, body });
        }
        Ok(Reading { meta, body: ByteStream::new(body.map_ok(|chunk| with_a_flipped_bit(&chunk))) })
    }

    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        self.run(Operation::Put, key, self.inner.write(key, source, content_type)).await
    }

    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        self.run(Operation::Put, key, self.inner.copy(from, key)).await
    }

    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        self.run(Operation::Upload, key, self.inner.start_upload(key, content_type)).await
    }

    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        self.run(Operation::Part, part.key, self.inner.put_part(part, source)).await
    }

    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        self.run(Operation::Part, part.key, self.inner.copy_part(part, from, range)).await
    }

    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        self.run(Operation::Upload, key, self.inner.complete_upload(key, upload, parts)).await
    }

    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        self.run(Operation::Upload, key, self.inner.abort_upload(key, upload)).await
    }

    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        self.run(Operation::List, key, self.inner.list_parts(key, upload, after, limit)).await
    }

    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        self.run(Operation::List, prefix, self.inner.list_uploads(prefix, after)).await
    }

    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        self.inner.presign_part(part, ttl, length).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryStore;
    use crate::testing::clock;

    fn faulty() -> Faulty {
        Faulty::new(Arc::new(MemoryStore::new(clock())))
    }

    async fn put(store: &Faulty) -> Result<PutResult, ObjectError> {
        store.put("dir/key", Bytes::from_static(b"body"), PutOptions::default()).await
    }

    #[tokio::test]
    async fn a_lost_request_did_nothing_and_a_lost_reply_did_all() {
        for (failure, happened) in [(Failure::LostRequest, false), (Failure::LostReply, true)] {
            let store = faulty();
            store.fail(Operation::Put, 1, failure);
            assert!(put(&store).await.unwrap_err().may_have_happened());
            assert_eq!(store.head("dir/key").await.is_ok(), happened, "{failure:?}");
        }
    }

    #[tokio::test]
    async fn faults_end_and_meet_only_their_keys() {
        let store = faulty();
        store.fail_on("other", Operation::Put, 9, Failure::NoSpace);
        store.fail_on("dir/", Operation::Put, 2, Failure::Unavailable);
        for _ in 0..2 {
            assert!(matches!(put(&store).await, Err(ObjectError::Unavailable { .. })));
        }
        put(&store).await.unwrap();
        store.fail(Operation::Head, 9, Failure::Unavailable);
        store.heal();
        store.head("dir/key").await.unwrap();
    }

    #[tokio::test]
    async fn a_bit_is_flipped_in_one_read() {
        let store = faulty();
        put(&store).await.unwrap();
        store.fail(Operation::Get, 1, Failure::FlippedBit);
        assert_ne!(store.get("dir/key", None).await.unwrap(), "body");
        assert_eq!(store.get("dir/key", None).await.unwrap(), "body");
    }
}
