//! What can go wrong with a tree, with the file or key it went wrong on.

use std::fmt;

use braid_sstable::{Corruption, WriteError};
use braid_types::{Code, MetarangeId, RangeId};
use bytes::Bytes;

use crate::ValueError;

/// One file of a tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileId {
    /// A range.
    Range(RangeId),
    /// A metarange.
    Metarange(MetarangeId),
}

impl FileId {
    /// The file's name: its id in hexadecimal.
    pub fn to_hex(self) -> String {
        match self {
            Self::Range(id) => id.to_hex(),
            Self::Metarange(id) => id.to_hex(),
        }
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Range(id) => write!(f, "range '{id}'"),
            Self::Metarange(id) => write!(f, "metarange '{id}'"),
        }
    }
}

impl From<RangeId> for FileId {
    fn from(id: RangeId) -> Self {
        Self::Range(id)
    }
}

impl From<MetarangeId> for FileId {
    fn from(id: MetarangeId) -> Self {
        Self::Metarange(id)
    }
}

/// Why a tree could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TreeError {
    /// The file's bytes are not what they should be. They were not served.
    #[error("{file} is corrupted: {what}")]
    Corrupt {
        /// The damaged file.
        file: FileId,
        /// What is wrong with it, and where.
        what: String,
        /// Where in the file the damaged part begins, in bytes, where that is known.
        offset: Option<u64>,
    },
    /// The file is not in the store.
    #[error("{file} is missing")]
    Missing {
        /// The file looked for.
        file: FileId,
    },
    /// Changes or records must come in strictly ascending key order.
    #[error("key '{}' does not come after '{}'", key.escape_ascii(), previous.escape_ascii())]
    Unordered {
        /// The key that came before.
        previous: Bytes,
        /// The key that should have come later.
        key: Bytes,
    },
    /// A record's value is not what a value should be.
    #[error("value of '{}' is malformed: {reason}", key.escape_ascii())]
    Malformed {
        /// The record's key.
        key: Bytes,
        /// What is wrong with its value.
        reason: ValueError,
    },
    /// A record cannot be written to a range, because of its size for instance.
    #[error("cannot write '{}': {reason}", key.escape_ascii())]
    Unwritable {
        /// The record's key.
        key: Bytes,
        /// Why not.
        reason: WriteError,
    },
    /// The store failed.
    #[error("store failed on {file}: {reason}")]
    Store {
        /// The file that was read or written.
        file: FileId,
        /// What kind of failure it is; it says whether a retry may help.
        code: Code,
        /// What the store said.
        reason: String,
    },
    /// Where changes or records come from failed.
    #[error(transparent)]
    Source(#[from] braid_types::Error),
}

impl TreeError {
    pub(crate) fn corrupt(file: impl Into<FileId>, what: impl Into<String>) -> Self {
        Self::Corrupt { file: file.into(), what: what.into(), offset: None }
    }

    pub(crate) fn corruption(file: impl Into<FileId>, corruption: &Corruption) -> Self {
        Self::Corrupt { file: file.into(), what: corruption.to_string(), offset: Some(corruption.offset) }
    }

    /// The error of a range whose records end before the greatest key that it claims.
    pub(crate) fn ends_early(range: RangeId) -> Self {
        Self::corrupt(range, "it ends before its greatest key")
    }

    /// Whether the same call may succeed later.
    pub fn is_retryable(&self) -> bool {
        braid_types::Error::from(self.clone()).is_retryable()
    }
}

impl From<TreeError> for braid_types::Error {
    fn from(error: TreeError) -> Self {
        let message = error.to_string();
        let (code, subject) = match error {
            TreeError::Source(error) => return error,
            // A tree refers only to files that were durable before it, so a missing one is lost data.
            TreeError::Corrupt { file, .. } | TreeError::Missing { file } => (Code::Corrupt, file.to_hex()),
            TreeError::Store { file, code, .. } => (code, file.to_hex()),
            TreeError::Malformed { key, .. } => (Code::Corrupt, key.escape_ascii().to_string()),
            TreeError::Unwritable { key, .. } => (Code::LimitExceeded, key.escape_ascii().to_string()),
            TreeError::Unordered { key, .. } => (Code::Internal, key.escape_ascii().to_string()),
        };
        Self::new(code, subject, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_names_its_subject_and_says_what_to_do() {
        let file = FileId::from(RangeId::from_bytes([7; 32]));
        let missing = braid_types::Error::from(TreeError::Missing { file });
        assert_eq!((missing.code(), missing.subject()), (Code::Corrupt, "07".repeat(32).as_str()));

        let store = TreeError::Store { file, code: Code::Unavailable, reason: "gone".into() };
        assert!(store.is_retryable());
        assert!(!TreeError::corrupt(file, "bad").is_retryable());

        let unordered = TreeError::Unordered { previous: "b".into(), key: "a\n".into() };
        assert_eq!(unordered.to_string(), r"key 'a\n' does not come after 'b'");
    }

    #[test]
    fn an_error_of_the_source_passes_through_unchanged() {
        let original = braid_types::Error::new(Code::SnapshotExpired, "s", "too old");
        assert_eq!(braid_types::Error::from(TreeError::from(original.clone())), original);
    }
}
