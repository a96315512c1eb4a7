//! Jobs: what moves a branch head, one request each.

use braid_types::{CommitId, RefExpression, Result};
use bytes::Bytes;

use crate::mutation::{Mutation, Request};
use crate::operation::commit::CommitRequest;
use crate::operation::commit_tree::CommitTree;
use crate::operation::import::ImportStep;
use crate::operation::merge::MergeRequest;
use crate::operation::pick::{Direction, PickRequest};
use crate::operation::plan::{Place, Plan};
use crate::operation::pulls::PullStep;
use crate::operation::stage::BranchAddress;
use crate::record::RepositoryRecord;

/// One request.
#[derive(Debug)]
pub(in crate::operation) struct HeadJob {
    pub(in crate::operation) at: BranchAddress,
    pub(super) work: Work,
    mutation: Mutation,
    fingerprint: [u8; 32],
}

/// What it asks for.
#[derive(Debug)]
pub(in crate::operation) enum Work {
    Commit(CommitRequest),
    Tree(Box<CommitTree>),
    Merge(MergeRequest),
    Pick {
        pick: PickRequest,
        direction: Direction,
        /// The commit, once it was found out.
        picked: Option<CommitId>,
    },
    HardReset(RefExpression),
    Import(Box<ImportStep>),
    Pull(Box<PullStep>),
}

impl HeadJob {
    /// The job of a request with this content's hash.
    pub(in crate::operation) fn new(
        at: BranchAddress,
        work: Work,
        mutation: &Mutation,
        fingerprint: [u8; 32],
    ) -> Self {
        Self { at, work, mutation: mutation.clone(), fingerprint }
    }

    pub(super) fn request(&self) -> Request<'_> {
        self.mutation.known_as(self.fingerprint)
    }

    /// Who asks for it.
    pub(super) fn by(&self) -> &Mutation {
        &self.mutation
    }

    pub(super) fn request_key(&self) -> Bytes {
        self.request().key()
    }

    /// Whether it commits the branch's own layers.
    pub(super) fn is_own(&self) -> bool {
        matches!(self.work, Work::Commit(_))
    }

    /// The ref whose branch, if it is one, is going to be read.
    pub(super) fn reads(&self) -> Option<&RefExpression> {
        match &self.work {
            Work::Commit(_) | Work::Tree(_) | Work::Import(_) => None,
            Work::Pull(pull) => Some(&pull.source),
            Work::Merge(merge) => Some(&merge.source),
            Work::Pick { pick, .. } => Some(&pick.commit),
            Work::HardReset(to) => Some(to),
        }
    }

    /// About how many bytes it writes for what its caller says of it.
    pub(super) fn weight(&self) -> usize {
        let (message, metadata) = match &self.work {
            Work::Commit(commit) => (&commit.message, &commit.metadata),
            Work::Merge(merge) => (&merge.message, &merge.metadata),
            Work::Pick { pick, .. } => (&pick.message, &pick.metadata),
            Work::Import(import) => return import.weight(),
            Work::Tree(commit) => (&commit.message, &commit.metadata),
            Work::Pull(pull) => (&pull.merge.message, &pull.merge.metadata),
            Work::HardReset(_) => return 0,
        };
        message.len() + metadata.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>()
    }

    /// Adds the job's step to a plan.
    pub(super) async fn plan(
        &mut self,
        plan: &mut Plan<'_>,
        repository: &RepositoryRecord,
    ) -> Result<CommitId> {
        let place = Place { repository, by: &self.mutation };
        match &mut self.work {
            Work::Commit(commit) => plan.commit(place, commit).await,
            Work::Tree(commit) => plan.commit_tree(place, commit).await,
            Work::Merge(merge) => plan.merge(place, merge).await,
            Work::Pick { pick, direction, picked } => {
                let commit = match *picked {
                    Some(commit) => commit,
                    None => *picked.insert(plan.picked(place, pick).await?),
                };
                plan.pick(place, pick, commit, *direction).await
            }
            Work::HardReset(to) => plan.hard_reset(place, &self.at.branch, to).await,
            Work::Import(import) => plan.import(place, &self.at.branch, import).await,
            Work::Pull(pull) => plan.pull(place, pull).await,
        }
    }
}
