//! The access key that calls are made with.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use braid_types::{Code, Error};
use tonic::metadata::{Ascii, MetadataValue};

/// An access key: its id and its secret. The secret is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    access_key_id: String,
    secret: String,
}

impl Credentials {
    /// The access key with this id and secret.
    ///
    /// # Errors
    /// `invalid_argument` if the id is empty or holds a `:`, which ends it on the wire.
    pub fn new(access_key_id: impl Into<String>, secret: impl Into<String>) -> Result<Self, Error> {
        let (access_key_id, secret) = (access_key_id.into(), secret.into());
        if access_key_id.is_empty() || access_key_id.contains(':') {
            let message = format!("access key id '{access_key_id}' must not be empty or hold a ':'");
            return Err(Error::new(Code::InvalidArgument, access_key_id, message));
        }
        Ok(Self { access_key_id, secret })
    }

    /// The key's id.
    pub fn access_key_id(&self) -> &str {
        &self.access_key_id
    }

    /// The value of the `authorization` header: HTTP's basic scheme.
    pub(crate) fn header(&self) -> MetadataValue<Ascii> {
        let encoded = STANDARD.encode(format!("{}:{}", self.access_key_id, self.secret));
        let mut value: MetadataValue<Ascii> =
            format!("Basic {encoded}").parse().expect("base64 is made of characters that headers may hold");
        value.set_sensitive(true);
        value
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_basic_authentication_and_secrets_stay_hidden() {
        let key = Credentials::new("Aladdin", "open sesame").unwrap();
        assert_eq!(key.header(), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert!(key.header().is_sensitive());
        assert!(!format!("{key:?}").contains("sesame"));
    }

    #[test]
    fn ids_that_would_be_read_otherwise_are_refused() {
        for id in ["", "a:b"] {
            assert_eq!(Credentials::new(id, "s").unwrap_err().code(), Code::InvalidArgument);
        }
    }
}
