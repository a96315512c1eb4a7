//! Multipart uploads: parts are durable as they come, and completing one names them as an object's content.

use super::change::{Change, Completion, Condition};
use super::error::LocalError;
use super::record::{Attributes, StoredPart, StoredUpload, decode};
use super::store::{LocalStore, place};
use super::upload::Written;
use crate::{MAX_PAGE, ObjectError, check_key};

/// A part of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartInfo {
    pub(crate) number: u16,
    pub(crate) size: u64,
    pub(crate) etag: String,
    pub(crate) modified: i64,
}

/// An upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadInfo {
    pub(crate) key: String,
    pub(crate) upload: String,
    pub(crate) started: i64,
}

impl LocalStore {
    /// Begins an upload and answers its id.
    pub(crate) async fn start_upload(
        &self,
        bucket: &str,
        key: &str,
        attributes: Attributes,
    ) -> Result<String, LocalError> {
        check_key(key)?;
        let upload = self.upload_id();
        let stored = StoredUpload { started: self.now(), attributes };
        self.change(Change::StartUpload { place: place(bucket, key), upload: upload.clone(), stored })
            .await?;
        Ok(upload)
    }

    /// Makes content a part of an upload, in place of the part that had its number; answers its entity tag.
    pub(crate) async fn put_part(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        number: u16,
        written: Written,
    ) -> Result<String, LocalError> {
        assert!(written.small.is_none(), "the content of a part is in a file");
        let part = StoredPart {
            size: written.size(),
            etag: written.etag(),
            modified: self.now(),
            file: written.segment.map(|segment| segment.file),
        };
        let etag = part.etag.clone();
        let (place, upload) = (place(bucket, key), upload.to_owned());
        self.change(Change::PutPart { place, upload, number, part, content: written.guard }).await?;
        Ok(etag)
    }

    /// Makes an object of parts (number and entity tag), if `condition` holds at its place; answers its entity
    /// tag. Parts not named go.
    pub(crate) async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        parts: Vec<(u16, String)>,
        condition: Condition,
    ) -> Result<String, LocalError> {
        let (place, upload) = (place(bucket, key), upload.to_owned());
        let completion = Completion { place, upload, parts, condition, modified: self.now() };
        let etag = self.change(Change::CompleteUpload(completion)).await?;
        Ok(etag.expect("a completed upload has an etag"))
    }

    /// Drops an upload and its parts.
    pub(crate) async fn abort_upload(&self, bucket: &str, key: &str, upload: &str) -> Result<(), LocalError> {
        self.change(Change::AbortUpload { place: place(bucket, key), upload: upload.to_owned() }).await?;
        Ok(())
    }

    /// The parts of an upload with numbers above `after`, in order.
    pub(crate) async fn parts(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        after: u16,
        limit: usize,
    ) -> Result<Vec<PartInfo>, LocalError> {
        let (at, id) = (place(bucket, key), upload.to_owned());
        let look = move |snapshot: &super::index::Snapshot| {
            let known = snapshot.upload(&at.bucket, &at.key, &id)?.is_some();
            let parts = snapshot.parts(&id, after, limit.min(MAX_PAGE + 1))?;
            Ok(known.then_some(parts))
        };
        let parts = self.look(key, look).await?;
        let unknown = || LocalError::NoSuchUpload { key: key.to_owned(), upload: upload.to_owned() };
        let parts = parts.ok_or_else(unknown)?;
        Ok(parts.into_iter().map(|(number, part)| part_info(number, part)).collect())
    }

    /// The uploads to keys of a bucket that start with `prefix`, after that key and upload, in order.
    pub(crate) async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        after: Option<(String, String)>,
        limit: usize,
    ) -> Result<Vec<UploadInfo>, ObjectError> {
        let (bucket, wanted) = (bucket.to_owned(), prefix.to_owned());
        self.look(prefix, move |snapshot| {
            let (key, upload) = after.unwrap_or_default();
            let start = (&*bucket, key.as_str().max(&*wanted), &*upload);
            let mut uploads = Vec::new();
            for row in snapshot.uploads.range(start..)? {
                let (at, bytes) = row?;
                let (in_bucket, at_key, id) = at.value();
                if in_bucket != bucket || !at_key.starts_with(&*wanted) || uploads.len() == limit {
                    break;
                }
                if (at_key, id) != (&*key, &*upload) {
                    let stored: StoredUpload = decode(bytes.value())?;
                    uploads.push(upload_info(at_key, id, &stored));
                }
            }
            Ok(uploads)
        })
        .await
    }
}

fn part_info(number: u16, part: StoredPart) -> PartInfo {
    PartInfo { number, size: part.size, etag: part.etag, modified: part.modified }
}

fn upload_info(key: &str, upload: &str, stored: &StoredUpload) -> UploadInfo {
    UploadInfo { key: key.to_owned(), upload: upload.to_owned(), started: stored.started }
}
