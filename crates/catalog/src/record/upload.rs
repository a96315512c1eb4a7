//! Uploads in parts that are under way: `m | repository id | branch | 00 | path | 00 | upload id` → where the data goes,
//! and what was said of it. Branches' names and the ids of uploads hold no NUL.
//!
//! The row is what proves that the upload was asked for, and what its end is found by: it stays, marked as completed, until
//! retries of the completion are over.

use std::collections::BTreeMap;

use braid_kv::KeyRange;
use braid_types::{BranchName, ObjectPath, RepositoryId, Result, Time};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::value::{self, StoredMap, StoredTime};

const WHAT: &str = "upload record";

/// Where an upload is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPlace {
    /// The repository.
    pub repository: RepositoryId,
    /// The branch that the object is to be staged on.
    pub branch: BranchName,
    /// The object's path.
    pub path: ObjectPath,
    /// The upload's id, which the object store gave.
    pub upload: String,
}

/// An upload in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadRecord {
    /// The storage namespace that the data is in.
    pub namespace: String,
    /// The physical address in it.
    pub address: String,
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
    /// When it began.
    pub started: Time,
    /// What it became; `None` while parts may come.
    pub completed: Option<CompletedUpload>,
}

/// The object that an upload became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedUpload {
    /// Entity tag, without quotes.
    pub etag: String,
    /// Size in bytes.
    pub size: u64,
    /// When it was completed.
    pub mtime: Time,
}

#[derive(Clone, PartialEq, Message)]
struct StoredUpload {
    #[prost(string, tag = "1")]
    namespace: String,
    #[prost(string, tag = "2")]
    address: String,
    #[prost(string, tag = "3")]
    content_type: String,
    #[prost(btree_map = "string, string", tag = "4")]
    metadata: StoredMap,
    #[prost(message, optional, tag = "5")]
    started: Option<StoredTime>,
    #[prost(message, optional, tag = "6")]
    completed: Option<StoredCompleted>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredCompleted {
    #[prost(string, tag = "1")]
    etag: String,
    #[prost(uint64, tag = "2")]
    size: u64,
    #[prost(message, optional, tag = "3")]
    mtime: Option<StoredTime>,
}

impl UploadRecord {
    pub(crate) fn encode(&self) -> Bytes {
        let completed = self.completed.as_ref().map(|completed| StoredCompleted {
            etag: completed.etag.clone(),
            size: completed.size,
            mtime: Some(completed.mtime.into()),
        });
        value::encode(&StoredUpload {
            namespace: self.namespace.clone(),
            address: self.address.clone(),
            content_type: self.content_type.clone(),
            metadata: self.metadata.clone(),
            started: Some(self.started.into()),
            completed,
        })
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self> {
        let stored: StoredUpload = value::decode(bytes, WHAT)?;
        let completed = stored.completed.map(|completed| CompletedUpload {
            etag: completed.etag,
            size: completed.size,
            mtime: value::time(completed.mtime),
        });
        Ok(Self {
            namespace: stored.namespace,
            address: stored.address,
            content_type: stored.content_type,
            metadata: stored.metadata,
            started: value::time(stored.started),
            completed,
        })
    }
}

impl UploadPlace {
    pub(crate) fn key(&self) -> Bytes {
        let (branch, path) = (self.branch.as_str().as_bytes(), self.path.as_bytes());
        key::key(
            Table::Upload,
            &[self.repository.as_bytes(), branch, &[0], path, &[0], self.upload.as_bytes()],
        )
    }

    pub(crate) fn parse_key(key: &[u8]) -> Result<Self> {
        let parsed = || {
            let (repository, rest) = key::rest(key, Table::Upload, &[])?.split_first_chunk::<16>()?;
            let (branch, rest) = std::str::from_utf8(rest).ok()?.split_once('\0')?;
            let (path, upload) = rest.rsplit_once('\0')?;
            Some(Self {
                repository: RepositoryId::from_bytes(*repository),
                branch: BranchName::new(branch).ok()?,
                path: ObjectPath::existing(path).ok()?,
                upload: upload.to_owned(),
            })
        };
        parsed().ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
    }
}

/// All uploads.
pub(crate) fn range() -> KeyRange {
    KeyRange::prefix(&key::key(Table::Upload, &[]))
}

/// The uploads to paths of a branch that begin with `prefix`.
pub(crate) fn range_of(repository: &RepositoryId, branch: &BranchName, prefix: &str) -> KeyRange {
    let branch = branch.as_str().as_bytes();
    KeyRange::prefix(&key::key(Table::Upload, &[repository.as_bytes(), branch, &[0], prefix.as_bytes()]))
}

/// What is behind every upload to `path`, and to no path after it.
pub(crate) fn end_of(repository: &RepositoryId, branch: &BranchName, path: &str) -> Bytes {
    let branch = branch.as_str().as_bytes();
    key::key(Table::Upload, &[repository.as_bytes(), branch, &[0], path.as_bytes(), &[0, 0xff]])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn uploads_round_trip(
            id: [u8; 16], path in ".{1,20}", upload in "[a-zA-Z0-9._-]{1,30}", size: u64, done: bool,
            metadata in proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..3),
        ) {
            let (repository, branch) = (RepositoryId::from_bytes(id), BranchName::new("main").unwrap());
            let mtime = Time::from_seconds(7);
            let completed = done.then(|| CompletedUpload { etag: "e-1".to_owned(), size, mtime });
            let record = UploadRecord {
                namespace: "s3://lake".to_owned(),
                address: "data/1".to_owned(),
                content_type: "text/plain".to_owned(),
                metadata,
                started: mtime,
                completed,
            };
            prop_assert_eq!(UploadRecord::decode(&record.encode()).unwrap(), record);
            let path = ObjectPath::new(path).unwrap();
            let place = UploadPlace { repository, branch: branch.clone(), path: path.clone(), upload };
            let key = place.key();
            prop_assert!(range_of(&repository, &branch, path.as_str()).contains(&key));
            prop_assert!(end_of(&repository, &branch, path.as_str()) > key);
            prop_assert_eq!(UploadPlace::parse_key(&key).unwrap(), place);
        }
    }
}
