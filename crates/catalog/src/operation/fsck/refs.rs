//! Branches and tags: whether their records can be read, and whether the commits that they name are there.

use std::sync::Arc;

use braid_kv::{KeyRange, ScanOptions, Snapshot};
use braid_types::{CommitId, Result};
use bytes::Bytes;

use super::records::Stored;
use super::{FaultPlace, Fsck};
use crate::record::{self, BranchRecord};

/// How many refs are read at a time.
const REFS_AT_ONCE: usize = 100;

/// Refs that are still to be read: branches, then tags.
#[derive(Default)]
pub(super) struct Refs {
    kind: Kind,
    /// The key of the last one that was read.
    after: Option<Bytes>,
}

#[derive(Clone, Copy, Default)]
enum Kind {
    #[default]
    Branches,
    Tags,
}

impl Refs {
    fn range(&self, fsck: &Fsck) -> KeyRange {
        let repository = &fsck.records.repository.id;
        let all = match self.kind {
            Kind::Branches => record::branch::range(repository, ""),
            Kind::Tags => record::tag::range(repository, ""),
        };
        match &self.after {
            Some(after) => all.after(after),
            None => all,
        }
    }

    /// What is to be read behind a page that ended with the key `last`.
    fn behind(self, last: Option<Bytes>) -> Option<Self> {
        match (last, self.kind) {
            (Some(last), kind) => Some(Self { kind, after: Some(last) }),
            (None, Kind::Branches) => Some(Self { kind: Kind::Tags, after: None }),
            (None, Kind::Tags) => None,
        }
    }
}

impl Fsck {
    /// Reads some of `refs` and takes what they name for checking; the others are left for later.
    pub(super) async fn read_refs(&mut self, refs: Refs) -> Result<()> {
        let snapshot = self.records.catalog.snapshot().await?;
        let rows = snapshot.scan(&refs.range(self), ScanOptions::first(REFS_AT_ONCE)).await?;
        for (key, value) in &rows {
            match refs.kind {
                Kind::Branches => self.read_branch(&snapshot, key, value).await?,
                Kind::Tags => self.read_tag(&snapshot, key, value).await?,
            }
        }
        self.refs = refs.behind(rows.into_iter().last().map(|(key, _)| key));
        Ok(())
    }

    async fn read_branch(&mut self, snapshot: &Arc<dyn Snapshot>, key: &[u8], value: &[u8]) -> Result<()> {
        let place = FaultPlace::Branch(record::branch::parse_key(&self.records.repository.id, key)?);
        match BranchRecord::decode(value) {
            Ok(branch) => {
                self.trees.add(branch.base);
                for tree in branch.grafts() {
                    self.trees.add(Some(tree));
                }
                self.take_head(snapshot, place, branch.head).await
            }
            Err(error) => {
                self.tell_of(place, error.message().to_owned());
                Ok(())
            }
        }
    }

    async fn read_tag(&mut self, snapshot: &Arc<dyn Snapshot>, key: &[u8], value: &[u8]) -> Result<()> {
        let place = FaultPlace::Tag(record::tag::parse_key(&self.records.repository.id, key)?);
        match record::tag::decode(value) {
            Ok(commit) => self.take_head(snapshot, place, commit).await,
            Err(error) => {
                self.tell_of(place, error.message().to_owned());
                Ok(())
            }
        }
    }

    async fn take_head(
        &mut self,
        snapshot: &Arc<dyn Snapshot>,
        place: FaultPlace,
        commit: CommitId,
    ) -> Result<()> {
        match self.records.commit(snapshot, &commit).await? {
            Stored::Missing => self.tell_of(place, format!("its commit '{commit}' is missing")),
            Stored::Sound(_) | Stored::Damaged(_) => self.graph.add(commit),
        }
        Ok(())
    }
}
