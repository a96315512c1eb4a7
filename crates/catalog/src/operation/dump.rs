//! Dumping references: commits, branches and tags of one state, as files beside the trees, and then the manifest.
//!
//! Nothing in the repository changes, and a dump that breaks off leaves files that nothing names. What is staged is in no dump.

use std::sync::Arc;

use braid_kv::{KeyRange, ScanOptions, Snapshot};
use braid_tree::{LabelledWriter, Labels, RangeStore, Record, TreeFormat};
use braid_types::{BranchName, MetarangeId, RepositoryName, Result};
use bytes::Bytes;

use super::seal::is_clean;
use crate::catalog::{Catalog, load_repository};
use crate::record::{self, BranchRecord, RepositoryRecord};
use crate::refs_dump::{self, RefsManifest};

/// How many records are read between two words of progress.
const RECORDS_A_WORD: usize = 500;

/// Most branches with uncommitted changes that are named.
const NAMED_BRANCHES: usize = 10;

/// How far a dump or a restore has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RefsProgress {
    /// Commits that were written.
    pub commits: u64,
    /// Commits that there are to write; 0 while it is not known.
    pub commits_total: u64,
    /// Branches that were written.
    pub branches: u64,
    /// Tags that were written.
    pub tags: u64,
    /// Restored commits whose parents were found.
    pub checked: u64,
}

/// What was dumped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// The names of its trees.
    pub manifest: RefsManifest,
    /// How much is in it.
    pub counts: RefsProgress,
    /// How many branches have uncommitted changes, which are not in it.
    pub uncommitted: u64,
    /// Some of those branches.
    pub uncommitted_branches: Vec<BranchName>,
}

/// What a dump has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DumpEvent {
    /// It has come so far.
    Progress(RefsProgress),
    /// It is done. This comes last.
    Done(Dumped),
}

/// A dump under way. In memory it has one range that is being written.
pub struct Dump {
    catalog: Catalog,
    repository: RepositoryRecord,
    snapshot: Arc<dyn Snapshot>,
    ranges: Arc<dyn RangeStore>,
    format: TreeFormat,
    /// `None` when the dump is done.
    part: Option<Part>,
    /// The trees that are finished, in the order of the parts.
    finished: Vec<MetarangeId>,
    counts: RefsProgress,
    uncommitted: u64,
    uncommitted_branches: Vec<BranchName>,
}

/// One of the three trees while it is written.
struct Part {
    kind: Kind,
    /// The key of the last record that was read.
    after: Option<Bytes>,
    writer: LabelledWriter,
}

#[derive(Clone, Copy)]
enum Kind {
    Commits,
    Branches,
    Tags,
}

impl Kind {
    fn labels(self) -> Labels {
        match self {
            Self::Commits => refs_dump::COMMITS,
            Self::Branches => refs_dump::BRANCHES,
            Self::Tags => refs_dump::TAGS,
        }
    }

    fn next(self) -> Option<Self> {
        match self {
            Self::Commits => Some(Self::Branches),
            Self::Branches => Some(Self::Tags),
            Self::Tags => None,
        }
    }
}

impl Catalog {
    /// Begins to dump a repository's references as they are now.
    pub async fn dump(&self, repository: &RepositoryName) -> Result<Dump> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let mut dump = Dump {
            catalog: self.clone(),
            ranges: self.ranges(&repository).await?,
            format: self.tree_format(&repository)?,
            repository,
            snapshot,
            part: None,
            finished: Vec::new(),
            counts: RefsProgress::default(),
            uncommitted: 0,
            uncommitted_branches: Vec::new(),
        };
        dump.part = Some(dump.begin(Kind::Commits));
        Ok(dump)
    }
}

impl Dump {
    /// Where the dump is written.
    pub fn storage_namespace(&self) -> &Arc<str> {
        &self.repository.storage_namespace
    }

    /// Goes on, and says how far it is; `None` after the last word.
    ///
    /// # Errors
    /// [`braid_types::Code::SnapshotExpired`] if it takes longer than a state of the store is kept,
    /// [`braid_types::Code::Corrupt`] for a damaged record, and those of the stores. After an error there is no going on.
    pub async fn next(&mut self) -> Result<Option<DumpEvent>> {
        let Some(part) = self.part.take() else {
            return Ok(None);
        };
        self.part = self.step(part).await?;
        if self.part.is_some() {
            return Ok(Some(DumpEvent::Progress(self.counts)));
        }
        let manifest = self.manifest();
        self.catalog.parts.storage.put_refs_manifest(&self.repository.storage_namespace, &manifest).await?;
        Ok(Some(DumpEvent::Done(Dumped {
            manifest,
            counts: self.counts,
            uncommitted: self.uncommitted,
            uncommitted_branches: std::mem::take(&mut self.uncommitted_branches),
        })))
    }

    fn begin(&self, kind: Kind) -> Part {
        let writer = LabelledWriter::new(Arc::clone(&self.ranges), self.format, kind.labels());
        Part { kind, after: None, writer }
    }

    fn manifest(&self) -> RefsManifest {
        match self.finished[..] {
            [commits, branches, tags] => RefsManifest { commits, branches, tags },
            _ => unreachable!("a dump ends after its third part"),
        }
    }

    /// Writes some records of a part; what is to be written after them.
    async fn step(&mut self, mut part: Part) -> Result<Option<Part>> {
        let rows = self.snapshot.scan(&self.rows(&part), ScanOptions::first(RECORDS_A_WORD)).await?;
        for (key, value) in &rows {
            let record = self.record(part.kind, key, value).await?;
            part.writer.add(&record).await?;
        }
        if rows.len() == RECORDS_A_WORD {
            part.after = rows.into_iter().last().map(|(key, _)| key);
            return Ok(Some(part));
        }
        self.finished.push(part.writer.finish().await?);
        Ok(part.kind.next().map(|kind| self.begin(kind)))
    }

    fn rows(&self, part: &Part) -> KeyRange {
        let repository = &self.repository.id;
        let all = match part.kind {
            Kind::Commits => record::commit::range(repository),
            Kind::Branches => record::branch::range(repository, ""),
            Kind::Tags => record::tag::range(repository, ""),
        };
        match &part.after {
            Some(after) => all.after(after),
            None => all,
        }
    }

    async fn record(&mut self, kind: Kind, key: &[u8], value: &[u8]) -> Result<Record> {
        let repository = &self.repository.id;
        match kind {
            Kind::Commits => {
                let id = record::commit::parse_key(repository, key)?;
                self.counts.commits += 1;
                refs_dump::commit_record(&id, &record::commit::decode(&id, value)?)
            }
            Kind::Branches => {
                let name = record::branch::parse_key(repository, key)?;
                let branch = BranchRecord::decode(value)?;
                let record = refs_dump::branch_record(&name, &branch.head);
                self.counts.branches += 1;
                self.look_for_changes(name, &branch).await?;
                Ok(record)
            }
            Kind::Tags => {
                let name = record::tag::parse_key(repository, key)?;
                self.counts.tags += 1;
                Ok(refs_dump::tag_record(&name, &record::tag::decode(value)?))
            }
        }
    }

    async fn look_for_changes(&mut self, name: BranchName, branch: &BranchRecord) -> Result<()> {
        if is_clean(&self.snapshot, branch).await? {
            return Ok(());
        }
        self.uncommitted += 1;
        if self.uncommitted_branches.len() < NAMED_BRANCHES {
            self.uncommitted_branches.push(name);
        }
        Ok(())
    }
}
