//! Transactions that write to open layers: inside the fences, in lanes of their own, with their rows in the change log.

use std::collections::BTreeMap;
use std::sync::Arc;

use braid_kv::{LaneGuard, Transaction, transaction_ahead};
use braid_types::{BranchName, Error, RepositoryName, Result};
use bytes::Bytes;

use super::decide::Step;
use super::job::BranchAddress;
use crate::catalog::{Catalog, decode_branch, decode_writable, finish};
use crate::hints::Hint;
use crate::mutation::{Mutation, lost_race};
use crate::record::path_change::{self, PathChange};
use crate::record::{self, BranchRecord, RepositoryRecord, staged};
use crate::view::Reads;

/// A transaction that may write to the open layers of some branches. Nothing of it is committed but by
/// [`Staging::finish`], which passes every fence.
pub(crate) struct Staging {
    pub(crate) txn: Box<dyn Transaction>,
    pub(crate) branches: Vec<Entered>,
    /// For each branch its rows in the change log.
    log: Vec<Vec<PathChange>>,
}

/// A branch as the transaction sees it.
pub(crate) struct Entered {
    pub(crate) repository: RepositoryRecord,
    pub(crate) branch: BranchName,
    pub(crate) record: BranchRecord,
    /// Held until the transaction has ended.
    lane: LaneGuard,
}

impl Catalog {
    /// Begins a transaction that may write to the open layers of these branches, which are all different. One request
    /// reads what `ahead` names, with all that is read here. The inner error is a lost race.
    pub(crate) async fn begin_staging(
        &self,
        at: &[BranchAddress],
        ahead: &Ahead,
    ) -> Result<Result<Staging, Error>> {
        let hints = self.branch_hints(at).await?;
        // The lanes come before the transaction: its snapshot must see what the lanes' last transactions put.
        let mut lanes = self.acquire_lanes(&hints).await;
        let txn = transaction_ahead(self.begin().await?, &ahead.keys(at, &hints, &lanes)).await?;
        let seen = load_branches(&txn, at).await?;
        for (at, (repository, record)) in at.iter().zip(&seen) {
            self.hints().note(repository, &at.branch, record);
        }
        let mut branches = Vec::with_capacity(at.len());
        for (index, (repository, record)) in seen.into_iter().enumerate() {
            if record.open != hints[index].open {
                return Ok(Err(lost_race(at[index].branch.as_str())));
            }
            let lane = lanes.remove(&index).expect("every branch was given a lane");
            let branch = at[index].branch.clone();
            branches.push(Entered { repository, branch, record, lane });
        }
        let log = branches.iter().map(|_| Vec::new()).collect();
        Ok(Ok(Staging { txn, branches, log }))
    }

    /// What was last seen of these branches. Those not seen yet are read, to know their lanes.
    async fn branch_hints(&self, at: &[BranchAddress]) -> Result<Vec<Arc<Hint>>> {
        let known = |at: &BranchAddress| self.hints().of(&at.repository, &at.branch);
        if let Some(hints) = at.iter().map(known).collect() {
            return Ok(hints);
        }
        let seen = load_branches(&self.snapshot().await?, at).await?;
        let note = |(at, (repository, record)): (&BranchAddress, &(RepositoryRecord, BranchRecord))| {
            self.hints().note(repository, &at.branch, record)
        };
        Ok(at.iter().zip(&seen).map(note).collect())
    }

    /// A lane of each branch, by index. They are waited for in the order of the tokens, the same for everybody, so that
    /// nobody waits in a circle.
    async fn acquire_lanes(&self, branches: &[Arc<Hint>]) -> BTreeMap<usize, LaneGuard> {
        let mut order: Vec<usize> = (0..branches.len()).collect();
        order.sort_by_key(|&index| branches[index].open.token);
        let mut lanes = BTreeMap::new();
        for index in order {
            let open = &branches[index].open;
            lanes.insert(index, self.lanes(open.token.as_bytes(), open.lanes).acquire().await);
        }
        lanes
    }
}

