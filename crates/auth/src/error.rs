//! What can go wrong with keys.

use braid_kv::{Conflict, KvError};
use braid_types::{Code, Error};

/// Why a key was not made or not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// There is no such key, or the secret is not its. Which of both is not said.
    #[error("the access key is not known, or the secret is wrong")]
    Unauthenticated,
    /// A user's name breaks the rule for them.
    #[error("'{}' is not a user name: 1 to {limit} bytes without control characters", name.escape_debug())]
    InvalidUser {
        /// The name.
        name: String,
        /// Most bytes it may have.
        limit: usize,
    },
    /// There is no such user.
    #[error("there is no user '{name}'")]
    UserNotFound {
        /// The name.
        name: String,
    },
    /// A user of that name exists.
    #[error("there is a user '{name}' already")]
    UserExists {
        /// The name.
        name: String,
    },
    /// The user has no such key.
    #[error("user '{user}' has no access key '{id}'")]
    KeyNotFound {
        /// The user.
        user: String,
        /// The key's id.
        id: String,
    },
    /// The user has as many keys as a user may have.
    #[error("user '{user}' has {limit} access keys, which is the most there may be")]
    TooManyKeys {
        /// The user.
        user: String,
        /// The limit.
        limit: usize,
    },
    /// What was given is no key.
    #[error("'{id}' is no access key: its id has 3 to 20 letters or digits, its secret 8 to 255 characters")]
    InvalidKey {
        /// The key's id.
        id: String,
    },
    /// A key was made before.
    #[error("the installation has its first access key already")]
    AlreadySetUp,
    /// What is stored was sealed under another master key.
    #[error("the master key is not the one that this store's secrets were sealed under")]
    WrongMasterKey,
    /// A stored record is not what was written.
    #[error("the stored record '{record}' cannot be read: {reason}")]
    Corrupt {
        /// Which record.
        record: String,
        /// How that shows.
        reason: String,
    },
    /// A stored record was written by a newer version.
    #[error("the stored record '{record}' has format {found}; this version reads up to {supported}")]
    Format {
        /// Which record.
        record: String,
        /// Its format.
        found: u8,
        /// The newest format that is understood.
        supported: u8,
    },
    /// Other transactions came first, again and again; nothing happened.
    #[error("could not write '{record}': {conflict}")]
    Contended {
        /// Which record.
        record: String,
        /// What stood in the way last.
        conflict: Conflict,
    },
    /// Whether the record was written is not known.
    #[error("whether '{record}' was written is not known: {reason}")]
    Unknown {
        /// Which record.
        record: String,
        /// What was met.
        reason: String,
    },
    /// The store failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

impl From<AuthError> for Error {
    fn from(error: AuthError) -> Self {
        let message = error.to_string();
        match error {
            AuthError::Unauthenticated => Error::new(Code::Unauthenticated, "access key", message),
            AuthError::InvalidUser { name, .. } => Error::new(Code::InvalidName, name, message),
            AuthError::UserNotFound { name } => Error::new(Code::UserNotFound, name, message),
            AuthError::UserExists { name } => Error::new(Code::UserExists, name, message),
            AuthError::KeyNotFound { id, .. } => Error::new(Code::KeyNotFound, id, message),
            AuthError::TooManyKeys { user, .. } => Error::new(Code::LimitExceeded, user, message),
            AuthError::InvalidKey { id } => Error::new(Code::InvalidArgument, id, message),
            AuthError::AlreadySetUp => Error::new(Code::UserExists, "installation", message),
            AuthError::WrongMasterKey => Error::new(Code::PreconditionFailed, "master key", message),
            AuthError::Corrupt { record, .. } => Error::new(Code::Corrupt, record, message),
            AuthError::Format { record, .. } => Error::new(Code::UnsupportedFormat, record, message),
            AuthError::Contended { record, .. } => Error::new(Code::Conflict, record, message),
            AuthError::Unknown { record, .. } => Error::new(Code::OutcomeUnknown, record, message),
            AuthError::Kv(error) => error.into(),
        }
    }
}
