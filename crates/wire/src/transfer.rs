//! How data gets in and out: uploads, links and downloads by presigned URL.

use std::collections::BTreeMap;

use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName, Time};

use crate::field::message;
use crate::object::Object;
use crate::page::batch;

/// What is to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadTarget {
    /// The path it is for, of at most 1,024 bytes.
    pub path: ObjectPath,
    /// MIME type to store the data with; may be empty.
    pub content_type: String,
    /// Size in bytes, if it is known: the URL then takes no other.
    pub size: Option<u64>,
}

/// A place to upload one object to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The path it is for.
    pub path: ObjectPath,
    /// Where the data will be: a whole URI.
    pub physical_address: String,
    /// Where to PUT the data.
    pub url: String,
    /// What the PUT must be sent with.
    pub headers: BTreeMap<String, String>,
    /// Until when the URL is good.
    pub expires_at: Time,
    /// Proof of this answer, for the link.
    pub intent: String,
}

/// Asks for a place to upload one object to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUpload {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What.
    pub target: UploadTarget,
    /// Give a URL that asks for no headers; until it expires, linked data can be replaced by it.
    pub without_headers: bool,
}

/// Asks for places to upload several objects to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUploads {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What.
    pub targets: Vec<UploadTarget>,
}

/// What was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The path to stage it at, of at most 1,024 bytes.
    pub path: ObjectPath,
    /// The proof that [`Upload`] came with.
    pub intent: String,
    /// The entity tag that the object store answered, without quotes.
    pub checksum: String,
    /// Size in bytes.
    pub size: u64,
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
    /// Refuse if there is an object at the path.
    pub if_absent: bool,
    /// Refuse unless the object at the path has this checksum.
    pub if_etag: Option<String>,
    /// Refuse unless the object at the path has this generation; 0: if there is an object.
    pub if_generation: Option<u64>,
}

/// Stages one uploaded object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkUpload {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What.
    pub link: Link,
}

/// Stages several uploaded objects in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkUploads {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// What.
    pub links: Vec<Link>,
}

/// Stages an object that is in a bucket already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkObject {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// The path to stage it at, of at most 1,024 bytes.
    pub path: ObjectPath,
    /// Where the data is: a whole URI.
    pub physical_address: String,
    /// What clients may compare the data with: its entity tag or MD5.
    pub checksum: String,
    /// Size in bytes.
    pub size: u64,
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
    /// When the data was written, if that is not when the object store says.
    pub mtime: Option<Time>,
    /// Refuse if there is an object at the path.
    pub if_absent: bool,
    /// Refuse unless the object at the path has this checksum.
    pub if_etag: Option<String>,
}

/// Asks where to download one object from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetDownloadUrl {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Its path.
    pub path: ObjectPath,
}

/// Where to download one object from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// The object.
    pub object: Object,
    /// Where to GET its data.
    pub url: String,
    /// Until when the URL is good.
    pub expires_at: Time,
}

/// Asks where to download all objects under a prefix from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamDownloads {
    /// Where.
    pub repository: RepositoryName,
    /// At which state.
    pub reference: RefExpression,
    /// Only paths that begin with it.
    pub prefix: PathPrefix,
    /// Only paths after it.
    pub after: Option<PathPrefix>,
}

message!(UploadTarget = UploadTarget { path: new_path, content_type, size });
message!(Upload = Upload { path, physical_address, url, headers, expires_at: required, intent });
message!(CreateUpload = CreateUploadRequest { repository, branch, target: required, without_headers });
message!(CreateUploads = CreateUploadsRequest { repository, branch, targets });
message!(
    Link = Link {
        path: new_path,
        intent,
        checksum,
        size,
        content_type,
        metadata,
        if_absent,
        if_etag,
        if_generation,
    }
);
message!(LinkUpload = LinkUploadRequest { repository, branch, link: required } mutation);
message!(LinkUploads = LinkUploadsRequest { repository, branch, links } mutation);
message!(LinkObject = LinkObjectRequest {
    repository,
    branch,
    path: new_path,
    physical_address,
    checksum,
    size,
    content_type,
    metadata,
    mtime: optional,
    if_absent,
    if_etag,
} mutation);
message!(GetDownloadUrl = GetDownloadUrlRequest { repository, reference, path });
message!(Download = Download { object: required, url, expires_at: required });
message!(StreamDownloads = StreamDownloadsRequest { repository, reference, prefix, after });
batch!(Upload = CreateUploadsResponse.uploads);
batch!(Object = LinkUploadsResponse.objects);
batch!(Download = StreamDownloadsResponse.downloads);