/// What an operation is going to read, beside the branches.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    /// Where the answers of requests would be.
    pub(crate) requests: Vec<Bytes>,
    /// Paths that are looked up, each on the branch with this index.
    pub(crate) paths: Vec<(usize, Bytes)>,
}

impl Ahead {
    fn keys(
        &self,
        at: &[BranchAddress],
        hints: &[Arc<Hint>],
        lanes: &BTreeMap<usize, LaneGuard>,
    ) -> Vec<Bytes> {
        let mut keys = self.requests.clone();
        for (index, (at, hint)) in at.iter().zip(hints).enumerate() {
            keys.extend(hint.branch_keys(&at.repository, &at.branch));
            keys.push(hint.open.fence().key(lanes[&index].lane()));
        }
        keys.extend(self.paths.iter().flat_map(|(on, path)| hints[*on].staged_keys(path)));
        keys
    }
}

impl Staging {
    /// Carries out one step, with its row in the change log.
    pub(crate) fn step(&mut self, catalog: &Catalog, step: Step, by: &Mutation) {
        let key = staged::key(&self.branches[step.on].record.open.token, &step.path);
        match step.new.encode_staged() {
            Some(row) => self.txn.put(key, row),
            None => self.txn.delete(key),
        }
        self.log[step.on].push(PathChange {
            stamp: self.txn.timestamp(),
            time: catalog.now(),
            by: by.clone(),
            path: step.path,
            old: step.old,
            new: step.new,
        });
    }

    /// Makes the transaction depend on what a path of a branch maps to: whoever stages the path meanwhile conflicts with
    /// it. What lies below the open layer changes only under the fence.
    pub(crate) fn rely_on(&mut self, branch: usize, path: &[u8]) {
        self.txn.lock(staged::key(&self.branches[branch].record.open.token, path));
    }

    /// Passes the fence of every branch, in the order of the tokens, writes the change log and commits. `None` if it was
    /// committed, else the race that was lost.
    pub(crate) async fn finish(mut self, subject: &str) -> Result<Option<Error>> {
        let mut order: Vec<usize> = (0..self.branches.len()).collect();
        order.sort_by_key(|&index| self.branches[index].record.open.token);
        for index in order {
            self.pass(index).await?;
        }
        finish(self.txn, subject).await
    }

    /// Passes the fence of a branch, and numbers its rows in the change log as the fence says.
    pub(crate) async fn pass(&mut self, index: usize) -> Result<()> {
        let open = &self.branches[index].record.open;
        let rows = std::mem::take(&mut self.log[index]);
        let lane = self.branches[index].lane.lane();
        let pass = open.fence().shared_many(&mut *self.txn, lane, rows.len() as u64).await?;
        for (number, row) in (pass.number..).zip(rows) {
            self.txn.put(path_change::key(&open.token, pass.lane, number), row.encode());
        }
        Ok(())
    }
}

/// The branches at these addresses, for a mutation. Two reads, however many there are.
async fn load_branches(
    reads: &dyn Reads,
    at: &[BranchAddress],
) -> Result<Vec<(RepositoryRecord, BranchRecord)>> {
    let names: Vec<&RepositoryName> = at.iter().map(|at| &at.repository).collect();
    let keys: Vec<_> = names.iter().map(|name| record::repository::key(name)).collect();
    let rows = reads.get_many(&keys).await?;
    let repositories =
        names.iter().zip(rows).map(|(name, row)| decode_writable(name, row)).collect::<Result<Vec<_>>>()?;
    let keys: Vec<_> = repositories
        .iter()
        .zip(at)
        .map(|(repository, at)| record::branch::key(&repository.id, &at.branch))
        .collect();
    let rows = reads.get_many(&keys).await?;
    repositories
        .into_iter()
        .zip(at.iter().zip(rows))
        .map(|(repository, (at, row))| {
            let record = decode_branch(&repository, &at.branch, row)?;
            Ok((repository, record))
        })
        .collect()
}
