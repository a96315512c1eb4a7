//! Commit sets: what is done on several branches, all or none.

use braid_types::{Code, Error};

use crate::field::{Field, in_field, message};
use crate::page::batch;
use crate::{CommitBranch, CommitInfo, CreateTag, HardResetBranch, Merge, Mutation, proto};

/// Does all of it, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitSet {
    /// What to do, in order; each member sees what those before it left.
    pub members: Vec<SetMember>,
}

/// A member of a commit set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SetMember {
    /// Commits a branch's uncommitted changes.
    Commit(CommitBranch),
    /// Merges a ref into a branch.
    Merge(Merge),
    /// Moves a branch's head.
    HardReset(HardResetBranch),
    /// Makes a tag.
    Tag(CreateTag),
}

message!(CommitSet = CommitSetRequest { members } mutation);
batch!(CommitInfo = CommitSetResponse.commits);

impl Field for SetMember {
    type Wire = proto::CommitSetMember;

    fn read(wire: proto::CommitSetMember) -> Result<Self, Error> {
        use proto::commit_set_member::Member as Wire;
        match wire.member {
            Some(Wire::Commit(commit)) => in_field("commit", alone(commit)).map(Self::Commit),
            Some(Wire::Merge(merge)) => in_field("merge", alone(merge)).map(Self::Merge),
            Some(Wire::HardReset(reset)) => in_field("hard_reset", alone(reset)).map(Self::HardReset),
            Some(Wire::Tag(tag)) => in_field("tag", alone(tag)).map(Self::Tag),
            None => {
                let message = "member: one of 'commit', 'merge', 'hard_reset' and 'tag' must be given";
                Err(Error::new(Code::InvalidArgument, "member", message))
            }
        }
    }

    fn write(self) -> proto::CommitSetMember {
        use proto::commit_set_member::Member as Wire;
        let member = match self {
            Self::Commit(commit) => Wire::Commit(commit.write()),
            Self::Merge(merge) => Wire::Merge(merge.write()),
            Self::HardReset(reset) => Wire::HardReset(reset.write()),
            Self::Tag(tag) => Wire::Tag(tag.write()),
        };
        proto::CommitSetMember { member: Some(member) }
    }
}

/// Reads a member, which has no request id of its own.
fn alone<T: Field>(wire: T::Wire) -> Result<T, Error>
where
    T::Wire: Mutation,
{
    match wire.request_id()? {
        None => T::read(wire),
        Some(id) => {
            let message = "request_id: it must be empty: the id of the set counts for all members";
            Err(Error::new(Code::InvalidArgument, id.as_str(), message))
        }
    }
}
