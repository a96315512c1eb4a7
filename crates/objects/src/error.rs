//! What can go wrong, with the key it went wrong on.

use braid_types::{Code, Error};

/// Why a request to an object store failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// There is no such object.
    #[error("no object \"{key}\"")]
    NotFound {
        /// The key asked for.
        key: String,
    },
    /// The key is taken, and the write was not to replace anything.
    #[error("object \"{key}\" already exists")]
    AlreadyExists {
        /// The key to be written.
        key: String,
    },
    /// The object is not the one that the write was to replace.
    #[error("object \"{key}\" is not the one expected: it has etag {found:?}")]
    Changed {
        /// The key to be written.
        key: String,
        /// Its entity tag; `None` if there is no such object.
        found: Option<String>,
    },
    /// The store refuses these credentials, or they lack the right.
    #[error("access to \"{key}\" denied: {reason}")]
    Denied {
        /// The key asked for.
        key: String,
        /// What the store said.
        reason: String,
    },
    /// The key breaks a rule for keys.
    #[error("invalid key \"{key}\": {rule}")]
    InvalidKey {
        /// The key asked for.
        key: String,
        /// The rule.
        rule: String,
    },
    /// No byte of the object is in the range.
    #[error("the range asked for has no byte of object \"{key}\"")]
    InvalidRange {
        /// The key asked for.
        key: String,
    },
    /// There is no such upload in parts: it was completed or aborted, or never begun.
    #[error("no such upload of \"{key}\"")]
    NoSuchUpload {
        /// The key of the object to be.
        key: String,
    },
    /// An upload cannot be completed with these parts.
    #[error("the parts of \"{key}\" do not make an object: {rule}")]
    InvalidPart {
        /// The key of the object to be.
        key: String,
        /// What is wrong with them.
        rule: String,
    },
    /// What was to be written failed before its end; nothing was written.
    #[error("the content of \"{key}\" broke off: {reason}")]
    BrokenOff {
        /// The key to be written.
        key: String,
        /// What the source said.
        reason: String,
    },
    /// The request breaks another rule.
    #[error("invalid request for \"{key}\": {rule}")]
    InvalidRequest {
        /// The key asked for.
        key: String,
        /// The rule.
        rule: String,
    },
    /// The store does not do this.
    #[error("cannot {what} \"{key}\" here")]
    Unsupported {
        /// The key asked for.
        key: String,
        /// What it does not do, as a verb.
        what: String,
    },
    /// No answer came in time; the request may still be carried out.
    #[error("no answer in time about \"{key}\"")]
    Timeout {
        /// The key asked for.
        key: String,
    },
    /// The store could not take the request now and did nothing.
    #[error("store unavailable for \"{key}\": {reason}")]
    Unavailable {
        /// The key asked for.
        key: String,
        /// What the store said.
        reason: String,
    },
    /// The answer was lost: the request may have been carried out or not.
    #[error("outcome unknown for \"{key}\": {reason}")]
    Unknown {
        /// The key asked for.
        key: String,
        /// How it was lost.
        reason: String,
    },
    /// The disk is full; nothing was written.
    #[error("no space left for \"{key}\"")]
    NoSpace {
        /// The key to be written.
        key: String,
    },
    /// What is stored is not what was written.
    #[error("object \"{key}\" is damaged: {reason}")]
    Damaged {
        /// The key asked for.
        key: String,
        /// How that shows.
        reason: String,
        /// Where in the object the damaged part begins, in bytes, where that is known.
        offset: Option<u64>,
    },
    /// The disk, or the store, failed before anything could be seen of the request.
    #[error("request for \"{key}\" failed: {reason}")]
    Io {
        /// The key asked for.
        key: String,
        /// What the system said.
        reason: String,
    },
}

impl ObjectError {
    /// What a caller sees of it who asked for something about `subject`: the path, address or namespace that they know.
    #[must_use]
    pub fn about(&self, subject: &str) -> Error {
        let code = match self {
            Self::NotFound { .. } => Code::DataNotFound,
            Self::AlreadyExists { .. } | Self::Changed { .. } => Code::Conflict,
            Self::NoSuchUpload { .. } => Code::UploadNotFound,
            Self::InvalidPart { .. } => Code::InvalidParts,
            Self::InvalidKey { .. }
            | Self::BrokenOff { .. }
            | Self::InvalidRequest { .. }
            | Self::Unsupported { .. } => Code::InvalidArgument,
            Self::Timeout { .. } | Self::Unavailable { .. } | Self::Unknown { .. } => Code::Unavailable,
            Self::NoSpace { .. } => Code::StorageFull,
            Self::Damaged { .. } => Code::Corrupt,
            Self::Denied { .. } | Self::InvalidRange { .. } | Self::Io { .. } => Code::Internal,
        };
        Error::new(code, subject, format!("the object store failed for '{subject}': {self}"))
    }

    /// The key that the failed request was about.
    #[must_use]
    pub fn key(&self) -> &str {
        match self {
            Self::NotFound { key }
            | Self::AlreadyExists { key }
            | Self::Changed { key, .. }
            | Self::Denied { key, .. }
            | Self::InvalidKey { key, .. }
            | Self::InvalidRange { key }
            | Self::NoSuchUpload { key }
            | Self::InvalidPart { key, .. }
            | Self::BrokenOff { key, .. }
            | Self::InvalidRequest { key, .. }
            | Self::Unsupported { key, .. }
            | Self::Timeout { key }
            | Self::Unavailable { key, .. }
            | Self::Unknown { key, .. }
            | Self::NoSpace { key }
            | Self::Damaged { key, .. }
            | Self::Io { key, .. } => key,
        }
    }

    /// Whether the same request may succeed later. A conditional write that [may have
    /// happened](Self::may_have_happened) needs a look at what is there first.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Unavailable { .. } | Self::Unknown { .. })
    }

    /// Whether a write that failed so may have been carried out all the same, now or later.
    #[must_use]
    pub fn may_have_happened(&self) -> bool {
        matches!(self, Self::Timeout { .. } | Self::Unknown { .. })
    }

    /// The same error about another name of the object: wrappers that change keys name the caller's.
    #[must_use]
    pub fn renamed(mut self, name: &str) -> Self {
        match &mut self {
            Self::NotFound { key }
            | Self::AlreadyExists { key }
            | Self::Changed { key, .. }
            | Self::Denied { key, .. }
            | Self::InvalidKey { key, .. }
            | Self::InvalidRange { key }
            | Self::NoSuchUpload { key }
            | Self::InvalidPart { key, .. }
            | Self::BrokenOff { key, .. }
            | Self::InvalidRequest { key, .. }
            | Self::Unsupported { key, .. }
            | Self::Timeout { key }
            | Self::Unavailable { key, .. }
            | Self::Unknown { key, .. }
            | Self::NoSpace { key }
            | Self::Damaged { key, .. }
            | Self::Io { key, .. } => name.clone_into(key),
        }
        self
    }
}
