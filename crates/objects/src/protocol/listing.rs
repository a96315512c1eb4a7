//! Answers to listings of objects, in both versions of the protocol.

use s3s::dto::{
    CommonPrefix, ListObjectsInput, ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, Object,
    ObjectStorageClass,
};

use super::{Names, etag, max_keys, timestamp, token};

/// A page of a listing, sorted into what the protocol keeps apart, with names as the answer writes them.
#[derive(Debug, Default)]
pub struct Lines {
    /// Objects, in order.
    pub contents: Vec<Object>,
    /// What others are folded into, in order.
    pub prefixes: Vec<CommonPrefix>,
    /// The last name as it is, if there are more behind it.
    pub next: Option<String>,
}

/// An object as a listing has it.
#[must_use]
pub fn listed_object(key: String, size: i64, tag: &str, modified: i64) -> Object {
    Object {
        key: Some(key),
        size: Some(size),
        e_tag: Some(etag(tag)),
        last_modified: Some(timestamp(modified)),
        storage_class: Some(ObjectStorageClass::from_static(ObjectStorageClass::STANDARD)),
        ..Object::default()
    }
}

impl Lines {
    /// Adds names that others are folded into.
    pub fn push_prefix(&mut self, prefix: String) {
        self.prefixes.push(CommonPrefix { prefix: Some(prefix) });
    }

    /// The answer in the first version. It says where to go on, also where S3 leaves that to the client.
    #[must_use]
    pub fn into_v1(self, input: ListObjectsInput, names: Names) -> ListObjectsOutput {
        ListObjectsOutput {
            name: Some(input.bucket),
            prefix: Some(names.write(input.prefix.unwrap_or_default())),
            marker: Some(names.write(input.marker.unwrap_or_default())),
            max_keys: Some(max_keys(input.max_keys)),
            is_truncated: Some(self.next.is_some()),
            next_marker: self.next.map(|next| names.write(next)),
            contents: Some(self.contents),
            common_prefixes: Some(self.prefixes),
            delimiter: input.delimiter.map(|delimiter| names.write(delimiter)),
            encoding_type: input.encoding_type,
            request_charged: None,
        }
    }

    /// The answer in the second version.
    #[must_use]
    pub fn into_v2(self, input: ListObjectsV2Input, names: Names) -> ListObjectsV2Output {
        let count = self.contents.len() + self.prefixes.len();
        ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: Some(names.write(input.prefix.unwrap_or_default())),
            max_keys: Some(max_keys(input.max_keys)),
            key_count: Some(i32::try_from(count).expect("a page is small")),
            continuation_token: input.continuation_token,
            is_truncated: Some(self.next.is_some()),
            next_continuation_token: self.next.map(|next| token(&next)),
            contents: Some(self.contents),
            common_prefixes: Some(self.prefixes),
            delimiter: input.delimiter.map(|delimiter| names.write(delimiter)),
            encoding_type: input.encoding_type,
            start_after: input.start_after.map(|after| names.write(after)),
            request_charged: None,
        }
    }
}
