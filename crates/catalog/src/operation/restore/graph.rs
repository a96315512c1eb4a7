//! Whether restored commits hang together: every parent is there, and generations count.
//!
//! A commit's id covers its parents' ids, not its generation, by which history is walked.

use std::collections::{BTreeSet, HashMap};

use braid_kv::ScanOptions;
use braid_types::{Code, Commit, CommitId, Error, Result};
use bytes::Bytes;

use super::Restore;
use crate::record;
use crate::view::Reads;

/// How many commits are checked at a time.
const COMMITS_AT_ONCE: usize = 500;

impl Restore {
    /// Checks some of the commits behind `after`; the last of them, or nothing if none are left.
    pub(super) async fn check_parents(&mut self, after: Option<CommitId>) -> Result<Option<CommitId>> {
        let id = self.hidden.repository.id;
        let snapshot = self.hidden.snapshot().await?;
        let mut range = record::commit::range(&id);
        if let Some(after) = after {
            range = range.after(&record::commit::key(&id, &after));
        }
        let rows = snapshot.scan(&range, ScanOptions::first(COMMITS_AT_ONCE)).await?;
        let mut commits = Vec::new();
        for (key, value) in &rows {
            let commit_id = record::commit::parse_key(&id, key)?;
            commits.push((commit_id, record::commit::decode(&commit_id, value)?));
        }
        let generations = self.parents_of(&snapshot, &commits).await?;
        for (commit_id, commit) in &commits {
            check(commit_id, commit, &generations)?;
        }
        self.progress.checked += commits.len() as u64;
        Ok(commits.last().map(|(last, _)| *last))
    }

    /// The generations of those parents of `commits` that are there.
    async fn parents_of(
        &self,
        reads: &dyn Reads,
        commits: &[(CommitId, Commit)],
    ) -> Result<HashMap<CommitId, u32>> {
        let id = &self.hidden.repository.id;
        let parents: BTreeSet<CommitId> =
            commits.iter().flat_map(|(_, commit)| commit.parents.iter().copied()).collect();
        let keys: Vec<Bytes> = parents.iter().map(|parent| record::commit::key(id, parent)).collect();
        let values = reads.get_many(&keys).await?;
        let mut generations = HashMap::new();
        for (parent, value) in parents.into_iter().zip(values) {
            if let Some(value) = value {
                generations.insert(parent, record::commit::decode(&parent, &value)?.generation);
            }
        }
        Ok(generations)
    }
}

fn check(id: &CommitId, commit: &Commit, generations: &HashMap<CommitId, u32>) -> Result<()> {
    let mut highest = 0;
    for parent in &commit.parents {
        let generation = generations
            .get(parent)
            .ok_or_else(|| invalid(id, &format!("its parent '{parent}' is not in the dump")))?;
        highest = highest.max(*generation);
    }
    if highest.checked_add(1) == Some(commit.generation) {
        return Ok(());
    }
    Err(invalid(id, &format!("its generation is {}; that of its parents is {highest}", commit.generation)))
}

fn invalid(id: &CommitId, what: &str) -> Error {
    Error::new(Code::InvalidDump, id.to_hex(), format!("dump of references: commit '{id}': {what}"))
}
