//! What the index stores: its own types, as JSON, so that later versions can add fields.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// A content file's name: which opening of the store made it, and a number within that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct FileId {
    /// Counts the openings of the store, so that no name is used twice.
    pub(super) boot: u64,
    /// Counts the files made since.
    pub(super) number: u64,
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.boot, self.number)
    }
}

impl FileId {
    /// The id that this text is the form of.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (boot, number) = text.split_once('-')?;
        let parse = |text| u64::from_str_radix(text, 16).ok();
        Some(Self { boot: parse(boot)?, number: parse(number)? })
    }

    /// Where the file is while it is written.
    pub(super) fn temporary_path(self) -> String {
        format!("tmp/{self}")
    }

    /// The folder in which the file is found.
    pub(super) fn shard(self) -> String {
        format!("content/{:02x}", self.number % 256)
    }

    /// Where the file is found.
    pub(super) fn path(self) -> String {
        format!("{}/{self}", self.shard())
    }
}

/// A content file of an object, and how much content it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Segment {
    pub(super) file: FileId,
    pub(super) size: u64,
}

/// What a writer says of an object beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attributes {
    pub(crate) content_type: Option<String>,
    /// Other headers that are answered as they were given, such as `cache-control`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) headers: BTreeMap<String, String>,
    /// User metadata, without `x-amz-meta-`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) metadata: BTreeMap<String, String>,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct StoredObject {
    pub(crate) size: u64,
    /// Without quotes.
    pub(crate) etag: String,
    /// Seconds since 1970.
    pub(crate) modified: i64,
    #[serde(flatten)]
    pub(crate) attributes: Attributes,
    /// The files whose contents, one after another, are the object's.
    pub(super) content: Vec<Segment>,
    /// Whether its content is in the index instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_small: bool,
}

/// A multipart upload that is neither completed nor aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredUpload {
    /// Seconds since 1970.
    pub(super) started: i64,
    #[serde(flatten)]
    pub(super) attributes: Attributes,
}

/// A part of a multipart upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredPart {
    pub(super) size: u64,
    /// Hexadecimal MD5 of the part.
    pub(super) etag: String,
    /// Seconds since 1970.
    pub(super) modified: i64,
    /// Absent if the part is empty.
    pub(super) file: Option<FileId>,
}

/// The stored form of a record.
pub(super) fn encode(record: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(record).expect("records have string keys and no failing parts")
}

/// The record that these bytes are the form of.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, redb::Error> {
    let corrupted = |error| redb::Error::Corrupted(format!("record of the index: {error}"));
    serde_json::from_slice(bytes).map_err(corrupted)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts() -> impl Strategy<Value = BTreeMap<String, String>> {
        proptest::collection::btree_map(".{0,8}", ".{0,8}", 0..3)
    }

    prop_compose! {
        fn objects()(
            size in any::<u64>(), etag in ".{0,40}", modified in any::<i64>(),
            content_type in proptest::option::of(".{0,9}"), headers in texts(), metadata in texts(),
            files in proptest::collection::vec(any::<(u64, u64, u64)>(), 0..3), is_small: bool,
        ) -> StoredObject {
            let content = files.into_iter().map(|(boot, number, size)| Segment { file: FileId { boot, number }, size });
            StoredObject {
                size, etag, modified,
                attributes: Attributes { content_type, headers, metadata },
                content: content.collect(),
                is_small,
            }
        }
    }

    proptest! {
        #[test]
        fn objects_round_trip(object in objects()) {
            prop_assert_eq!(decode::<StoredObject>(&encode(&object)).unwrap(), object);
        }

        #[test]
        fn file_ids_round_trip(boot: u64, number: u64) {
            let id = FileId { boot, number };
            prop_assert_eq!(FileId::parse(&id.to_string()), Some(id));
        }
    }

    #[test]
    fn what_is_no_file_id_is_none() {
        for text in ["", "-", "1-", "-1", "x-1", "1", "1-2-3"] {
            assert_eq!(FileId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_stored_form_of_an_object_stays_readable() {
        let stored = br#"{"size":3,"etag":"e","modified":7,"content_type":null,"content":[{"file":{"boot":1,"number":2},"size":3}]}"#;
        let object: StoredObject = decode(stored).unwrap();
        assert_eq!((object.size, object.content.len()), (3, 1));
        assert_eq!(encode(&object), stored);
    }
}
