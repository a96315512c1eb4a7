//! The other half of the port: content that does not fit in memory, and objects that are uploaded in parts.

use std::time::Duration;

use async_trait::async_trait;

use crate::{ByteRange, ObjectError, Page, Presigned, PutResult, Reading, Source};

/// The highest number of a part, as in S3.
pub const MAX_PART_NUMBER: u16 = 10_000;

/// Large objects of a store, by the rules of [`ObjectStore`](crate::ObjectStore), and further:
///
/// 1. Memory does not grow with the content.
/// 2. Content that breaks off, or a call that is dropped before its end, leaves nothing that a reader, or a listing
///    of objects, sees.
/// 3. A part replaces the part that had its number. Parts may come in any order, several at once.
/// 4. Completing names an object's content in one step; parts that are not named go, and the upload is over.
#[async_trait]
pub trait Transfers: Send + Sync {
    /// Reads the object, or the part of it that `range` names, chunk by chunk.
    ///
    /// # Errors
    /// Those of [`get`](crate::ObjectStore::get).
    async fn read(&self, key: &str, range: Option<ByteRange>) -> Result<Reading, ObjectError> {
        let _ = range;
        Err(unsupported(key, "stream"))
    }

    /// Writes the object from a source, in place of the one that is there.
    ///
    /// # Errors
    /// [`ObjectError::BrokenOff`] if the source fails.
    async fn write(
        &self,
        key: &str,
        source: Source,
        content_type: Option<String>,
    ) -> Result<PutResult, ObjectError> {
        let _ = (source, content_type);
        Err(unsupported(key, "stream"))
    }

    /// Writes what is at `from` to `key` as well, with its media type. The content does not pass through here if the
    /// store can do without. An object of S3 that is copied has at most 5 GiB.
    ///
    /// # Errors
    /// [`ObjectError::NotFound`] names the source.
    async fn copy(&self, from: &str, key: &str) -> Result<PutResult, ObjectError> {
        let _ = from;
        Err(unsupported(key, "copy"))
    }

    /// Begins an upload in parts and answers its id.
    async fn start_upload(&self, key: &str, content_type: Option<String>) -> Result<String, ObjectError> {
        let _ = content_type;
        Err(unsupported(key, "upload in parts"))
    }

    /// Writes a part. The source's length must be known.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchUpload`]; [`ObjectError::BrokenOff`] if the source fails; [`ObjectError::InvalidRequest`] if
    /// the number is not 1 to [`MAX_PART_NUMBER`].
    async fn put_part(&self, part: PartPlace<'_>, source: Source) -> Result<PutResult, ObjectError> {
        let _ = source;
        Err(unsupported(part.key, "upload in parts"))
    }

    /// Writes a part with what is at `from`, or in a range of it.
    ///
    /// # Errors
    /// Those of [`put_part`](Self::put_part) and [`copy`](Self::copy), and [`ObjectError::InvalidRange`].
    async fn copy_part(
        &self,
        part: PartPlace<'_>,
        from: &str,
        range: Option<ByteRange>,
    ) -> Result<PutResult, ObjectError> {
        let _ = (from, range);
        Err(unsupported(part.key, "upload in parts"))
    }

    /// Makes an object of parts: their numbers, ascending, and entity tags.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchUpload`], also if it was completed before; [`ObjectError::InvalidPart`] if a part is not
    /// there, has another tag or is out of order, or S3 finds one but the last too small (5 MiB).
    async fn complete_upload(
        &self,
        key: &str,
        upload: &str,
        parts: &[(u16, String)],
    ) -> Result<PutResult, ObjectError> {
        let _ = (upload, parts);
        Err(unsupported(key, "upload in parts"))
    }

    /// Gives an upload up and removes its parts. One that is not there is given up.
    async fn abort_upload(&self, key: &str, upload: &str) -> Result<(), ObjectError> {
        let _ = upload;
        Err(unsupported(key, "upload in parts"))
    }

    /// The parts of an upload with numbers above `after`, in order, at most `limit` (and at most
    /// [`MAX_PAGE`](crate::MAX_PAGE)) of them.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchUpload`].
    async fn list_parts(
        &self,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<PartPage, ObjectError> {
        let _ = (upload, after, limit);
        Err(unsupported(key, "upload in parts"))
    }

    /// The first [`MAX_PAGE`](crate::MAX_PAGE) uploads under way to keys that start with `prefix` and are greater than
    /// `after`, by key.
    async fn list_uploads(&self, prefix: &str, after: Option<&str>) -> Result<Page<UploadMeta>, ObjectError> {
        let _ = after;
        Err(unsupported(prefix, "list uploads of"))
    }

    /// A URL with which anyone may write the part for `ttl`, counted in whole seconds; with `length`, only so many bytes.
    ///
    /// # Errors
    /// [`ObjectError::InvalidRequest`] if `ttl` is under a second or over [`MAX_PRESIGN_TTL`](crate::MAX_PRESIGN_TTL), or
    /// the number is none. The upload need not exist.
    async fn presign_part(
        &self,
        part: PartPlace<'_>,
        ttl: Duration,
        length: Option<u64>,
    ) -> Result<Presigned, ObjectError> {
        let _ = (ttl, length);
        Err(unsupported(part.key, "upload in parts"))
    }
}

/// Where a part of an upload goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlace<'a> {
    /// The key of the object to be.
    pub key: &'a str,
    /// The upload's id.
    pub upload: &'a str,
    /// The part's number, 1 to [`MAX_PART_NUMBER`].
    pub number: u16,
}

impl<'a> PartPlace<'a> {
    /// The same part under another name of the object.
    pub(crate) fn at(self, key: &'a str) -> Self {
        Self { key, ..self }
    }

    /// Refuses a number that no part has.
    pub(crate) fn check(&self) -> Result<(), ObjectError> {
        crate::check_key(self.key)?;
        if (1..=MAX_PART_NUMBER).contains(&self.number) {
            return Ok(());
        }
        let rule = format!("a part's number is 1 to {MAX_PART_NUMBER}, not {}", self.number);
        Err(ObjectError::InvalidRequest { key: self.key.to_owned(), rule })
    }
}

/// A part that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartMeta {
    /// Its number.
    pub number: u16,
    /// Its length in bytes.
    pub size: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// When it was uploaded, in seconds since 1970.
    pub last_modified: i64,
}

/// Some parts of an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartPage {
    /// The parts, by number.
    pub parts: Vec<PartMeta>,
    /// Whether there are more after them.
    pub more: bool,
}

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadMeta {
    /// The key of the object to be.
    pub key: String,
    /// The upload's id.
    pub upload: String,
    /// When it began, in seconds since 1970.
    pub started: i64,
}

fn unsupported(key: &str, what: &str) -> ObjectError {
    ObjectError::Unsupported { key: key.to_owned(), what: what.to_owned() }
}
