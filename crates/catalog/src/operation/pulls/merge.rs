//! Merging pull requests: the merge is a step of the destination's queue, and the transaction that publishes it also marks the pull
//! request. So one is merged exactly if its merge is there.

use std::collections::BTreeMap;

use braid_kv::Transaction;
use braid_tree::Strategy;
use braid_types::{Commit, CommitId, IdentityHasher, PullId, RefExpression, RepositoryName, Result};
use bytes::Bytes;

use super::{load_pull, no_pull, not_open};
use crate::catalog::{Catalog, load_branch, load_repository};
use crate::mutation::Mutation;
use crate::operation::merge::{MergeRequest, strategy_name};
use crate::operation::plan::{Place, Plan};
use crate::operation::queue::{HeadJob, Work};
use crate::operation::stage::BranchAddress;
use crate::record::{PullRecord, PullState, pull};
use crate::view::Reads;

/// A pull request to be merged, and how.
#[derive(Debug, Clone)]
pub struct MergePull {
    /// Which.
    pub id: PullId,
    /// What to do about conflicts.
    pub strategy: Strategy,
    /// Who merges.
    pub committer: String,
    /// What the committer says of it; empty for a standard text.
    pub message: String,
    /// Keys and values of the committer's.
    pub metadata: BTreeMap<String, String>,
    /// Make a commit with the destination as its only parent.
    pub squash: bool,
}

/// A pull request that is to be merged, as a step of its destination's queue.
#[derive(Debug)]
pub(in crate::operation) struct PullStep {
    pub(in crate::operation) merge: MergePull,
    /// The branch that is merged.
    pub(in crate::operation) source: RefExpression,
}

/// A pull request that is merged with a plan.
#[derive(Debug)]
pub(in crate::operation) struct PlannedPull {
    id: PullId,
    found: Bytes,
    merged: Bytes,
}

impl Catalog {
    /// Merges an open pull request and gives the merge commit.
    ///
    /// # Errors
    /// Those of [`Catalog::merge`]; [`Code::PullRequestNotOpen`](braid_types::Code::PullRequestNotOpen),
    /// [`Code::PullRequestNotFound`](braid_types::Code::PullRequestNotFound),
    /// [`Code::BranchNotFound`](braid_types::Code::BranchNotFound) if a branch of it was deleted.
    pub async fn merge_pull(
        &self,
        repository: &RepositoryName,
        merge: &MergePull,
        mutation: &Mutation,
    ) -> Result<CommitId> {
        Commit::check_limits(&merge.committer, &merge.message, &merge.metadata)?;
        let snapshot = self.snapshot().await?;
        let found = load_pull(&snapshot, &load_repository(&snapshot, repository).await?, merge.id).await?;
        // Whether it is open is for the step to say: a retry of what was done is answered before.
        let at = BranchAddress { repository: repository.clone(), branch: found.destination };
        let step = PullStep { merge: merge.clone(), source: RefExpression::parse(found.source.as_str())? };
        let fingerprint = merge.identity(repository).finish();
        self.line_up(HeadJob::new(at, Work::Pull(Box::new(step)), mutation, fingerprint)).await
    }
}

impl MergePull {
    fn identity(&self, repository: &RepositoryName) -> IdentityHasher {
        let names = ["merge pull request", repository.as_str(), &self.id.to_string()];
        let texts = [strategy_name(self.strategy), &self.committer, &self.message];
        let hasher = IdentityHasher::new().strings(&names).strings(&texts).map(&self.metadata);
        hasher.int64(self.squash.into())
    }

    /// The merge that it asks for.
    fn request(&self, source: &RefExpression, found: &PullRecord) -> MergeRequest {
        MergeRequest {
            source: source.clone(),
            destination: found.destination.clone(),
            strategy: self.strategy,
            committer: self.committer.clone(),
            message: self.message.clone(),
            metadata: self.metadata.clone(),
            squash: self.squash,
            allow_empty: false,
            time: None,
        }
    }
}

impl Plan<'_> {
    /// Merges a pull request.
    pub(in crate::operation) async fn pull(&mut self, place: Place<'_>, step: &PullStep) -> Result<CommitId> {
        let (repository, id) = (place.repository, step.merge.id);
        let key = pull::key(&repository.id, id);
        // Not from the snapshot: a step before may have merged it.
        let found = self.draft.get(&key).await?.ok_or_else(|| no_pull(repository, id))?;
        let record = PullRecord::decode(id, &found)?;
        if record.state != PullState::Open {
            return Err(not_open(&record));
        }
        // A tag may have got the name of a branch that was deleted.
        load_branch(&self.draft, repository, &record.source).await?;
        let commit = self.merge(place, &step.merge.request(&step.source, &record)).await?;
        let state = PullState::Merged { at: self.catalog.now(), commit };
        let merged = PullRecord { state, ..record }.encode();
        self.draft.put(key.clone(), merged.clone());
        self.pulls.insert(key, PlannedPull { id, found, merged });
        Ok(commit)
    }
}

impl PlannedPull {
    /// The pull request's row as it is to be, once what is there was locked; `None` if that is not what was found.
    pub(in crate::operation) async fn enter(
        &self,
        key: &Bytes,
        catalog: &Catalog,
        txn: &mut dyn Transaction,
    ) -> Result<Option<(Bytes, Bytes)>> {
        let current = txn.lock_for_update(key, catalog.settings.lock_wait).await?;
        Ok((current.as_ref() == Some(&self.found)).then(|| (key.clone(), self.merged.clone())))
    }

    /// What errors name.
    pub(in crate::operation) fn subject(&self) -> String {
        self.id.to_string()
    }
}
