//! Why a command ended without doing what it was asked.

use std::io;
use std::path::PathBuf;

use braid_client::TransferError;
use braid_types::{Code, Error};
use serde::Serialize;

use crate::exit::Exit;

/// Why a command ended without doing what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server or the object store refused, or could not be reached.
    #[error(transparent)]
    Service(#[from] Error),
    /// Something on this machine failed.
    #[error("cannot {what}: {source}")]
    Local {
        /// What was to be done to what.
        what: String,
        /// Why it cannot be done.
        source: io::Error,
    },
    /// A file or folder of this machine is not fit for what was asked.
    #[error("{0}")]
    Unfit(String),
    /// A setting makes no sense.
    #[error("{0}")]
    Setting(String),
    /// The configuration file makes no sense.
    #[error("configuration file '{}' cannot be used: {reason}", path.display())]
    ConfigFile {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The arguments contradict each other, or need another.
    #[error("{0}")]
    Usage(String),
    /// Results can no longer be written.
    #[error("cannot write results: {0}")]
    Output(io::Error),
    /// The user answered no.
    #[error("nothing was changed")]
    Declined,
    /// The user interrupted the command.
    #[error("interrupted")]
    Interrupted,
}

impl Failure {
    /// The failure of doing `what` on this machine.
    pub(crate) fn local(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let what = what.into();
        move |source| Self::Local { what, source }
    }

    /// The failure of a server that said nothing of how `what` ended.
    pub(crate) fn cut_off(what: &str) -> Self {
        let message = format!("the server ended the {what} without saying how");
        Self::Service(Error::new(Code::Internal, "server", message).that_may_have_happened())
    }

    /// How a command ends that fails so.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) | Self::Setting(_) | Self::ConfigFile { .. } => Exit::Usage,
            // Whoever read the results has read enough of them.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
            Self::Service(_) | Self::Local { .. } | Self::Unfit(_) | Self::Output(_) | Self::Declined => {
                Exit::Refused
            }
            Self::Interrupted => Exit::Interrupted,
        }
    }

    /// The name of what went wrong: the server's codes, and a few of this program's own.
    fn code(&self) -> &'static str {
        match self {
            Self::Service(error) => error.code().name(),
            Self::Local { .. } | Self::Unfit(_) | Self::Output(_) => "local_failure",
            Self::Usage(_) | Self::Setting(_) | Self::ConfigFile { .. } => "usage",
            Self::Declined => "declined",
            Self::Interrupted => "interrupted",
        }
    }

    /// The failure for programs.
    pub(crate) fn to_json(&self) -> String {
        let service = if let Self::Service(error) = self { Some(error) } else { None };
        let facts = Facts {
            code: self.code(),
            subject: service.map(Error::subject).unwrap_or_default(),
            message: &self.to_string(),
            retryable: service.is_some_and(Error::is_retryable),
            may_have_happened: service.is_some_and(Error::may_have_happened),
        };
        serde_json::to_string(&Document { error: facts }).expect("strings and booleans are JSON")
    }
}

impl From<TransferError> for Failure {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Service(error) => Self::Service(error),
            TransferError::Source { path, source } => {
                Self::Local { what: format!("read the data to upload to '{path}'"), source }
            }
            TransferError::Sink { path, source } => {
                Self::Local { what: format!("write the data of '{path}'"), source }
            }
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    error: Facts<'a>,
}

#[derive(Serialize)]
struct Facts<'a> {
    code: &'a str,
    subject: &'a str,
    message: &'a str,
    retryable: bool,
    may_have_happened: bool,
}

#[cfg(test)]
mod tests {
    use braid_types::Code;

    use super::*;

    #[test]
    fn programs_get_every_fact() {
        let error = Error::new(Code::Unavailable, "main", "it is \"gone\"").that_may_have_happened();
        let document: serde_json::Value = serde_json::from_str(&Failure::from(error).to_json()).unwrap();
        let expected = serde_json::json!({"error": {
            "code": "unavailable", "subject": "main", "message": "it is \"gone\"",
            "retryable": true, "may_have_happened": true,
        }});
        assert_eq!(document, expected);
        let declined: serde_json::Value = serde_json::from_str(&Failure::Declined.to_json()).unwrap();
        assert_eq!(declined["error"]["code"], "declined");
        assert_eq!(declined["error"]["may_have_happened"], false);
    }

    #[test]
    fn a_reader_that_has_enough_is_no_failure() {
        let output = |kind| Failure::Output(io::Error::from(kind)).exit();
        assert_eq!(output(io::ErrorKind::BrokenPipe), Exit::Done);
        assert_eq!(output(io::ErrorKind::StorageFull), Exit::Refused);
    }
}
