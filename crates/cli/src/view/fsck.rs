//! What a check found.

use std::fmt;

use braid_client::{FaultSubject, FsckFault, FsckProgress};
use serde::Serialize;

use crate::text::{Count, Plain, Size};

/// Something that is wrong.
#[derive(Serialize)]
pub(crate) struct FaultView {
    fault: Fault,
}

#[derive(Serialize)]
struct Fault {
    kind: &'static str,
    subject: String,
    offset: Option<u64>,
    what: String,
}

impl From<FsckFault> for FaultView {
    fn from(fault: FsckFault) -> Self {
        let kind = match fault.kind {
            FaultSubject::File => "file",
            FaultSubject::Commit => "commit",
            FaultSubject::Branch => "branch",
            FaultSubject::Tag => "tag",
        };
        Self { fault: Fault { kind, subject: fault.subject, offset: fault.offset, what: fault.what } }
    }
}

impl fmt::Display for FaultView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { kind, subject, offset, what } = &self.fault;
        write!(f, "fault: {kind} {}", Plain(subject))?;
        if let Some(offset) = offset {
            write!(f, " at byte {offset}")?;
        }
        write!(f, ": {}", Plain(what))
    }
}

/// What was checked.
#[derive(Serialize)]
pub(crate) struct FsckSummary {
    summary: Checked,
}

#[derive(Serialize)]
struct Checked {
    commits: u64,
    trees: u64,
    files: u64,
    bytes: u64,
    entries: u64,
    faults: u64,
    /// Known only in the end.
    #[serde(skip)]
    files_total: u64,
}

impl FsckSummary {
    pub(crate) fn new(progress: FsckProgress, faults: u64) -> Self {
        let FsckProgress { commits, trees, files, files_total, bytes, entries, .. } = progress;
        Self { summary: Checked { commits, trees, files, bytes, entries, faults, files_total } }
    }
}

impl fmt::Display for FsckSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checked { commits, trees, files, bytes, entries, faults, files_total } = &self.summary;
        write!(f, "checked {}, {}, ", Count(*commits, "commit"), Count(*trees, "tree"))?;
        if files < files_total {
            write!(f, "{files} of ")?;
        }
        write!(f, "{} ({}, entries: {entries}): ", Count(*files_total.max(files), "file"), Size(*bytes))?;
        match faults {
            0 => write!(f, "no fault"),
            faults => write!(f, "{}", Count(*faults, "fault")),
        }
    }
}
