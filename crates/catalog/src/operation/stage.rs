//! Staging puts and deletes: one transaction in one lane of the open token's fence.

use std::sync::Arc;

use braid_kv::{Transaction, transaction_ahead};
use braid_tree::Value;
use braid_types::{
    BranchName, Code, Entry, Error, IdentityHasher, ObjectPath, RepositoryId, RepositoryName, Result, limits,
};
use bytes::Bytes;

use crate::catalog::{Catalog, finish, load_branch, load_writable, no_repository};
use crate::hints::Hint;
use crate::mutation::{Attempts, Mutation, Request, lost_race};
use crate::record::request::Answer;
use crate::record::{BranchRecord, OpenLayer, RepositoryRecord, staged};
use crate::view::View;

/// What must hold for a put to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// There is no object at the path.
    IfAbsent,
}

/// One change to the staging area of a branch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedOperation {
    /// Maps a path to an entry.
    Put {
        /// The path.
        path: ObjectPath,
        /// What it maps to from now on.
        entry: Entry,
        /// What must hold.
        condition: Condition,
    },
    /// Removes a path. Removing one that is not there changes nothing.
    Delete {
        /// The path.
        path: ObjectPath,
    },
}

/// How one operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The entry was put.
    Put,
    /// The path was removed.
    Deleted,
    /// There was nothing at the path.
    Missing,
}

