//! From the object store's failures to those of trees.

use braid_objects::ObjectError;
use braid_tree::{FileId, TreeError};
use braid_types::Code;

/// The failure of a request for a file. Writing a file again is harmless, so a lost reply is only one more reason to
/// try again.
pub(crate) fn tree_error(file: FileId, error: &ObjectError) -> TreeError {
    let code = match error {
        ObjectError::NotFound { .. } => return TreeError::Missing { file },
        ObjectError::Damaged { reason, offset, .. } => {
            return TreeError::Corrupt { file, what: reason.clone(), offset: *offset };
        }
        ObjectError::NoSpace { .. } => Code::StorageFull,
        ObjectError::Timeout { .. } => Code::DeadlineExceeded,
        ObjectError::Unavailable { .. } | ObjectError::Unknown { .. } => Code::Unavailable,
        _ => Code::Internal,
    };
    TreeError::Store { file, code, reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use braid_types::RangeId;

    use super::*;

    #[test]
    fn a_failure_can_be_retried_if_the_object_stores_can() {
        let file = FileId::Range(RangeId::from_bytes([1; 32]));
        let key = || "k".to_owned();
        let reason = || "r".to_owned();
        for error in [
            ObjectError::Timeout { key: key() },
            ObjectError::Unavailable { key: key(), reason: reason() },
            ObjectError::Unknown { key: key(), reason: reason() },
            ObjectError::NotFound { key: key() },
            ObjectError::Damaged { key: key(), reason: reason(), offset: None },
            ObjectError::Denied { key: key(), reason: reason() },
            ObjectError::Io { key: key(), reason: reason() },
        ] {
            assert_eq!(tree_error(file, &error).is_retryable(), error.is_retryable(), "{error}");
        }
    }
}
