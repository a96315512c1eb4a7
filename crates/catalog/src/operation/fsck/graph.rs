//! Commits: their records, their parents, their generations.

use std::collections::HashSet;
use std::sync::Arc;

use braid_kv::Snapshot;
use braid_types::{Commit, CommitId, Result};

use super::records::Stored;
use super::{COMMITS_A_WORD, FaultPlace, Fsck, FsckEvent};

/// Commits that are to be checked, each once.
pub(super) struct Graph {
    history: bool,
    waiting: Vec<CommitId>,
    met: HashSet<CommitId>,
}

impl Graph {
    /// With `history`, parents are checked as well.
    pub(super) fn new(history: bool) -> Self {
        Self { history, waiting: Vec::new(), met: HashSet::new() }
    }

    pub(super) fn add(&mut self, commit: CommitId) {
        if self.met.insert(commit) {
            self.waiting.push(commit);
        }
    }

    pub(super) fn take(&mut self) -> Option<CommitId> {
        self.waiting.pop()
    }
}

impl Fsck {
    pub(super) async fn check_commit(&mut self, id: CommitId) -> Result<()> {
        let snapshot = self.records.catalog.snapshot().await?;
        match self.records.commit(&snapshot, &id).await? {
            Stored::Sound(commit) => {
                self.trees.add(commit.metarange);
                self.check_parents(&snapshot, id, &commit).await?;
            }
            Stored::Damaged(what) => self.tell_of(FaultPlace::Commit(id), what),
            Stored::Missing => self.tell_of(FaultPlace::Commit(id), "it is missing".to_owned()),
        }
        self.progress.commits += 1;
        if self.progress.commits.is_multiple_of(COMMITS_A_WORD) {
            self.found.push_back(FsckEvent::Progress(self.progress));
        }
        Ok(())
    }

    async fn check_parents(
        &mut self,
        snapshot: &Arc<dyn Snapshot>,
        id: CommitId,
        commit: &Commit,
    ) -> Result<()> {
        let mut highest = Some(0);
        for parent in &commit.parents {
            let found = self.check_parent(snapshot, id, *parent).await?;
            highest = highest.zip(found).map(|(highest, generation)| highest.max(generation));
        }
        if let Some(highest) = highest
            && highest.checked_add(1) != Some(commit.generation)
        {
            let what = match commit.parents.len() {
                0 => format!("its generation is {}; without parents it must be 1", commit.generation),
                _ => format!("its generation is {}; that of its parents is {highest}", commit.generation),
            };
            self.tell_of(FaultPlace::Commit(id), what);
        }
        Ok(())
    }

    /// The generation of a parent, if that is there and sound.
    async fn check_parent(
        &mut self,
        snapshot: &Arc<dyn Snapshot>,
        child: CommitId,
        parent: CommitId,
    ) -> Result<Option<u32>> {
        match self.records.commit(snapshot, &parent).await? {
            Stored::Sound(commit) => {
                if self.graph.history {
                    self.graph.add(parent);
                }
                Ok(Some(commit.generation))
            }
            // It is told when it is checked itself.
            Stored::Damaged(_) => {
                self.graph.add(parent);
                Ok(None)
            }
            Stored::Missing => {
                self.tell_of(FaultPlace::Commit(child), format!("its parent '{parent}' is missing"));
                Ok(None)
            }
        }
    }
}
