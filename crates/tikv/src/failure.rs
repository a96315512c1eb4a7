//! Why one try of something failed, and what follows from it.

use crate::Error;
use crate::patience::Pause;

/// Why one try failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Another try may do better.
    Again(Setback),
    /// No other try would.
    Never(Error),
}

/// A failure that may pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setback {
    /// When to try again.
    pub(crate) pause: Pause,
    /// What was met, in words.
    pub(crate) cause: String,
    /// Whether the request may have been carried out all the same, or still be.
    pub(crate) unsure: bool,
    /// Whether the answer was larger than this client accepts: less has to be asked for.
    pub(crate) oversized: bool,
}

impl Failure {
    /// Try again after a pause; nothing was done.
    pub(crate) fn again(cause: impl Into<String>) -> Self {
        Self::Again(Setback::new(Pause::Growing, cause))
    }

    /// Whether the request may have been carried out all the same, or still be.
    pub(crate) fn is_unsure(&self) -> bool {
        matches!(self, Self::Again(setback) if setback.unsure)
    }
}

impl Setback {
    /// Try again as `pause` says; nothing was done.
    pub(crate) fn new(pause: Pause, cause: impl Into<String>) -> Self {
        Self { pause, cause: cause.into(), unsure: false, oversized: false }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Never(error)
    }
}
