//! Boards: what the paths of one branch map to, as far as a transaction asks.

use std::collections::{BTreeSet, HashMap};

use braid_tree::Value;
use braid_types::Result;
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::StagedOperation;
use super::job::Job;
use super::sources::Source;
use super::staging::Entered;
use crate::catalog::Catalog;
use crate::record::path_change::PathState;
use crate::record::{BranchRecord, staged};
use crate::view::{Reads, Stack, Trace};

/// Most ranges read at once, for the preconditions and deletes of one transaction.
const PARALLEL_LOOKUPS: usize = 16;

/// What the paths of one branch map to. Every path that an operation names is on it.
#[derive(Debug, Default)]
pub(crate) struct Board {
    states: HashMap<Bytes, PathState>,
    /// What the tree below the layers has at those paths of which it matters.
    committed: HashMap<Bytes, Option<Value>>,
}

impl Board {
    pub(crate) fn state(&self, path: &[u8]) -> &PathState {
        self.states.get(path).expect("every path that is asked for was read")
    }

    pub(crate) fn set(&mut self, path: Bytes, state: PathState) {
        self.states.insert(path, state);
    }

    /// The value that `state` of `path` stands for.
    pub(crate) fn value<'a>(&'a self, path: &[u8], state: &'a PathState) -> Option<&'a Value> {
        match state {
            PathState::Put(value) => Some(value),
            PathState::Deleted => None,
            PathState::Committed { .. } => {
                self.committed.get(path).expect("every path whose value is asked for was looked up").as_ref()
            }
        }
    }
}

/// Which paths of one branch are asked for.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub(super) all: BTreeSet<Bytes>,
    /// Those of which the value matters.
    values: BTreeSet<Bytes>,
}

/// Reads what is asked for, a board a branch, and the rows under `keys` in the same step. No range is opened but for a
/// delete or a precondition of a path that no layer mentions.
pub(super) async fn read_boards(
    catalog: &Catalog,
    reads: &dyn Reads,
    branches: &[Entered],
    asked: &[Asked],
    keys: Vec<Bytes>,
) -> Result<(Vec<Board>, Vec<Option<Bytes>>)> {
    let known = keys.len();
    let mut wanted = keys;
    let traces: Vec<Vec<Trace>> =
        branches.iter().zip(asked).map(|(on, asked)| traces(&on.record, asked)).collect();
    wanted.extend(traces.iter().flatten().flat_map(keys_of));
    let mut rows = reads.get_many(&wanted).await?;
    let mut layers = rows.split_off(known).into_iter();
    let mut boards = Vec::with_capacity(branches.len());
    for ((branch, asked), traces) in branches.iter().zip(asked).zip(traces) {
        let mut board = Board::default();
        for (path, trace) in asked.all.iter().zip(traces) {
            let state = newest_state(path, layers.by_ref().take(trace.staged.len()), trace)?;
            board.set(path.clone(), state);
        }
        look_up(catalog, branch, &mut board, &asked.values).await?;
        boards.push(board);
    }
    Ok((boards, rows))
}

/// What jobs ask for, of each of their branches.
pub(super) fn asked(branches: usize, jobs: &[&Job]) -> Vec<Asked> {
    let mut asked: Vec<Asked> = std::iter::repeat_with(Asked::default).take(branches).collect();
    for job in jobs {
        for placed in &job.preconditions {
            asked[placed.on].path(placed.what.path.as_bytes(), true);
        }
        for (index, placed) in job.operations.iter().enumerate() {
            match &placed.what {
                StagedOperation::Put { path, condition, .. } => {
                    asked[placed.on].path(path.as_bytes(), condition.needs_value());
                }
                StagedOperation::Delete { path, .. } => asked[placed.on].path(path.as_bytes(), true),
                StagedOperation::Move { source, destination, overwrite } => {
                    asked[placed.on].path(source.as_bytes(), true);
                    asked[placed.on].path(destination.as_bytes(), !overwrite);
                }
                StagedOperation::Copy { source, path, condition, .. } => {
                    asked[placed.on].path(path.as_bytes(), condition.needs_value());
                    if let Source::Staged(on) = job.source(index) {
                        asked[on].path(source.path.as_bytes(), true);
                    }
                }
            }
        }
    }
    asked
}

impl Asked {
    fn path(&mut self, path: &[u8], value: bool) {
        let path = Bytes::copy_from_slice(path);
        if value {
            self.values.insert(path.clone());
        }
        self.all.insert(path);
    }
}

fn traces(branch: &BranchRecord, asked: &Asked) -> Vec<Trace> {
    let stack = Stack::staged(branch);
    asked.all.iter().map(|path| stack.trace(path)).collect()
}

fn keys_of(trace: &Trace) -> impl Iterator<Item = Bytes> {
    trace.staged.iter().map(|(token, path)| staged::key(token, path))
}

/// What a path maps to by what each staged layer has at it, the newest first. Takes all rows there are.
fn newest_state(path: &[u8], layers: impl Iterator<Item = Option<Bytes>>, trace: Trace) -> Result<PathState> {
    match layers.fold(None, Option::or) {
        Some(row) => Ok(PathState::staged(staged::decode(&row)?)),
        None => Ok(PathState::below(path, trace.bottom)),
    }
}

/// What paths of a branch map to, in their order.
pub(crate) async fn staged_states(
    reads: &dyn Reads,
    branch: &BranchRecord,
    paths: &[Bytes],
) -> Result<Vec<PathState>> {
    let stack = Stack::staged(branch);
    let traces: Vec<Trace> = paths.iter().map(|path| stack.trace(path)).collect();
    let keys: Vec<Bytes> = traces.iter().flat_map(keys_of).collect();
    let mut rows = reads.get_many(&keys).await?.into_iter();
    let state =
        |(path, trace): (&Bytes, Trace)| newest_state(path, rows.by_ref().take(trace.staged.len()), trace);
    paths.iter().zip(traces).map(state).collect()
}

/// Reads from trees what no staged layer tells.
async fn look_up(
    catalog: &Catalog,
    branch: &Entered,
    board: &mut Board,
    values: &BTreeSet<Bytes>,
) -> Result<()> {
    let below = |path: &Bytes| match board.state(path) {
        PathState::Committed { tree, at } => Some((path.clone(), *tree, at.clone())),
        PathState::Put(_) | PathState::Deleted => None,
    };
    let below: Vec<_> = values.iter().filter_map(below).collect();
    if below.is_empty() {
        return Ok(());
    }
    let ranges = catalog.ranges(&branch.repository).await?;
    let found: Vec<(Bytes, Option<Value>)> = stream::iter(below)
        .map(|(path, tree, at)| {
            let ranges = &ranges;
            async move {
                let record = braid_tree::lookup(&**ranges, tree, at.as_ref().unwrap_or(&path)).await?;
                Ok::<_, braid_types::Error>((path, record.map(|record| record.value)))
            }
        })
        .buffered(PARALLEL_LOOKUPS)
        .try_collect()
        .await?;
    board.committed.extend(found);
    Ok(())
}
