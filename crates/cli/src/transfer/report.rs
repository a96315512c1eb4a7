//! What became of each file of a folder, and of all of them.

use std::fmt;

use serde::Serialize;

use crate::console::Console;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::options::OutputFormat;
use crate::text::{Count, Plain, Size};
use crate::transfer::Trouble;

/// What became of one file.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// It was transferred.
    Done { path: String, size: u64 },
    /// It was left out, as the user chose.
    Skipped { path: String, reason: String },
    /// It was not transferred.
    Failed { path: String, reason: String },
}

impl Outcome {
    /// What the transfer of the file at `path` ended with: its size or its trouble. Trouble of all files is the command's.
    pub(crate) fn of(path: impl Into<String>, ended: Result<u64, Trouble>) -> Result<Self, Failure> {
        let path = path.into();
        match ended {
            Ok(size) => Ok(Self::Done { path, size }),
            Err(Trouble::This(reason)) => Ok(Self::Failed { path, reason: reason.to_string() }),
            Err(Trouble::All(failure)) => Err(failure),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Done { path, size } => write!(f, "{} ({})", Plain(path), Size(*size)),
            Self::Skipped { path, reason } => write!(f, "skipped: {}: {}", Plain(path), Plain(reason)),
            Self::Failed { path, reason } => write!(f, "failed: {}: {}", Plain(path), Plain(reason)),
        }
    }
}

/// What became of all files so far.
#[derive(Debug, Serialize)]
pub(crate) struct Tally {
    /// What is done to files, as a participle.
    #[serde(skip)]
    verb: &'static str,
    files: u64,
    bytes: u64,
    skipped: u64,
    failed: u64,
}

#[derive(Serialize)]
struct Summary<'a> {
    summary: &'a Tally,
}

impl Tally {
    /// Of files that are to be `verb`: `uploaded`, `downloaded`.
    pub(crate) fn new(verb: &'static str) -> Self {
        Self { verb, files: 0, bytes: 0, skipped: 0, failed: 0 }
    }

    /// Whether there was no file at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.files + self.skipped + self.failed == 0
    }

    /// Counts `outcome` and shows it: trouble always, success unless progress is drawn instead.
    pub(crate) async fn take(&mut self, outcome: Outcome, console: &mut Console) -> Result<(), Failure> {
        self.count(&outcome);
        let json = console.format == OutputFormat::Json;
        match &outcome {
            Outcome::Done { .. } if console.draws => return Ok(()),
            Outcome::Done { .. } => console.report(&outcome).await?,
            _ if json => console.show(&outcome).await?,
            Outcome::Skipped { .. } => console.note(&outcome),
            Outcome::Failed { .. } => console.say(&outcome),
        }
        console.flush().await
    }

    fn count(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Done { size, .. } => {
                self.files += 1;
                self.bytes += size;
            }
            Outcome::Skipped { .. } => self.skipped += 1,
            Outcome::Failed { .. } => self.failed += 1,
        }
    }

    /// Shows the sum, and says how the command ends.
    pub(crate) async fn finish(&self, console: &mut Console) -> Result<Exit, Failure> {
        console.bar.finish_and_clear();
        console.report(&Summary { summary: self }).await?;
        Ok(if self.failed == 0 { Exit::Done } else { Exit::Partial })
    }

    /// Notes what was done before the command failed.
    pub(crate) fn break_off(&self, console: &mut Console) {
        if self.files > 0 {
            console.note(format_args!("{} were {} before this failed", Count(self.files, "file"), self.verb));
        }
    }
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tally = self.summary;
        write!(f, "{} {} ({})", tally.verb, Count(tally.files, "file"), Size(tally.bytes))?;
        if tally.skipped > 0 {
            write!(f, ", skipped {}", tally.skipped)?;
        }
        if tally.failed > 0 {
            write!(f, ", failed {}", tally.failed)?;
        }
        Ok(())
    }
}