impl Catalog {
    /// Carries out up to 10,000 operations on a branch, in order, in one transaction: all or none.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`] names the first path whose condition does not hold.
    pub async fn stage(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Vec<Applied>> {
        self.stage_into(Place { name: repository, id: None }, branch, operations, mutation).await
    }

    /// The same into exactly this repository: entries whose addresses are relative to its storage namespace are nothing
    /// in another one, even of the same name.
    ///
    /// # Errors
    /// [`Code::RepositoryNotFound`] if it was deleted, whether or not one of its name was made since.
    pub async fn stage_in(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Vec<Applied>> {
        let into = Place { name: &repository.name, id: Some(repository.id) };
        self.stage_into(into, branch, operations, mutation).await
    }

    async fn stage_into(
        &self,
        into: Place<'_>,
        branch: &BranchName,
        operations: &[StagedOperation],
        mutation: &Mutation,
    ) -> Result<Vec<Applied>> {
        check(operations)?;
        let request = mutation.with(fingerprint(into.name, branch, operations));
        let mut attempts = Attempts::new(self);
        loop {
            match self.try_stage(into, branch, operations, &request).await? {
                Ok(applied) => return Ok(applied),
                Err(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    async fn try_stage(
        &self,
        into: Place<'_>,
        branch: &BranchName,
        operations: &[StagedOperation],
        request: &Request<'_>,
    ) -> Result<Result<Vec<Applied>, Error>> {
        let Staging { mut txn, repository, record, lane: _lane } =
            match self.begin_staging(into.name, branch, &ahead(operations, request)).await? {
                Ok(staging) => staging,
                Err(lost) => return Ok(Err(lost)),
            };
        if let Some(answer) = request.replay(self, &*txn).await? {
            return Ok(Ok(replayed(operations, &answer)));
        }
        if into.id.is_some_and(|id| id != repository.id) {
            return Err(no_repository(into.name));
        }
        let view = View::staged(&record, self.ranges(&repository).await?);
        let mut applied = Vec::with_capacity(operations.len());
        for operation in operations {
            applied.push(apply(&mut txn, &view, &record.open, operation).await?);
        }
        let existed = applied.iter().map(|applied| *applied != Applied::Missing).collect();
        request.record(self, &mut *txn, Answer::Existed(existed));
        Ok(finish(txn, branch.as_str()).await?.map_or(Ok(applied), Err))
    }

    /// Begins a transaction that may write to the open layer of a branch: inside the fence, in a lane of its own.
    /// One request reads what `ahead` names, with all that is read here. The inner error is a lost race.
    pub(crate) async fn begin_staging(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        ahead: &Ahead<'_>,
    ) -> Result<Result<Staging, Error>> {
        let hint = match self.hints().of(repository, branch) {
            Some(hint) => hint,
            None => self.look_at(repository, branch).await?,
        };
        // The lane comes before the transaction: its snapshot must see what the lane's last transaction put.
        let lane = self.lanes(hint.open.token.as_bytes(), hint.open.lanes).acquire().await;
        let mut keys = hint.branch_keys(repository, branch).to_vec();
        keys.push(hint.open.fence().key(lane.lane()));
        keys.extend(ahead.request.iter().cloned());
        keys.extend(ahead.paths.iter().flat_map(|path| hint.staged_keys(path)));
        let mut txn = transaction_ahead(self.begin().await?, &keys).await?;
        let repository = load_writable(&txn, repository).await?;
        let record = load_branch(&txn, &repository, branch).await?;
        self.hints().note(&repository, branch, &record);
        if record.open != hint.open {
            return Ok(Err(lost_race(branch.as_str())));
        }
        record.open.fence().shared(&mut *txn, lane.lane()).await?;
        Ok(Ok(Staging { txn, repository, record, lane }))
    }

    /// Reads a branch that was not seen yet, to know its lanes.
    async fn look_at(&self, repository: &RepositoryName, branch: &BranchName) -> Result<Arc<Hint>> {
        let snapshot = self.snapshot().await?;
        let repository = load_writable(&snapshot, repository).await?;
        let record = load_branch(&snapshot, &repository, branch).await?;
        Ok(self.hints().note(&repository, branch, &record))
    }
}

/// What an operation is going to read, beside the branch.
#[derive(Debug, Default)]
pub(crate) struct Ahead<'a> {
    /// Where the answer of the request would be.
    pub(crate) request: Option<Bytes>,
    /// Paths that are looked up.
    pub(crate) paths: Vec<&'a ObjectPath>,
}

fn ahead<'a>(operations: &'a [StagedOperation], request: &Request<'_>) -> Ahead<'a> {
    let looked_up = |operation: &'a StagedOperation| match operation {
        StagedOperation::Put { condition: Condition::Always, .. } => None,
        StagedOperation::Put { path, .. } | StagedOperation::Delete { path } => Some(path),
    };
    Ahead { request: Some(request.key()), paths: operations.iter().filter_map(looked_up).collect() }
}

/// The repository to stage into; with an id exactly that one, without whichever has the name.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    name: &'a RepositoryName,
    id: Option<RepositoryId>,
}

/// A transaction that may write to an open layer.
pub(crate) struct Staging {
    pub(crate) txn: Box<dyn Transaction>,
    pub(crate) repository: RepositoryRecord,
    pub(crate) record: BranchRecord,
    /// Held until the transaction has ended.
    pub(crate) lane: braid_kv::LaneGuard,
}

async fn apply(
    txn: &mut Box<dyn Transaction>,
    view: &View,
    open: &OpenLayer,
    operation: &StagedOperation,
) -> Result<Applied> {
    match operation {
        StagedOperation::Put { path, entry, condition } => {
            if *condition == Condition::IfAbsent && view.get(txn, path.as_bytes()).await?.is_some() {
                let message = format!("there is an object at '{path}' already");
                return Err(Error::new(Code::PreconditionFailed, path.as_str(), message));
            }
            txn.put(staged::key(&open.token, path.as_bytes()), staged::encode_put(&Value::of(entry)));
            Ok(Applied::Put)
        }
        StagedOperation::Delete { path } => {
            if view.get(txn, path.as_bytes()).await?.is_none() {
                return Ok(Applied::Missing);
            }
            txn.put(staged::key(&open.token, path.as_bytes()), staged::encode_tombstone());
            Ok(Applied::Deleted)
        }
    }
}

fn check(operations: &[StagedOperation]) -> Result<()> {
    if operations.is_empty() || operations.len() > limits::TRANSACTION_OPERATIONS {
        let message = format!(
            "a transaction has 1 to {} operations, not {}",
            limits::TRANSACTION_OPERATIONS,
            operations.len()
        );
        return Err(Error::new(Code::LimitExceeded, "operations", message));
    }
    for operation in operations {
        if let StagedOperation::Put { path, entry, .. } = operation {
            entry.check(path.as_str())?;
        }
    }
    Ok(())
}

fn fingerprint(
    repository: &RepositoryName,
    branch: &BranchName,
    operations: &[StagedOperation],
) -> IdentityHasher {
    let start = IdentityHasher::new().string("stage").string(repository.as_str()).string(branch.as_str());
    operations.iter().fold(start, |hasher, operation| match operation {
        StagedOperation::Put { path, entry, condition } => hasher
            .string(path.as_str())
            .object(&entry.identity())
            .string(&entry.address)
            .int64(i64::from(*condition == Condition::IfAbsent)),
        StagedOperation::Delete { path } => hasher.string(path.as_str()).bytes(b""),
    })
}

fn replayed(operations: &[StagedOperation], answer: &Answer) -> Vec<Applied> {
    let existed =
        |index: usize| !matches!(answer, Answer::Existed(existed) if existed.get(index) == Some(&false));
    let one = |(index, operation): (usize, &StagedOperation)| match operation {
        StagedOperation::Put { .. } => Applied::Put,
        StagedOperation::Delete { .. } if existed(index) => Applied::Deleted,
        StagedOperation::Delete { .. } => Applied::Missing,
    };
    operations.iter().enumerate().map(one).collect()
}
