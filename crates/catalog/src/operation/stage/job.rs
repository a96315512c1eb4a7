//! Jobs: the operations and preconditions of one request, done whole or not at all.

use std::collections::{BTreeMap, BTreeSet};

use braid_tree::Value;
use braid_types::{
    BranchName, Code, Error, IdentityHasher, ObjectPath, RepositoryId, RepositoryName, Result,
    check_metadata, limits,
};

use super::sources::Source;
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
    /// Where copies that name a reference find their sources, by the index of the operation.
    pub(super) sources: BTreeMap<usize, Source>,
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
            sources: BTreeMap::new(),
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
        let (sources, mutation) = (BTreeMap::new(), mutation.clone());
        Ok(Self { branches, pins, preconditions, operations, sources, mutation, fingerprint })
    }

    pub(crate) fn request(&self) -> Request<'_> {
        self.mutation.known_as(self.fingerprint)
    }

    /// Who asked for it.
    pub(crate) fn by(&self) -> &Mutation {
        &self.mutation
    }

    /// Where the copy with this index finds its source.
    pub(super) fn source(&self, index: usize) -> Source {
        self.sources.get(&index).copied().unwrap_or(Source::Staged(self.operations[index].on))
    }

    /// What is stored of what the job answers.
    pub(super) fn answer(applied: &[Applied]) -> Answer {
        let existed = applied.iter().map(|applied| *applied != Applied::Missing).collect();
        let copied = |applied: &Applied| match applied {
            Applied::Copied(entry) => Some(Value::of(entry)),
            _ => None,
        };
        let copies: Vec<Value> = applied.iter().filter_map(copied).collect();
        if copies.is_empty() { Answer::Existed(existed) } else { Answer::Copied { existed, copies } }
    }

    /// What a job answers that was done before.
    ///
    /// # Errors
    /// [`Code::Corrupt`] if the stored answer is not one of this job.
    pub(super) fn replayed(&self, answer: &Answer) -> Result<Vec<Applied>> {
        let (existed, copies) = match answer {
            Answer::Existed(existed) => (&existed[..], &[][..]),
            Answer::Copied { existed, copies } => (&existed[..], &copies[..]),
            _ => (&[][..], &[][..]),
        };
        let mut copies = copies.iter();
        let mut one = |(index, placed): (usize, &Placed<StagedOperation>)| match &placed.what {
            StagedOperation::Put { .. } => Ok(Applied::Put),
            StagedOperation::Move { .. } => Ok(Applied::Moved),
            StagedOperation::Delete { .. } if existed.get(index) == Some(&false) => Ok(Applied::Missing),
            StagedOperation::Delete { .. } => Ok(Applied::Deleted),
            StagedOperation::Copy { path, .. } => {
                let entry = copies.next().map(Value::entry).and_then(std::result::Result::ok);
                entry.map(Applied::Copied).ok_or_else(|| {
                    let message = format!("the stored answer does not tell what was copied to '{path}'");
                    Error::new(Code::Corrupt, path.as_str(), message)
                })
            }
        };
        self.operations.iter().enumerate().map(&mut one).collect()
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
        match operation {
            StagedOperation::Put { path, entry, .. } => entry.check(path.as_str())?,
            StagedOperation::Copy { path, metadata: Some(metadata), .. } => {
                check_metadata(path.as_str(), metadata)?;
            }
            StagedOperation::Copy { .. } | StagedOperation::Delete { .. } | StagedOperation::Move { .. } => {}
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
        StagedOperation::Move { source, destination, overwrite } => {
            let paths = [source.as_str(), destination.as_str()];
            hasher.string("move").strings(&paths).int64(i64::from(*overwrite))
        }
        StagedOperation::Copy { source, path, metadata, condition } => {
            let reference = source.reference.as_ref().map_or("", |reference| reference.text());
            let texts = [reference, source.path.as_str(), path.as_str()];
            let hasher = hasher.string("copy").strings(&texts);
            let hasher = match metadata {
                Some(metadata) => hasher.map(metadata),
                None => hasher.int64(0),
            };
            condition_identity(hasher, condition)
        }
    }
}

fn condition_identity(hasher: IdentityHasher, condition: &Condition) -> IdentityHasher {
    match condition {
        Condition::Always => hasher.int64(0),
        Condition::IfAbsent => hasher.int64(1),
        Condition::IfEtag(etag) => hasher.int64(2).string(etag),
        Condition::IfGeneration(generation) => hasher.int64(3).bytes(&generation.to_be_bytes()),
    }
}
