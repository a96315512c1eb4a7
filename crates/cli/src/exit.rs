//! How a command ends.

use std::process::ExitCode;

/// The exit codes of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// 0: it was done.
    Done,
    /// 1: the server refused it, it could not be reached, or something on this machine failed.
    Refused,
    /// 2: the command was not understood; nothing was asked of the server.
    Usage,
    /// 3: a folder was transferred except for some files, which were named.
    Partial,
    /// 4: a check was made and found faults, which were named.
    Faulty,
    /// 130: the user interrupted it, as shells report it.
    Interrupted,
}

impl Exit {
    /// The number that the process ends with.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Faulty => 4,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
