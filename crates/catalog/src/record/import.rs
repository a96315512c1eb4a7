//! Imports: `j | repository id | import id` → what is to be imported, how far that is, and who does it.
//!
//! Whoever runs an import has its lease, which is part of the row: a run whose number is not the row's newest may not write it.

use std::collections::BTreeMap;

use braid_kv::KeyRange;
use braid_types::{
    BranchName, Code, CommitId, Error, ImportId, MetarangeId, ObjectPath, PathPrefix, RepositoryId,
    RequestId, Result, Time,
};
use bytes::Bytes;
use prost::Message;

use super::key::{self, Table};
use super::lease::LeaseRecord;
use super::value::{self, StoredMap, StoredTime};
use crate::mutation::Mutation;

const WHAT: &str = "import record";

/// What is imported, and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportSource {
    /// All objects whose addresses begin with a URI. The part of an address after the URI's last `/` is put after the destination.
    Prefix {
        /// `s3://bucket/prefix`; the prefix may be empty and may end in the middle of a name.
        uri: String,
        /// A directory, which ends in `/`, or everything. What it has before is replaced.
        destination: PathPrefix,
    },
    /// One object.
    Object {
        /// `s3://bucket/key`.
        uri: String,
        /// Its path.
        destination: ObjectPath,
    },
}

/// The commit that an import is to make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportCommit {
    /// Who commits.
    pub committer: String,
    /// What the committer says of it.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportState {
    /// Objects are being listed, or the result is being published.
    Running,
    /// The branch has what was imported.
    Finished {
        /// The tree of the imported objects by their new paths; `None` if there were none.
        tree: Option<MetarangeId>,
        /// The commit that was made, if one was to be.
        commit: Option<CommitId>,
    },
    /// It ended without a change.
    Failed(Error),
    /// It was cancelled before it changed anything.
    Cancelled,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRecord {
    /// Its id.
    pub id: ImportId,
    /// The branch.
    pub branch: BranchName,
    /// What is imported.
    pub sources: Vec<ImportSource>,
    /// The commit to be made; without one the objects are left uncommitted.
    pub commit: Option<ImportCommit>,
    /// Who asked for it.
    pub by: Mutation,
    /// When that was.
    pub started: Time,
    /// When anything was last heard of it.
    pub updated: Time,
    /// How many objects were found so far. It begins anew when another node takes the import over.
    pub objects: u64,
    /// How far it is.
    pub state: ImportState,
    /// Who runs it.
    pub(crate) lease: Option<LeaseRecord>,
}

impl ImportRecord {
    /// Whether it is still to be done.
    pub fn is_running(&self) -> bool {
        self.state == ImportState::Running
    }
}

#[derive(Clone, PartialEq, Message)]
struct StoredImport {
    #[prost(string, tag = "1")]
    branch: String,
    #[prost(message, repeated, tag = "2")]
    sources: Vec<StoredSource>,
    #[prost(message, optional, tag = "3")]
    commit: Option<StoredCommit>,
    #[prost(string, tag = "4")]
    principal: String,
    #[prost(string, tag = "5")]
    request: String,
    #[prost(message, optional, tag = "6")]
    started: Option<StoredTime>,
    #[prost(message, optional, tag = "7")]
    updated: Option<StoredTime>,
    #[prost(uint64, tag = "8")]
    objects: u64,
    #[prost(enumeration = "Phase", tag = "9")]
    phase: i32,
    #[prost(bytes = "vec", tag = "10")]
    tree: Vec<u8>,
    #[prost(bytes = "vec", tag = "11")]
    made: Vec<u8>,
    #[prost(string, tag = "12")]
    code: String,
    #[prost(string, tag = "13")]
    subject: String,
    #[prost(string, tag = "14")]
    message: String,
    #[prost(bytes = "vec", tag = "15")]
    lease: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
enum Phase {
    Unknown = 0,
    Running = 1,
    Finished = 2,
    Failed = 3,
    Cancelled = 4,
}

#[derive(Clone, PartialEq, Message)]
struct StoredSource {
    #[prost(bool, tag = "1")]
    is_object: bool,
    #[prost(string, tag = "2")]
    uri: String,
    #[prost(string, tag = "3")]
    destination: String,
}

#[derive(Clone, PartialEq, Message)]
struct StoredCommit {
    #[prost(string, tag = "1")]
    committer: String,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(btree_map = "string, string", tag = "3")]
    metadata: StoredMap,
}

impl ImportRecord {
    pub(crate) fn encode(&self) -> Bytes {
        let commit = self.commit.clone().map(|commit| StoredCommit {
            committer: commit.committer,
            message: commit.message,
            metadata: commit.metadata,
        });
        let mut stored = StoredImport {
            branch: self.branch.to_string(),
            sources: self.sources.iter().map(StoredSource::from).collect(),
            commit,
            principal: self.by.principal.clone(),
            request: self.by.request.to_string(),
            started: Some(self.started.into()),
            updated: Some(self.updated.into()),
            objects: self.objects,
            lease: self.lease.map(|lease| lease.encode().to_vec()).unwrap_or_default(),
            ..StoredImport::default()
        };
        stored.set_state(&self.state);
        value::encode(&stored)
    }

