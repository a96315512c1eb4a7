//! The port: what Braid asks of an object store, and what each implementation promises.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;

use crate::{ByteRange, ObjectError, Transfers};

/// The longest key, in bytes of UTF-8, as in S3.
pub const MAX_KEY_BYTES: usize = 1024;

/// The most objects one page of a listing holds, as in S3.
pub const MAX_PAGE: usize = 1000;

/// The longest time a presigned URL may live, as in S3.
pub const MAX_PRESIGN_TTL: Duration = Duration::from_secs(7 * 24 * 3600);

/// One bucket of one object store, or the part of it under a key prefix.
///
/// Keys are 1 to [`MAX_KEY_BYTES`] bytes of UTF-8, given and answered without the prefix; any character is
/// allowed, and `a` and `a/b` are unrelated objects. What every implementation keeps (the conformance suite
/// checks it):
///
/// 1. `put` returns when the object is durable; a reader then sees the whole of it, and before that the
///    whole of the one before. There is never half an object.
/// 2. Of any number of concurrent `put`s of one absent key with `if_absent`, exactly one succeeds.
/// 3. `delete` of an absent key succeeds.
/// 4. `list` answers in the order of the keys' bytes.
/// 5. A presigned URL does what the call did, with no further right, until it expires.
/// 6. Every error names its key and says whether the write may have happened.
#[async_trait]
pub trait ObjectStore: Transfers + Send + Sync + std::fmt::Debug + 'static {
    /// Writes the whole object.
    ///
    /// # Errors
    /// [`ObjectError::AlreadyExists`] if the key was taken and `if_absent` is set.
    async fn put(&self, key: &str, body: Bytes, options: PutOptions) -> Result<PutResult, ObjectError>;

    /// Reads the object, or the part of it that `range` names (clipped to the object's end).
    ///
    /// # Errors
    /// [`ObjectError::NotFound`]; [`ObjectError::InvalidRange`] if the range has no byte of the object, as every
    /// range of an empty object.
    async fn get(&self, key: &str, range: Option<ByteRange>) -> Result<Bytes, ObjectError>;

    /// Describes the object.
    ///
    /// # Errors
    /// [`ObjectError::NotFound`].
    async fn head(&self, key: &str) -> Result<ObjectMeta, ObjectError>;

    /// Removes the object if it is there.
    async fn delete(&self, key: &str) -> Result<(), ObjectError>;

    /// Lists objects whose keys start with `prefix` and are greater than `after`, at most `limit` (and at most
    /// [`MAX_PAGE`]) of them. A page may be shorter than its limit; only `next: None` says that it is the last.
    async fn list(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<ObjectMeta>, ObjectError>;

    /// A URL with which anyone may read the object for `ttl`, counted in whole seconds.
    ///
    /// # Errors
    /// [`ObjectError::InvalidRequest`] if `ttl` is under a second or over [`MAX_PRESIGN_TTL`]. The object need
    /// not exist.
    async fn presign_get(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignGetOptions,
    ) -> Result<Presigned, ObjectError>;

    /// A URL with which anyone may write the object for `ttl`, counted in whole seconds, under the given
    /// conditions.
    ///
    /// # Errors
    /// [`ObjectError::InvalidRequest`] if `ttl` is under a second or over [`MAX_PRESIGN_TTL`].
    async fn presign_put(
        &self,
        key: &str,
        ttl: Duration,
        options: PresignPutOptions,
    ) -> Result<Presigned, ObjectError>;
}

/// How an object is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// Write only if the key is free.
    pub if_absent: bool,
    /// The object's media type.
    pub content_type: Option<String>,
}

impl PutOptions {
    /// Options of a write that must not replace anything.
    #[must_use]
    pub fn if_absent() -> Self {
        Self { if_absent: true, content_type: None }
    }
}

/// What a write answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutResult {
    /// The object's entity tag, without quotes.
    pub etag: String,
}

/// What is known of an object without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectMeta {
    /// Its key.
    pub key: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its entity tag, without quotes. Not always a checksum of the content.
    pub etag: String,
    /// When it was last written, in seconds since 1970.
    pub last_modified: i64,
    /// Its media type; listings of S3 leave it out.
    pub content_type: Option<String>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; `None` if this is the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// The first `limit` of `found`, which is ordered by `key`.
    pub(crate) fn of(found: impl Iterator<Item = T>, limit: usize, key: impl Fn(&T) -> &str) -> Self {
        let limit = limit.max(1);
        let mut items: Vec<T> = found.take(limit + 1).collect();
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(|last| key(last).to_owned());
        Self { items, next }
    }
}

/// What the answer to a presigned GET should say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresignGetOptions {
    /// Media type to answer with instead of the object's own.
    pub content_type: Option<String>,
    /// Name under which a browser saves the object (`Content-Disposition: attachment`).
    pub download_name: Option<String>,
}

/// What a presigned PUT allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PresignPutOptions {
    /// The media type that must be sent.
    pub content_type: Option<String>,
    /// The length that must be sent.
    pub content_length: Option<u64>,
    /// Write only if the key is free.
    pub if_absent: bool,
}

/// A request that anyone may send until it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presigned {
    /// Where to send it.
    pub url: String,
    /// The HTTP method, `GET` or `PUT`.
    pub method: String,
    /// Headers that must be sent as they are (`host` and `content-length`, which every HTTP client sends by
    /// itself, are left out).
    pub headers: Vec<(String, String)>,
    /// When it expires, in seconds since 1970; may be sooner than asked for.
    pub expires_at: i64,
}

/// Refuses a key that no store takes.
///
/// # Errors
/// [`ObjectError::InvalidKey`].
pub fn check_key(key: &str) -> Result<(), ObjectError> {
    if key.is_empty() {
        return Err(ObjectError::InvalidKey { key: key.to_owned(), rule: "a key is not empty".to_owned() });
    }
    if key.len() > MAX_KEY_BYTES {
        let rule = format!("a key has at most {MAX_KEY_BYTES} bytes, not {}", key.len());
        return Err(ObjectError::InvalidKey { key: key.to_owned(), rule });
    }
    Ok(())
}

/// The whole seconds a presigned URL is to live.
///
/// # Errors
/// [`ObjectError::InvalidRequest`] if that is none, or more than [`MAX_PRESIGN_TTL`].
pub(crate) fn check_ttl(key: &str, ttl: Duration) -> Result<u32, ObjectError> {
    let allowed = Duration::from_secs(1)..=MAX_PRESIGN_TTL;
    if !allowed.contains(&ttl) {
        let rule = format!("a presigned URL lives 1 to {} seconds", MAX_PRESIGN_TTL.as_secs());
        return Err(ObjectError::InvalidRequest { key: key.to_owned(), rule });
    }
    Ok(u32::try_from(ttl.as_secs()).expect("a week of seconds fits"))
}
