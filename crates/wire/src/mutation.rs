//! Request ids: what lets a mutation be sent again without being done again.

use braid_types::{Error, RequestId};

/// A generated request that changes something.
pub trait Mutation {
    /// The id the caller gave the request; none if the caller gave none.
    ///
    /// # Errors
    /// `invalid_argument` if it is too long or holds anything but printable ASCII.
    fn request_id(&self) -> Result<Option<RequestId>, Error>;

    /// Names the request.
    fn set_request_id(&mut self, id: &RequestId);
}

/// Implements [`Mutation`] for a generated request with a `request_id`.
macro_rules! mutation {
    ($proto:ident) => {
        impl crate::Mutation for crate::proto::$proto {
            fn request_id(&self) -> Result<Option<braid_types::RequestId>, braid_types::Error> {
                crate::mutation::read(&self.request_id)
            }

            fn set_request_id(&mut self, id: &braid_types::RequestId) {
                id.as_str().clone_into(&mut self.request_id);
            }
        }
    };
}
pub(crate) use mutation;

/// Reads a request id; an empty one is none.
pub(crate) fn read(text: &str) -> Result<Option<RequestId>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    crate::field::in_field("request_id", RequestId::new(text).map(Some))
}
