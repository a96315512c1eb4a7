//! Records of the dump, made rows in batches: commits, then the branches and tags that point at them.

use braid_tree::{LabelledReader, LabelledRecord};
use braid_types::{BranchName, Commit, CommitId, Incarnation, RepositoryId, Result};
use bytes::Bytes;

use super::Restore;
use super::hidden::Hidden;
use crate::record::{self, BranchRecord};
use crate::refs_dump::{invalid, read_branch, read_commit, read_tag};
use crate::view::Reads;

/// Most records of a batch.
const BATCH_RECORDS: usize = 500;

/// A batch takes no further record once it has so many bytes.
const BATCH_BYTES: usize = 1 << 20;

impl Restore {
    /// Writes some commits; how many.
    pub(super) async fn restore_commits(&mut self) -> Result<usize> {
        let id = &self.hidden.repository.id;
        let mut rows = Vec::new();
        for found in batch(&mut self.source.commits).await? {
            let (commit_id, commit) = read_commit(&found)?;
            rows.push((record::commit::key(id, &commit_id), record::commit::encode(&commit)));
        }
        self.progress.commits += rows.len() as u64;
        put(&self.hidden, rows).await
    }

    /// Writes some branches; how many.
    pub(super) async fn restore_branches(&mut self) -> Result<usize> {
        let (catalog, id) = (&self.hidden.catalog, &self.hidden.repository.id);
        let found = batch(&mut self.source.branches).await?;
        let refs: Vec<_> = found.iter().map(read_branch).collect::<Result<_>>()?;
        let targets: Vec<CommitId> = refs.iter().map(|(_, head)| *head).collect();
        let commits = commits_of(&self.hidden.snapshot().await?, id, &found, &targets).await?;
        let rows = refs.iter().zip(commits).map(|((name, head), commit)| {
            let branch = BranchRecord {
                incarnation: Incarnation::random(catalog.random()),
                head: *head,
                base: commit.metarange,
                sealed: Vec::new(),
                open: catalog.fresh_layer(),
                hidden: false,
            };
            (record::branch::key(id, name), branch.encode())
        });
        let rows: Vec<_> = rows.collect();
        self.progress.branches += rows.len() as u64;
        put(&self.hidden, rows).await
    }

    /// Writes some tags; how many.
    pub(super) async fn restore_tags(&mut self) -> Result<usize> {
        let id = &self.hidden.repository.id;
        let found = batch(&mut self.source.tags).await?;
        let refs: Vec<_> = found.iter().map(read_tag).collect::<Result<_>>()?;
        let snapshot = self.hidden.snapshot().await?;
        let targets: Vec<CommitId> = refs.iter().map(|(_, commit)| *commit).collect();
        commits_of(&snapshot, id, &found, &targets).await?;
        let named = found.iter().zip(&refs).filter_map(|(found, (name, _))| {
            let branch = BranchName::new(name.as_str()).ok()?;
            Some((found, record::branch::key(id, &branch)))
        });
        let (named, keys): (Vec<_>, Vec<_>) = named.unzip();
        let branches = snapshot.get_many(&keys).await?;
        if let Some((taken, _)) = named.iter().zip(branches).find(|(_, branch)| branch.is_some()) {
            return Err(invalid(taken, "a branch of the dump has the same name"));
        }
        let rows =
            refs.iter().map(|(name, commit)| (record::tag::key(id, name), record::tag::encode(commit)));
        let rows: Vec<_> = rows.collect();
        self.progress.tags += rows.len() as u64;
        put(&self.hidden, rows).await
    }
}

/// The next records; none at the end.
async fn batch(reader: &mut LabelledReader) -> Result<Vec<LabelledRecord>> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    while records.len() < BATCH_RECORDS
        && bytes < BATCH_BYTES
        && let Some(found) = reader.next().await?
    {
        bytes += found.record.key.len() + found.record.value.as_bytes().len();
        records.push(found);
    }
    Ok(records)
}

async fn put(hidden: &Hidden, rows: Vec<(Bytes, Bytes)>) -> Result<usize> {
    if !rows.is_empty() {
        hidden.put(&rows).await?;
    }
    Ok(rows.len())
}

/// The commits that records point at, which must be restored already.
async fn commits_of(
    reads: &dyn Reads,
    repository: &RepositoryId,
    found: &[LabelledRecord],
    targets: &[CommitId],
) -> Result<Vec<Commit>> {
    let keys: Vec<Bytes> = targets.iter().map(|target| record::commit::key(repository, target)).collect();
    let values = reads.get_many(&keys).await?;
    let mut commits = Vec::new();
    for ((found, target), value) in found.iter().zip(targets).zip(values) {
        let value =
            value.ok_or_else(|| invalid(found, &format!("its commit '{target}' is not in the dump")))?;
        commits.push(record::commit::decode(target, &value)?);
    }
    Ok(commits)
}
