//! Users and their access keys.

use std::fmt;

use braid_client::{AccessKey, NewAccessKey, User};
use serde::Serialize;

use crate::text::Plain;

/// A user on a line.
#[derive(Serialize)]
pub(crate) struct UserLine {
    name: String,
    created_at: String,
}

impl From<User> for UserLine {
    fn from(user: User) -> Self {
        Self { name: user.name, created_at: user.created_at.to_string() }
    }
}

impl fmt::Display for UserLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.created_at, Plain(&self.name))
    }
}

/// A key on a line.
#[derive(Serialize)]
pub(crate) struct KeyLine {
    id: String,
    user: String,
    created_at: String,
}

impl From<AccessKey> for KeyLine {
    fn from(key: AccessKey) -> Self {
        Self { id: key.id, user: key.user, created_at: key.created_at.to_string() }
    }
}

impl fmt::Display for KeyLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}  {}", self.created_at, Plain(&self.id))
    }
}

/// A key that was made, as lines for a shell.
#[derive(Serialize)]
pub(crate) struct NewKeyView {
    access_key_id: String,
    secret_access_key: String,
}

impl From<NewAccessKey> for NewKeyView {
    fn from(made: NewAccessKey) -> Self {
        Self { access_key_id: made.key.id, secret_access_key: made.secret }
    }
}

impl fmt::Display for NewKeyView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "export BRAID_ACCESS_KEY_ID={}", Plain(&self.access_key_id))?;
        write!(f, "export BRAID_SECRET_ACCESS_KEY={}", Plain(&self.secret_access_key))
    }
}
