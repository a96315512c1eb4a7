//! Objects.

use std::collections::BTreeMap;

use braid_client::Object;
use braid_types::Time;
use serde::Serialize;
use utoipa::ToSchema;

use super::Listed;

/// What an object without a type of its own is said to be.
pub(crate) const DEFAULT_CONTENT_TYPE: &str = "application/octet-stream";

/// What a path maps to, or what several paths begin with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct ObjectStats {
    pub(crate) path: String,
    path_type: PathType,
    physical_address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    physical_address_expiry: Option<i64>,
    checksum: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    size_bytes: Option<u64>,
    mtime: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    metadata: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    content_type: Option<String>,
}

/// A page of objects.
pub(crate) type ObjectList = Listed<ObjectStats>;

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PathType {
    Object,
    CommonPrefix,
}

/// What of an object is shown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    /// The user's own keys and values.
    pub(crate) metadata: bool,
}

impl ObjectStats {
    /// An object.
    pub(crate) fn of(object: Object, shown: Shown) -> Self {
        let entry = object.entry;
        Self {
            path: object.path.as_str().to_owned(),
            path_type: PathType::Object,
            physical_address: entry.address,
            physical_address_expiry: None,
            checksum: entry.checksum,
            size_bytes: Some(entry.size),
            mtime: entry.mtime.seconds,
            metadata: shown.metadata.then_some(entry.metadata),
            content_type: Some(content_type(entry.content_type)),
        }
    }

    /// What several paths begin with. All fields that an object must have are there.
    pub(crate) fn common_prefix(prefix: String) -> Self {
        Self {
            path: prefix,
            path_type: PathType::CommonPrefix,
            physical_address: String::new(),
            physical_address_expiry: None,
            checksum: String::new(),
            size_bytes: None,
            mtime: 0,
            metadata: None,
            content_type: None,
        }
    }

    /// The same with a URL to read it by in place of its address.
    pub(crate) fn presigned(self, url: String, expires: Time) -> Self {
        Self { physical_address: url, physical_address_expiry: Some(expires.seconds), ..self }
    }
}

/// A content type, or what stands for none.
pub(crate) fn content_type(given: String) -> String {
    if given.is_empty() { DEFAULT_CONTENT_TYPE.to_owned() } else { given }
}
