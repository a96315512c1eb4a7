//! Apply: operations and preconditions on several branches, of several repositories, in one transaction.

use std::collections::BTreeMap;

use braid_types::{Code, Error, ObjectPath, RepositoryId, Result, limits};

use super::stage::{Applied, BranchAddress, Condition, Job, PathCondition, Placed, StagedOperation};
use crate::catalog::Catalog;
use crate::mutation::Mutation;

/// What to do, all or nothing.
#[derive(Debug, Clone, Default)]
pub struct ApplyRequest {
    /// What must hold before anything is done.
    pub preconditions: Vec<Precondition>,
    /// Up to 10,000 operations, carried out in order.
    pub operations: Vec<ApplyOperation>,
}

/// What must hold of a path, whether or not it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precondition {
    /// The branch.
    pub at: BranchAddress,
    /// The path.
    pub path: ObjectPath,
    /// What must hold of it.
    pub condition: Condition,
}

/// One operation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOperation {
    /// The branch.
    pub at: BranchAddress,
    /// The only repository of that name that will do, if the entry's address is relative to it.
    pub repository_id: Option<RepositoryId>,
    /// What to do on the branch.
    pub operation: StagedOperation,
}

/// The branches of a request, each once.
#[derive(Debug, Default)]
struct Branches {
    index: BTreeMap<BranchAddress, usize>,
    pins: Vec<Option<RepositoryId>>,
}

impl Catalog {
    /// Carries out operations on up to 1,000 branches in one transaction: all or none. Answers in the order of the
    /// operations.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`] names the first precondition or operation whose condition does not hold.
    pub async fn apply(&self, request: &ApplyRequest, mutation: &Mutation) -> Result<Vec<Applied>> {
        let mut branches = Branches::default();
        let preconditions = request.preconditions.iter().map(|precondition| Placed {
            on: branches.index(&precondition.at),
            what: PathCondition {
                path: precondition.path.clone(),
                condition: precondition.condition.clone(),
            },
        });
        let preconditions = preconditions.collect();
        let mut operations = Vec::with_capacity(request.operations.len());
        for operation in &request.operations {
            let on = branches.index(&operation.at);
            branches.pin(on, operation)?;
            operations.push(Placed { on, what: operation.operation.clone() });
        }
        let (addresses, pins) = branches.into_parts()?;
        let job = Job::on_branches(addresses, pins, preconditions, operations, mutation)?;
        self.run_job(job).await
    }
}

impl Branches {
    fn index(&mut self, at: &BranchAddress) -> usize {
        if let Some(&index) = self.index.get(at) {
            return index;
        }
        let index = self.pins.len();
        self.index.insert(at.clone(), index);
        self.pins.push(None);
        index
    }

    /// Holds a branch to the repository that an operation means.
    fn pin(&mut self, on: usize, operation: &ApplyOperation) -> Result<()> {
        let Some(id) = operation.repository_id else {
            return Ok(());
        };
        match self.pins[on].replace(id) {
            Some(other) if other != id => {
                let name = operation.at.repository.as_str();
                let message = format!("repository '{name}' was made anew while the request was put together");
                Err(Error::new(Code::RepositoryNotFound, name, message))
            }
            _ => Ok(()),
        }
    }

    fn into_parts(self) -> Result<(Vec<BranchAddress>, Vec<Option<RepositoryId>>)> {
        let count = self.pins.len();
        if count > limits::TRANSACTION_BRANCHES {
            let message =
                format!("a transaction is on at most {} branches, not {count}", limits::TRANSACTION_BRANCHES);
            return Err(Error::new(Code::LimitExceeded, "branches", message));
        }
        let mut addresses: Vec<(usize, BranchAddress)> =
            self.index.into_iter().map(|(at, index)| (index, at)).collect();
        addresses.sort();
        Ok((addresses.into_iter().map(|(_, at)| at).collect(), self.pins))
    }
}
