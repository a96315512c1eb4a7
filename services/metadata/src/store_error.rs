//! What a caller sees of an object store's failure.

use braid_objects::ObjectError;
use braid_types::Error;

/// The failure of a request about `subject`: the path, address or namespace that the caller knows.
pub(crate) fn store_error(error: &ObjectError, subject: &str) -> Error {
    error.about(subject)
}
