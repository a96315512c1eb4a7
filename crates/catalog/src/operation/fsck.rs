//! Checking what is stored of a repository: refs, the records of commits, and the files of trees.
//!
//! Refs are read a few at a time; what they name is checked before the next ones are read. Nothing is served from memory:
//! records come from the store's newest state, files as they are durable. Records and files that are checked never change,
//! so it need not be one state that all of them are of; what is made meanwhile may or may not be checked.

mod graph;
mod records;
mod refs;
mod trees;

use std::collections::VecDeque;
use std::sync::Arc;

use braid_tree::{CheckEvent, CheckProgress, FileId};
use braid_types::{BranchName, CommitId, RefExpression, RepositoryName, Result, TagName};

use self::graph::Graph;
use self::records::Records;
use self::refs::Refs;
use self::trees::Trees;
use crate::catalog::{Catalog, load_repository};
use crate::resolve::resolve;

/// How many commits are checked between two words of progress.
const COMMITS_A_WORD: u64 = 256;

/// What to check.
#[derive(Debug, Clone, Default)]
pub struct FsckRequest {
    /// The commit to check; `None` for the heads of all branches, what is below their staged changes, and all tags.
    pub reference: Option<RefExpression>,
    /// Check everything that can be reached from there as well.
    pub history: bool,
}

/// Where something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultPlace {
    /// In a stored file of a tree.
    File(FileId),
    /// In the record of a commit.
    Commit(CommitId),
    /// In a branch.
    Branch(BranchName),
    /// In a tag.
    Tag(TagName),
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FsckFault {
    /// Where it is.
    pub place: FaultPlace,
    /// Where the damaged part of a file begins, in bytes; `None` if it is about the file as a whole.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FsckProgress {
    /// Commits whose records were checked.
    pub commits: u64,
    /// Trees whose files were all checked.
    pub trees: u64,
    /// Files that were checked; one that several trees share is checked once.
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
    /// It has come so far. The last event is one of these and counts everything.
    Progress(FsckProgress),
}

/// A check under way. In memory it has the ids of all commits, trees and ranges that it met, each once, and a few files.
pub struct Fsck {
    records: Records,
    refs: Option<Refs>,
    graph: Graph,
    trees: Trees,
    found: VecDeque<FsckEvent>,
    /// Of all but the tree that is being checked.
    progress: FsckProgress,
    ended: bool,
}

impl Catalog {
    /// Begins to check what is stored of a repository. Changes nothing.
    pub async fn fsck(&self, repository: &RepositoryName, request: &FsckRequest) -> Result<Fsck> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let mut graph = Graph::new(request.history);
        let mut trees = Trees::new(self.ranges(&repository).await?, self.pool().clone());
        let refs = match &request.reference {
            None => Some(Refs::default()),
            Some(reference) => {
                let resolved =
                    resolve(self, &snapshot, &repository, reference).await?.committed(reference)?;
                graph.add(resolved.commit);
                trees.add(resolved.branch.and_then(|(_, branch)| branch.base));
                None
            }
        };
        let (found, progress) = (VecDeque::new(), FsckProgress::default());
        let records = Records { catalog: self.clone(), repository };
        Ok(Fsck { records, refs, graph, trees, found, progress, ended: false })
    }
}

impl Fsck {
    /// Where the files are.
    pub fn storage_namespace(&self) -> &Arc<str> {
        &self.records.repository.storage_namespace
    }

    /// What is found next; `None` when everything was checked.
    ///
    /// # Errors
    /// Those of the stores: what could not be read may be sound. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<FsckEvent>> {
        loop {
            if let Some(event) = self.found.pop_front() {
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            self.step().await?;
        }
    }

    /// Does a little of what is nearest to being done, so that little is left waiting.
    async fn step(&mut self) -> Result<()> {
        if self.trees.is_checking() {
            return self.check_tree().await;
        }
        if let Some(commit) = self.graph.take() {
            return self.check_commit(commit).await;
        }
        if let Some(refs) = self.refs.take() {
            return self.read_refs(refs).await;
        }
        self.ended = true;
        self.found.push_back(FsckEvent::Progress(self.progress));
        Ok(())
    }

    async fn check_tree(&mut self) -> Result<()> {
        match self.trees.next().await? {
            Some(CheckEvent::Fault(fault)) => {
                self.tell(FsckFault {
                    place: FaultPlace::File(fault.file),
                    offset: fault.offset,
                    what: fault.what,
                });
            }
            Some(CheckEvent::Progress(checked)) => {
                self.found.push_back(FsckEvent::Progress(self.progress.and(checked)));
            }
            None => {
                self.progress = self.progress.and(self.trees.finish());
                self.progress.trees += 1;
            }
        }
        Ok(())
    }

    /// Faults of files are counted by the check of their tree.
    fn tell(&mut self, fault: FsckFault) {
        if !matches!(fault.place, FaultPlace::File(_)) {
            self.progress.faults += 1;
        }
        self.found.push_back(FsckEvent::Fault(fault));
    }

    fn tell_of(&mut self, place: FaultPlace, what: String) {
        self.tell(FsckFault { place, offset: None, what });
    }
}

impl FsckProgress {
    /// With the files of one tree.
    fn and(self, tree: CheckProgress) -> Self {
        Self {
            files: self.files + tree.files,
            files_total: self.files_total + tree.files_total,
            bytes: self.bytes + tree.bytes,
            entries: self.entries + tree.entries,
            faults: self.faults + tree.faults,
            ..self
        }
    }
}
