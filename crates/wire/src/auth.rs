//! Users and their access keys.

use std::fmt;

use braid_types::Time;

use crate::field::message;

/// Somebody who may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// When the user was made.
    pub created_at: Time,
}

/// An access key without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub user: String,
    /// When it was made.
    pub created_at: Time,
}

/// An access key that was made just now.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccessKey {
    /// The key.
    pub key: AccessKey,
    /// Its secret; never shown by `Debug`.
    pub secret: String,
}

/// Makes a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateUser {
    /// The name.
    pub name: String,
}

/// Asks for a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetUser {
    /// The name.
    pub name: String,
}

/// Asks for some users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListUsers {
    /// Only names that begin with it.
    pub prefix: String,
    /// Only names after it.
    pub after: String,
    /// At most so many.
    pub page_size: Option<u32>,
}

/// Some users, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Users {
    /// The users.
    pub users: Vec<User>,
    /// Whether more follow.
    pub more: bool,
}

/// Deletes a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteUser {
    /// The name.
    pub name: String,
}

/// Makes a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateAccessKey {
    /// For whom.
    pub user: String,
}

/// Asks for a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetAccessKey {
    /// Whose.
    pub user: String,
    /// Its id.
    pub id: String,
}

/// Asks for some of a user's keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListAccessKeys {
    /// Whose.
    pub user: String,
    /// Only ids that begin with it.
    pub prefix: String,
    /// Only ids after it.
    pub after: String,
    /// At most so many.
    pub page_size: Option<u32>,
}

/// Some keys, by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKeys {
    /// The keys.
    pub keys: Vec<AccessKey>,
    /// Whether more follow.
    pub more: bool,
}

/// Deletes a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeleteAccessKey {
    /// Whose.
    pub user: String,
    /// Its id.
    pub id: String,
}

message!(User = User { name, created_at: required });
message!(AccessKey = AccessKey { id, user, created_at: required });
message!(NewAccessKey = NewAccessKey { key: required, secret });
message!(CreateUser = CreateUserRequest { name });
message!(GetUser = GetUserRequest { name });
message!(ListUsers = ListUsersRequest { prefix, after, page_size });
message!(Users = ListUsersResponse { users, more });
message!(DeleteUser = DeleteUserRequest { name });
message!(CreateAccessKey = CreateAccessKeyRequest { user });
message!(GetAccessKey = GetAccessKeyRequest { user, id });
message!(ListAccessKeys = ListAccessKeysRequest { user, prefix, after, page_size });
message!(AccessKeys = ListAccessKeysResponse { keys, more });
message!(DeleteAccessKey = DeleteAccessKeyRequest { user, id });

impl fmt::Debug for NewAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewAccessKey").field("key", &self.key).finish_non_exhaustive()
    }
}
