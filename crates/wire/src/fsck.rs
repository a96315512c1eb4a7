//! Checks of what is stored: what to check, what is wrong, and how far it has come.

use braid_types::{Code, Error, RefExpression, RepositoryName};

use crate::field::{Field, conversions, enumeration, in_field, message};
use crate::page::batch;
use crate::proto;

/// Asks for a check of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fsck {
    /// Which one.
    pub repository: RepositoryName,
    /// The commit to check; the heads of all branches and all tags if it is not given.
    pub reference: Option<RefExpression>,
    /// Whether to check everything that can be reached from there as well.
    pub history: bool,
}

/// What a fault is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultSubject {
    /// A stored file.
    File,
    /// A commit's record.
    Commit,
    /// A branch.
    Branch,
    /// A tag.
    Tag,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsckFault {
    /// What kind of thing it is in.
    pub kind: FaultSubject,
    /// The file's whole URI, the commit's id, or the name of the branch or tag.
    pub subject: String,
    /// Where in a file the damaged part begins, in bytes; none if it is about the file as a whole.
    pub offset: Option<u64>,
    /// What is wrong, for people.
    pub what: String,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FsckProgress {
    /// Commits whose records were checked.
    pub commits: u64,
    /// Trees whose files were all checked.
    pub trees: u64,
    /// Files that were checked.
    pub files: u64,
    /// Files that there are to check, as far as it is known.
    pub files_total: u64,
    /// Stored bytes of the files that were checked.
    pub bytes: u64,
    /// Entries that were read in them.
    pub entries: u64,
    /// Faults that were told.
    pub faults: u64,
}

/// What a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FsckEvent {
    /// Something is wrong.
    Fault(FsckFault),
    /// It has come so far; what comes last counts everything.
    Progress(FsckProgress),
}

message!(Fsck = FsckRequest { repository, reference, history });
message!(FsckFault = FsckFault { kind, subject, offset, what });
message!(FsckProgress = FsckProgress { commits, trees, files, files_total, bytes, entries, faults });
batch!(FsckEvent = FsckResponse.events);
conversions!(FsckEvent = FsckEvent);
enumeration!(FaultSubject = FaultSubject {
    File => File,
    Commit => Commit,
    Branch => Branch,
    Tag => Tag,
});

impl Field for FsckEvent {
    type Wire = proto::FsckEvent;

    fn read(wire: proto::FsckEvent) -> Result<Self, Error> {
        use proto::fsck_event::Event;
        match wire.event {
            Some(Event::Fault(fault)) => in_field("fault", Field::read(fault)).map(Self::Fault),
            Some(Event::Progress(progress)) => {
                in_field("progress", Field::read(progress)).map(Self::Progress)
            }
            None => Err(Error::new(
                Code::InvalidArgument,
                "event",
                "event: one of 'fault' and 'progress' must be given",
            )),
        }
    }

    fn write(self) -> proto::FsckEvent {
        use proto::fsck_event::Event;
        let event = match self {
            Self::Fault(fault) => Event::Fault(fault.write()),
            Self::Progress(progress) => Event::Progress(progress.write()),
        };
        proto::FsckEvent { event: Some(event) }
    }
}
