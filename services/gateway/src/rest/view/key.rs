//! Access keys.

use braid_client::{AccessKey, NewAccessKey};
use serde::Serialize;
use utoipa::ToSchema;

use super::Listed;

/// An access key without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Credentials)]
pub(crate) struct KeyView {
    pub(crate) access_key_id: String,
    creation_date: i64,
}

/// A page of access keys.
pub(crate) type KeyList = Listed<KeyView>;

/// An access key that was just made, with the secret that is told only now.
#[derive(Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CredentialsWithSecret)]
pub(crate) struct NewKeyView {
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    pub(crate) creation_date: i64,
}

impl From<AccessKey> for KeyView {
    fn from(key: AccessKey) -> Self {
        Self { access_key_id: key.id, creation_date: key.created_at.seconds }
    }
}

impl From<NewAccessKey> for NewKeyView {
    fn from(made: NewAccessKey) -> Self {
        let KeyView { access_key_id, creation_date } = made.key.into();
        Self { access_key_id, secret_access_key: made.secret, creation_date }
    }
}
