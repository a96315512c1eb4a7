//! Publishing what was gathered: with a commit as a step of the branch's queue, else as layers on what is uncommitted. Either way the
//! transaction also ends the import, so that it takes effect once and not after it was cancelled.

use async_trait::async_trait;
use braid_kv::Transaction;
use braid_tree::{Change, TreeId, Value};
use braid_types::{BranchName, CommitId, IdentityHasher, PathPrefix, RepositoryName, Result};
use bytes::Bytes;
use futures::stream;

use super::run::Claim;
use crate::catalog::Catalog;
use crate::mutation::Mutation;
use crate::operation::graft::layer;
use crate::operation::plan::{Effect, Place, Plan};
use crate::operation::publish::CommitText;
use crate::operation::queue::{HeadJob, Work};
use crate::operation::restructure::{self, Decision, Scene};
use crate::operation::stage::BranchAddress;
use crate::record::{BranchRecord, ImportCommit, ImportRecord, ImportState};

/// What an import brings.
#[derive(Debug, Clone)]
pub(super) struct Gathered {
    /// The objects by their new paths.
    pub(super) tree: TreeId,
    /// Directories that become what the tree has there.
    pub(super) replaced: Vec<PathPrefix>,
    /// Objects of the tree that are put beside them.
    pub(super) beside: Vec<(Bytes, Value)>,
}

/// An import that becomes a commit.
#[derive(Debug)]
pub(in crate::operation) struct ImportStep {
    claim: Claim,
    gathered: Gathered,
    commit: ImportCommit,
}

/// An import that ends with a plan.
#[derive(Debug)]
pub(crate) struct PlannedImport {
    claim: Claim,
    state: ImportState,
}

/// An import that stays uncommitted.
struct Uncommitted<'a> {
    claim: &'a Claim,
    gathered: &'a Gathered,
}

impl Catalog {
    /// Gives the branch what was gathered.
    pub(super) async fn publish_import(
        &self,
        repository: &RepositoryName,
        record: &ImportRecord,
        claim: &Claim,
        gathered: Gathered,
    ) -> Result<()> {
        // A request of its own: the one that asked for the import was answered.
        let fingerprint = IdentityHasher::new().string("publish import").bytes(record.id.as_bytes()).finish();
        let mutation = Mutation { principal: record.by.principal.clone(), request: claim.request() };
        let Some(commit) = record.commit.clone() else {
            let plan = Uncommitted { claim, gathered: &gathered };
            let request = mutation.known_as(fingerprint);
            return self.restructure(repository, &record.branch, &request, &plan).await.map(drop);
        };
        let at = BranchAddress { repository: repository.clone(), branch: record.branch.clone() };
        let step = ImportStep { claim: claim.clone(), gathered, commit };
        self.line_up(HeadJob::new(at, Work::Import(Box::new(step)), &mutation, fingerprint)).await.map(drop)
    }
}

impl ImportStep {
    /// About how many bytes are written for it.
    pub(in crate::operation) fn weight(&self) -> usize {
        let metadata: usize = self.commit.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
        self.commit.message.len() + metadata
    }
}

impl Plan<'_> {
    /// Commits what was gathered onto a clean branch.
    pub(in crate::operation) async fn import(
        &mut self,
        place: Place<'_>,
        name: &BranchName,
        import: &ImportStep,
    ) -> Result<CommitId> {
        import.claim.check(self.draft.snapshot().get(import.claim.key()).await?)?;
        let branch = self.clean_branch(place.repository, name).await?;
        let head = self.catalog.load_commit(&self.draft, place.repository, &branch.head).await?;
        let parent = (branch.head, head.generation);
        let tree = self.imported(place, branch, &import.gathered).await?;
        let text = CommitText {
            committer: import.commit.committer.clone(),
            message: import.commit.message.clone(),
            metadata: import.commit.metadata.clone(),
            time: self.catalog.now(),
        };
        let made = text.commit(&[parent], tree);
        let commit = self.advance(place, name, made, Effect::Foreign).await?;
        let state = ImportState::Finished { tree: import.gathered.tree, commit: Some(commit) };
        self.imports.push(PlannedImport { claim: import.claim.clone(), state });
        Ok(commit)
    }

    /// The tree of a clean branch with what was gathered.
    async fn imported(&self, place: Place<'_>, branch: BranchRecord, gathered: &Gathered) -> Result<TreeId> {
        let ranges = self.ranges(place.repository).await?;
        let layers = gathered.layers().into_iter().map(|layer| self.catalog.new_layer(layer));
        let branch = BranchRecord { sealed: layers.collect(), ..branch };
        let snapshot = self.draft.snapshot();
        let folded = self.catalog.fold_layers(&ranges, place.repository, &branch, snapshot).await?;
        let puts = gathered.beside.iter().cloned().map(|(key, value)| Ok(Change { key, value: Some(value) }));
        let format = self.catalog.tree_format(place.repository)?;
        let puts = stream::iter(puts.collect::<Vec<_>>());
        Ok(braid_tree::fold(&ranges, self.catalog.pool(), &format, folded.tree, puts).await?.tree)
    }
}

impl Gathered {
    fn layers(&self) -> Vec<crate::Layer> {
        self.replaced.iter().map(|prefix| layer(prefix, self.tree)).collect()
    }
}

impl PlannedImport {
    /// The import's row as it is to be, locked; `None` if another run has it or it is over.
    pub(in crate::operation) async fn enter(
        &self,
        catalog: &Catalog,
        txn: &mut dyn Transaction,
    ) -> Result<Option<(Bytes, Bytes)>> {
        let found = txn.lock_for_update(self.claim.key(), catalog.settings.lock_wait).await?;
        let Ok(record) = self.claim.check(found) else { return Ok(None) };
        Ok(Some((self.claim.key().clone(), self.claim.ended(catalog, record, self.state.clone()))))
    }

    /// What errors name.
    pub(in crate::operation) fn subject(&self) -> String {
        self.claim.subject()
    }
}

#[async_trait]
impl restructure::Plan for Uncommitted<'_> {
    async fn decide(&self, _: &Scene<'_>) -> Result<Decision> {
        let (beside, layers) = (self.gathered.beside.clone(), self.gathered.layers());
        Ok(match layers.is_empty() {
            true => Decision::Rewrite(beside.into_iter().map(|(path, value)| (path, Some(value))).collect()),
            false => Decision::Stack(beside, layers),
        })
    }

    async fn accompany(&self, catalog: &Catalog, txn: &mut dyn Transaction) -> Result<()> {
        let found = txn.lock_for_update(self.claim.key(), catalog.settings.lock_wait).await?;
        let record = self.claim.check(found)?;
        let state = ImportState::Finished { tree: self.gathered.tree, commit: None };
        txn.put(self.claim.key().clone(), self.claim.ended(catalog, record, state));
        Ok(())
    }
}
