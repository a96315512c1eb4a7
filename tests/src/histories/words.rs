//! What clients ask for, and what they are told.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What paths hold.
pub(super) type Tree = Arc<BTreeMap<String, String>>;

/// Which state is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// Of a branch, with what is not committed.
    Working,
    /// Of a branch, the newest commit.
    Head,
    /// What a tag names.
    Tag,
}

/// What one step of a transaction does to a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Write {
    pub(super) branch: String,
    pub(super) path: String,
    /// `None` deletes.
    pub(super) value: Option<String>,
    /// There must be nothing before.
    pub(super) if_absent: bool,
}

/// Where a head is to move.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum To {
    /// So many first parents back.
    Back(u32),
    /// To the head that another branch has.
    Head(String),
}

/// What an import brings.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Source {
    /// A directory becomes two files with this value; `None` leaves nothing in it.
    Directory { to: String, value: Option<String> },
    /// A file gets this value.
    Object { to: String, value: String },
}

/// The files of every directory that is imported.
pub(super) const IMPORTED: [&str; 2] = ["y", "z"];

/// One of the things that are done together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Member {
    Commit {
        branch: String,
    },
    /// Of what the members before it left of the source, if they commit it.
    Merge {
        source: String,
        destination: String,
    },
    Back {
        branch: String,
        by: u32,
    },
    /// Of a branch that a member before it commits.
    Tag {
        name: String,
        branch: String,
    },
}

/// What a client asks for. A branch of the second repository is called `pond/main`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    Get {
        branch: String,
        of: Of,
        path: String,
    },
    List {
        branch: String,
        of: Of,
    },
    /// The same in pages of a few paths, by token.
    Pages {
        branch: String,
        of: Of,
    },
    /// One put or delete, or several on several branches, together with paths at which there must be nothing.
    Apply {
        writes: Vec<Write>,
        absent: Vec<(String, String)>,
    },
    /// Renames a directory to where nothing may be.
    Move {
        branch: String,
        from: String,
        to: String,
    },
    /// Deletes everything under a prefix.
    Erase {
        branch: String,
        prefix: String,
    },
    /// Gives paths to objects that are in a bucket.
    Import {
        branch: String,
        sources: Vec<Source>,
        /// As a commit, on a clean branch.
        commit: bool,
    },
    Reset {
        branch: String,
    },
    Commit {
        branch: String,
    },
    Merge {
        source: String,
        destination: String,
    },
    /// Moves the head of a clean branch to a commit that is there.
    HardReset {
        branch: String,
        to: To,
    },
    /// All of these or none. What is committed is what the branches held at one moment.
    Set {
        members: Vec<Member>,
    },
    CreateBranch {
        name: String,
        source: String,
    },
    DeleteBranch {
        name: String,
    },
}

/// What a client was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    /// It was done.
    Done,
    /// What a path holds.
    Value(Option<String>),
    /// What a branch holds.
    Content(Tree),
    /// What a branch holds up to and with a path; the token of what follows was refused as too old, or nobody could be reached.
    Beginning(Tree, String),
    /// A page of a state so old that its token had to be refused.
    Late,
    /// There is no such branch.
    NoBranch,
    /// A branch of that name is there already.
    BranchExists,
    /// What had to be absent is not.
    Refused,
    /// There was nothing to delete or to move, or no commit so far back.
    Nothing,
    /// Whether it was, or ever will be, done is not known.
    Unknown,
    /// It was not done, for a reason that says nothing of the lake.
    Failed,
}

impl Ask {
    /// What it takes at its first moment of two.
    pub(super) fn takes(&self) -> Vec<(&str, Of)> {
        match self {
            Self::Commit { branch } => vec![(branch, Of::Working)],
            Self::Merge { source, .. }
            | Self::CreateBranch { source, .. }
            | Self::HardReset { to: To::Head(source), .. } => vec![(source, Of::Head)],
            Self::Set { members } => taken_by(members),
            _ => Vec::new(),
        }
    }
}

/// What members take that those before them do not make.
fn taken_by(members: &[Member]) -> Vec<(&str, Of)> {
    let mut taken: Vec<(&str, Of)> = Vec::new();
    for member in members {
        let take = match member {
            Member::Commit { branch } => (branch.as_str(), Of::Working),
            Member::Merge { source, .. } => (source.as_str(), Of::Head),
            Member::Back { .. } | Member::Tag { .. } => continue,
        };
        if !taken.iter().any(|(branch, _)| *branch == take.0) {
            taken.push(take);
        }
    }
    taken
}
