//! Uploads in parts.

use std::collections::BTreeMap;

use braid_types::{BranchName, ObjectPath, PathPrefix, RepositoryName, Time};

use crate::field::message;
use crate::page::batch;

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartUpload {
    /// The branch that it is to be staged on.
    pub branch: BranchName,
    /// The path that it is for.
    pub path: ObjectPath,
    /// The object store's id of it.
    pub upload_id: String,
    /// Where the data will be: a whole URI.
    pub physical_address: String,
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
    /// When it began.
    pub started_at: Time,
}

/// Begins an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateMultipartUpload {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// The path it is for, of at most 1,024 bytes.
    pub path: ObjectPath,
    /// MIME type; may be empty.
    pub content_type: String,
    /// The user's own keys and values.
    pub metadata: BTreeMap<String, String>,
}

/// Which upload is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadAddress {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// The path it is for.
    pub path: ObjectPath,
    /// Its id.
    pub upload_id: String,
}

/// Asks what is known of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetMultipartUpload {
    /// Which.
    pub upload: UploadAddress,
}

/// Asks for uploads under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMultipartUploads {
    /// Where.
    pub repository: RepositoryName,
    /// On which branch.
    pub branch: BranchName,
    /// Only to paths that begin with it.
    pub prefix: PathPrefix,
    /// Only to paths after it.
    pub after: Option<PathPrefix>,
    /// Also to the path `after` itself, by ids after this one.
    pub after_upload_id: Option<String>,
    /// Most uploads in the answer.
    pub page_size: Option<u32>,
}

/// Some uploads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartUploads {
    /// The uploads, by path and then by id.
    pub uploads: Vec<MultipartUpload>,
    /// Whether there are more after them.
    pub more: bool,
}

/// A part to be uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartTarget {
    /// Its number, 1 to 10,000.
    pub number: u32,
    /// Size in bytes, if it is known: the URL then takes no other.
    pub size: Option<u64>,
}

/// Asks for places to put parts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignParts {
    /// Of which upload.
    pub upload: UploadAddress,
    /// Which parts.
    pub parts: Vec<PartTarget>,
}

/// A place to put one part to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartUpload {
    /// The part's number.
    pub number: u32,
    /// Where to PUT the data.
    pub url: String,
    /// What the PUT must be sent with.
    pub headers: BTreeMap<String, String>,
    /// Until when the URL is good.
    pub expires_at: Time,
}

/// Asks for the parts that were uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListParts {
    /// Of which upload.
    pub upload: UploadAddress,
    /// Only parts with greater numbers.
    pub after: u32,
    /// Most parts in the answer.
    pub page_size: Option<u32>,
}

/// A part that was uploaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its number.
    pub number: u32,
    /// Size in bytes.
    pub size: u64,
    /// Entity tag, without quotes.
    pub etag: String,
    /// When it was uploaded.
    pub uploaded_at: Time,
}

/// Some parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The parts, by number.
    pub parts: Vec<Part>,
    /// Whether there are more after them.
    pub more: bool,
}

/// A part that an object is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// Its number.
    pub number: u32,
    /// The entity tag that the object store answered, without quotes.
    pub etag: String,
}

/// Makes an object of parts and stages it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteMultipartUpload {
    /// Which upload.
    pub upload: UploadAddress,
    /// Of what, by ascending number.
    pub parts: Vec<CompletedPart>,
    /// MIME type instead of the upload's.
    pub content_type: Option<String>,
    /// Keys and values besides the upload's.
    pub metadata: BTreeMap<String, String>,
    /// Refuse if there is an object at the path.
    pub if_absent: bool,
    /// Refuse unless the object at the path has this checksum.
    pub if_etag: Option<String>,
    /// Refuse unless the object at the path has this generation; 0: if there is an object.
    pub if_generation: Option<u64>,
}

/// Gives an upload up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbortMultipartUpload {
    /// Which.
    pub upload: UploadAddress,
}

message!(
    MultipartUpload = MultipartUpload {
        branch,
        path,
        upload_id,
        physical_address,
        content_type,
        metadata,
        started_at: required
    }
);
message!(
    CreateMultipartUpload =
        CreateMultipartUploadRequest { repository, branch, path: new_path, content_type, metadata }
);
message!(UploadAddress = UploadAddress { repository, branch, path, upload_id });
message!(GetMultipartUpload = GetMultipartUploadRequest { upload: required });
message!(
    ListMultipartUploads =
        ListMultipartUploadsRequest { repository, branch, prefix, after, after_upload_id, page_size }
);
message!(MultipartUploads = ListMultipartUploadsResponse { uploads, more });
message!(PartTarget = PartTarget { number, size });
message!(PresignParts = PresignPartsRequest { upload: required, parts });
message!(PartUpload = PartUpload { number, url, headers, expires_at: required });
message!(ListParts = ListPartsRequest { upload: required, after, page_size });
message!(Part = Part { number, size, etag, uploaded_at: required });
message!(Parts = ListPartsResponse { parts, more });
message!(CompletedPart = CompletedPart { number, etag });
message!(
    CompleteMultipartUpload =
        CompleteMultipartUploadRequest {
            upload: required,
            parts,
            content_type,
            metadata,
            if_absent,
            if_etag,
            if_generation,
        } mutation
);
message!(AbortMultipartUpload = AbortMultipartUploadRequest { upload: required });
batch!(PartUpload = PresignPartsResponse.parts);
