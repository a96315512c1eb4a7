//! What keeps one file from being transferred, and whether it keeps the others as well.

use std::io;

use braid_client::TransferError;
use braid_types::{Code, Error};

use crate::failure::Failure;

/// What keeps a file from being transferred.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It concerns this file: the others can go on.
    This(Failure),
    /// It concerns all of them.
    All(Failure),
}

impl Trouble {
    /// Something about the file itself.
    pub(crate) fn this(reason: impl std::fmt::Display) -> Self {
        Self::This(Failure::Unfit(reason.to_string()))
    }

    /// The failure of a command that was about this file alone; `what` it was to do with the file.
    pub(crate) fn alone(self, what: &str) -> Failure {
        match self {
            Self::This(Failure::Unfit(reason)) => Failure::Unfit(format!("cannot {what}: {reason}")),
            Self::This(failure) | Self::All(failure) => failure,
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        if keeps_all(error.kind()) {
            return Self::All(Failure::Local { what: "go on".into(), source: error });
        }
        Self::this(error)
    }
}

impl From<Error> for Trouble {
    /// The client has tried as often as it makes sense: a server that is still away will be for the next file.
    fn from(error: Error) -> Self {
        let away = error.is_retryable() && error.code() != Code::Conflict;
        if away || error.may_have_happened() || error.code() == Code::Unauthenticated {
            return Self::All(error.into());
        }
        Self::This(error.into())
    }
}

impl From<TransferError> for Trouble {
    fn from(error: TransferError) -> Self {
        match error {
            TransferError::Service(error) => error.into(),
            TransferError::Source { source, .. } => Self::this(format_args!("it cannot be read: {source}")),
            TransferError::Sink { source, .. } if keeps_all(source.kind()) => source.into(),
            TransferError::Sink { source, .. } => Self::this(format_args!("it cannot be written: {source}")),
        }
    }
}

fn keeps_all(kind: io::ErrorKind) -> bool {
    use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(kind, StorageFull | QuotaExceeded | ReadOnlyFilesystem)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn concerns_all(error: impl Into<Trouble>) -> bool {
        matches!(error.into(), Trouble::All(_))
    }

    #[test]
    fn a_server_that_is_away_concerns_all() {
        for code in [Code::Unavailable, Code::Busy, Code::Unauthenticated, Code::OutcomeUnknown] {
            assert!(concerns_all(Error::new(code, "", "")), "{code}");
        }
        for code in [Code::Conflict, Code::Corrupt, Code::DataNotFound, Code::InvalidPath] {
            assert!(!concerns_all(Error::new(code, "", "")), "{code}");
        }
        assert!(concerns_all(Error::new(Code::Internal, "", "").that_may_have_happened()));
    }

    #[test]
    fn a_full_disk_concerns_all() {
        let sink = |kind| TransferError::Sink { path: "p".into(), source: io::Error::from(kind) };
        assert!(concerns_all(sink(io::ErrorKind::StorageFull)));
        assert!(!concerns_all(sink(io::ErrorKind::PermissionDenied)));
        assert!(concerns_all(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)));
        assert!(!concerns_all(io::Error::from(io::ErrorKind::NotFound)));
    }
}
