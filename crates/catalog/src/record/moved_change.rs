//! Change log of staged entries whose token is gone: `p | repository id | branch | 00 | stamp | token | lane | n` → the row as it was
//! under the [token](super::path_change).
//!
//! The stamp, lane and number are big endian, so a scan finds the changes of a branch in the order of their stamps, and those
//! of one transaction in the order of their numbers. Names of branches hold no NUL: none is the beginning of another's key.

use braid_kv::{KeyRange, Timestamp};
use braid_types::{BranchName, RepositoryId, Result, StagingToken};
use bytes::Bytes;

use super::key::{self, Table};
use super::{branch, value};

const WHAT: &str = "moved change record";

/// Whose change log a row is moved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owner {
    pub(crate) repository: RepositoryId,
    pub(crate) branch: BranchName,
}

/// Where in its token a row was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) token: StagingToken,
    pub(crate) lane: u16,
    pub(crate) number: u64,
}

impl Owner {
    /// The owner that a branch's key names.
    pub(crate) fn of_branch(key: &[u8]) -> Result<Self> {
        let id = key::rest(key, Table::Branch, &[])
            .and_then(|rest| rest.get(..16))
            .and_then(RepositoryId::from_slice);
        let repository = id.ok_or_else(|| value::corrupt(WHAT, "its branch's key is malformed"))?;
        Ok(Self { branch: branch::parse_key(&repository, key)?, repository })
    }

    /// The key of a row with this stamp.
    pub(crate) fn key(&self, stamp: Timestamp, origin: Origin) -> Bytes {
        let (stamp, lane) = (u64::from(stamp).to_be_bytes(), origin.lane.to_be_bytes());
        let (token, number) = (origin.token.as_bytes(), origin.number.to_be_bytes());
        let (repository, branch) = (self.repository.as_bytes(), self.branch.as_str().as_bytes());
        key::key(Table::PathChange, &[repository, branch, &[0], &stamp, token, &lane, &number])
    }

    /// Every moved row of the branches of this name, by stamp.
    #[cfg(test)]
    pub(crate) fn range(&self) -> KeyRange {
        let (repository, branch) = (self.repository.as_bytes(), self.branch.as_str().as_bytes());
        KeyRange::prefix(&key::key(Table::PathChange, &[repository, branch, &[0]]))
    }

    /// The stamp in a key made by [`Owner::key`], and where the row was.
    #[cfg(test)]
    pub(crate) fn parse_key(&self, key: &[u8]) -> Result<(Timestamp, Origin)> {
        let prefix = self.range().start;
        let parsed = key.strip_prefix(&prefix[..]).and_then(|fields| {
            let (stamp, rest) = fields.split_first_chunk()?;
            let (token, rest) = rest.split_at_checked(16)?;
            let (lane, number) = rest.split_first_chunk()?;
            let origin = Origin {
                token: StagingToken::from_slice(token)?,
                lane: u16::from_be_bytes(*lane),
                number: u64::from_be_bytes(number.try_into().ok()?),
            };
            Some((u64::from_be_bytes(*stamp).into(), origin))
        });
        parsed.ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
    }
}

/// Every moved row of a repository, by branch and stamp.
pub(crate) fn range(repository: &RepositoryId) -> KeyRange {
    KeyRange::prefix(&key::key(Table::PathChange, &[repository.as_bytes()]))
}