    pub(crate) fn decode(id: ImportId, bytes: &[u8]) -> Result<Self> {
        let stored: StoredImport = value::decode(bytes, WHAT)?;
        let state = stored.state()?;
        let lease = match &stored.lease[..] {
            [] => None,
            bytes => Some(LeaseRecord::decode(bytes)?),
        };
        Ok(Self {
            id,
            branch: BranchName::new(stored.branch)?,
            sources: stored.sources.into_iter().map(StoredSource::source).collect::<Result<_>>()?,
            commit: stored.commit.map(|commit| ImportCommit {
                committer: commit.committer,
                message: commit.message,
                metadata: commit.metadata,
            }),
            by: Mutation { principal: stored.principal, request: RequestId::new(stored.request)? },
            started: value::time(stored.started),
            updated: value::time(stored.updated),
            objects: stored.objects,
            state,
            lease,
        })
    }
}

impl StoredImport {
    fn set_state(&mut self, state: &ImportState) {
        let phase = match state {
            ImportState::Running => Phase::Running,
            ImportState::Cancelled => Phase::Cancelled,
            ImportState::Finished { tree, commit } => {
                self.tree = value::tree_bytes(*tree);
                self.made = commit.map(|id| id.as_bytes().to_vec()).unwrap_or_default();
                Phase::Finished
            }
            ImportState::Failed(error) => {
                self.code = error.code().name().to_owned();
                self.subject = error.subject().to_owned();
                self.message = error.message().to_owned();
                Phase::Failed
            }
        };
        self.set_phase(phase);
    }

    fn state(&self) -> Result<ImportState> {
        Ok(match self.phase() {
            Phase::Unknown => return Err(value::corrupt(WHAT, "it does not say how far it is")),
            Phase::Running => ImportState::Running,
            Phase::Cancelled => ImportState::Cancelled,
            Phase::Finished => ImportState::Finished {
                tree: value::tree(&self.tree, WHAT)?,
                commit: match &self.made[..] {
                    [] => None,
                    bytes => Some(value::commit_id(bytes, WHAT)?),
                },
            },
            Phase::Failed => {
                // A newer version may have failures that this one does not know.
                let code = Code::from_name(&self.code).unwrap_or(Code::Internal);
                ImportState::Failed(Error::new(code, self.subject.clone(), self.message.clone()))
            }
        })
    }
}

impl From<&ImportSource> for StoredSource {
    fn from(source: &ImportSource) -> Self {
        let (is_object, uri, destination) = match source {
            ImportSource::Prefix { uri, destination } => (false, uri, destination.to_string()),
            ImportSource::Object { uri, destination } => (true, uri, destination.to_string()),
        };
        Self { is_object, uri: uri.clone(), destination }
    }
}

impl StoredSource {
    fn source(self) -> Result<ImportSource> {
        let Self { is_object, uri, destination } = self;
        Ok(match is_object {
            true => ImportSource::Object { uri, destination: ObjectPath::existing(destination)? },
            false => ImportSource::Prefix { uri, destination: PathPrefix::new(destination)? },
        })
    }
}

pub(crate) fn key(repository: &RepositoryId, id: &ImportId) -> Bytes {
    key::key(Table::Import, &[repository.as_bytes(), id.as_bytes()])
}

/// The repository and the id in a key.
pub(crate) fn parse_key(key: &[u8]) -> Result<(RepositoryId, ImportId)> {
    let parsed = || {
        let (repository, id) = key::rest(key, Table::Import, &[])?.split_first_chunk::<16>()?;
        Some((RepositoryId::from_bytes(*repository), ImportId::from_slice(id)?))
    };
    parsed().ok_or_else(|| value::corrupt(WHAT, "its key is malformed"))
}

/// The imports of a repository, or all.
pub(crate) fn range(repository: Option<&RepositoryId>) -> KeyRange {
    KeyRange::prefix(&match repository {
        Some(id) => key::key(Table::Import, &[id.as_bytes()]),
        None => key::key(Table::Import, &[]),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::record::lease::Holder;

    fn states(id: [u8; 32], text: String) -> [ImportState; 4] {
        let (tree, commit) = (Some(MetarangeId::from_bytes(id)), Some(CommitId::from_bytes(id)));
        [
            ImportState::Running,
            ImportState::Cancelled,
            ImportState::Finished { tree, commit },
            ImportState::Failed(Error::new(Code::DirtyBranch, text.clone(), text)),
        ]
    }

    proptest! {
        #[test]
        fn imports_round_trip(
            ids: [[u8; 16]; 2], tree: [u8; 32], text in ".{1,9}", objects: u64, state in 0..4usize, seed: u64,
        ) {
            let (repository, id) = (RepositoryId::from_bytes(ids[0]), ImportId::from_bytes(ids[1]));
            let holder = Holder::random(&braid_types::SeededRandom::new(seed));
            let commit = ImportCommit {
                committer: text.clone(),
                message: text.clone(),
                metadata: BTreeMap::from([(text.clone(), text.clone())]),
            };
            let record = ImportRecord {
                id,
                branch: BranchName::new("main").unwrap(),
                sources: vec![
                    ImportSource::Prefix { uri: text.clone(), destination: PathPrefix::new("a/").unwrap() },
                    ImportSource::Object { uri: text.clone(), destination: ObjectPath::new("b").unwrap() },
                ],
                commit: (objects % 2 == 0).then_some(commit),
                by: Mutation { principal: text.clone(), request: RequestId::new("r").unwrap() },
                started: Time::from_seconds(7),
                updated: Time::from_seconds(8),
                objects,
                state: states(tree, text)[state].clone(),
                lease: Some(LeaseRecord { holder, fence: seed, expires: Time::from_seconds(9) }),
            };
            prop_assert_eq!(ImportRecord::decode(id, &record.encode()).unwrap(), record);
            let key = key(&repository, &id);
            prop_assert!(range(Some(&repository)).contains(&key) && range(None).contains(&key));
            prop_assert_eq!(parse_key(&key).unwrap(), (repository, id));
        }
    }
}
