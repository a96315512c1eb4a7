//! Jobs: the operations and preconditions of one request, done whole or not at all.

use std::collections::BTreeSet;

use braid_types::{
    BranchName, Code, Error, IdentityHasher, ObjectPath, RepositoryId, RepositoryName, Result, limits,
};

use super::{Applied, Condition, StagedOperation};
use crate::mutation::{Mutation, Request};
use crate::record::request::Answer;

/// A branch of some repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BranchAddress {
    /// The repository.
    pub repository: RepositoryName,
    /// The branch.
    pub branch: BranchName,
}

/// One operation of a job, on one of its branches.
#[derive(Debug)]
pub(crate) struct Placed<T> {
    /// Index of the branch.
    pub(crate) on: usize,
    pub(crate) what: T,
}

/// What must hold of a path that the job need not write.
#[derive(Debug)]
pub(crate) struct PathCondition {
    pub(crate) path: ObjectPath,
    pub(crate) condition: Condition,
}

/// One request.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) branches: Vec<BranchAddress>,
    /// For each branch the only repository that will do, if one is named.
    pub(crate) pins: Vec<Option<RepositoryId>>,
    pub(crate) preconditions: Vec<Placed<PathCondition>>,
    pub(crate) operations: Vec<Placed<StagedOperation>>,
    mutation: Mutation,
    fingerprint: [u8; 32],
}

impl Job {
    /// The branches that the job writes to, by index.
    pub(super) fn written(&self) -> BTreeSet<usize> {
        self.operations.iter().map(|operation| operation.on).collect()
    }

    /// Operations on one branch.
    ///
    /// # Errors
    /// [`Code::LimitExceeded`] names the limit.
    pub(super) fn on_branch(
        at: BranchAddress,
        pin: Option<RepositoryId>,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Self> {
        check(operations.len(), 0, operations.iter())?;
        let start =
            IdentityHasher::new().string("stage").string(at.repository.as_str()).string(at.branch.as_str());
        let hasher = operations.iter().fold(start, operation_identity);
        let operations = operations.iter().map(|what| Placed { on: 0, what: what.clone() }).collect();
        Ok(Self {
            branches: vec![at],
            pins: vec![pin],
            preconditions: Vec::new(),
            operations,
            mutation: mutation.clone(),
            fingerprint: hasher.finish(),
        })
    }

    /// Operations and preconditions on any of `branches`.
    ///
    /// # Errors
    /// [`Code::LimitExceeded`] names the limit.
    pub(crate) fn on_branches(
        branches: Vec<BranchAddress>,
        pins: Vec<Option<RepositoryId>>,
        preconditions: Vec<Placed<PathCondition>>,
        operations: Vec<Placed<StagedOperation>>,
        mutation: &Mutation,
    ) -> Result<Self> {
        check(operations.len(), preconditions.len(), operations.iter().map(|placed| &placed.what))?;
        let on = |hasher: IdentityHasher, on: usize| {
            let at = &branches[on];
            hasher.string(at.repository.as_str()).string(at.branch.as_str())
        };
        let start = IdentityHasher::new().string("apply").int64(preconditions.len() as i64);
        let hasher = preconditions.iter().fold(start, |hasher, placed| {
            let hasher = on(hasher, placed.on).string(placed.what.path.as_str());
            condition_identity(hasher, &placed.what.condition)
        });
        let hasher = operations
            .iter()
            .fold(hasher, |hasher, placed| operation_identity(on(hasher, placed.on), &placed.what));
        let fingerprint = hasher.finish();
        Ok(Self { branches, pins, preconditions, operations, mutation: mutation.clone(), fingerprint })
    }

    pub(crate) fn request(&self) -> Request<'_> {
        self.mutation.known_as(self.fingerprint)
    }

    /// Who asked for it.
    pub(crate) fn by(&self) -> &Mutation {
        &self.mutation
    }

    /// What a job answers that was done before.
    pub(super) fn replayed(&self, answer: &Answer) -> Vec<Applied> {
        let existed =
            |index: usize| !matches!(answer, Answer::Existed(existed) if existed.get(index) == Some(&false));
        let one = |(index, placed): (usize, &Placed<StagedOperation>)| match placed.what {
            StagedOperation::Put { .. } => Applied::Put,
            StagedOperation::Delete { .. } if existed(index) => Applied::Deleted,
            StagedOperation::Delete { .. } => Applied::Missing,
        };
        self.operations.iter().enumerate().map(one).collect()
    }

    /// How messages name a path: with its branch where there are several.
    pub(super) fn place(&self, on: usize, path: &ObjectPath) -> String {
        match self.branches.len() {
            1 => format!("'{path}'"),
            _ => format!("'{path}' on '{}/{}'", self.branches[on].repository, self.branches[on].branch),
        }
    }
}

fn check<'a>(
    operations: usize,
    preconditions: usize,
    each: impl Iterator<Item = &'a StagedOperation>,
) -> Result<()> {
    let most = limits::TRANSACTION_OPERATIONS;
    if operations == 0 || operations > most {
        let message = format!("a transaction has 1 to {most} operations, not {operations}");
        return Err(Error::new(Code::LimitExceeded, "operations", message));
    }
    if preconditions > most {
        let message = format!("a transaction has at most {most} preconditions, not {preconditions}");
        return Err(Error::new(Code::LimitExceeded, "preconditions", message));
    }
    for operation in each {
        if let StagedOperation::Put { path, entry, .. } = operation {
            entry.check(path.as_str())?;
        }
    }
    Ok(())
}

fn operation_identity(hasher: IdentityHasher, operation: &StagedOperation) -> IdentityHasher {
    match operation {
        StagedOperation::Put { path, entry, condition } => {
            let hasher = hasher.string(path.as_str()).object(&entry.identity()).string(&entry.address);
            condition_identity(hasher, condition)
        }
        StagedOperation::Delete { path, condition } => {
            let hasher = hasher.string(path.as_str()).bytes(b"");
            // One without a condition is hashed as it always was.
            if condition.needs_value() { condition_identity(hasher, condition) } else { hasher }
        }
    }
}

fn condition_identity(hasher: IdentityHasher, condition: &Condition) -> IdentityHasher {
    match condition {
        Condition::Always => hasher.int64(0),
        Condition::IfAbsent => hasher.int64(1),
        Condition::IfEtag(etag) => hasher.int64(2).string(etag),
    }
}
