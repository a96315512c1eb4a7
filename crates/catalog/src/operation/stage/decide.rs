//! Deciding what a job does, from what its paths map to: no I/O, nothing written.

use std::collections::HashMap;

use braid_tree::Value;
use braid_types::{Code, Error, ObjectPath, Result, limits};
use bytes::Bytes;

use super::board::Board;
use super::condition::unreadable;
use super::job::Job;
use super::sources::{Committed, Source};
use super::{Applied, Condition, CopySource, StagedOperation};
use crate::record::path_change::PathState;

/// One path of one branch, before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Index of the branch.
    pub(crate) on: usize,
    pub(crate) path: Bytes,
    pub(crate) old: PathState,
    pub(crate) new: PathState,
}

/// What a job does.
#[derive(Debug, Default)]
pub(super) struct Decision {
    /// What each operation answers.
    pub(super) applied: Vec<Applied>,
    /// The changes, in the order of the operations.
    pub(super) steps: Vec<Step>,
    /// Branches and paths that the job relies on and may not write.
    pub(super) relied: Vec<(usize, Bytes)>,
    /// What the copied entries weigh so far, in bytes.
    copied_bytes: usize,
}

/// A job that is being decided: what its own operations made of paths lies over the boards.
struct Deciding<'a> {
    boards: &'a [Board],
    job: &'a Job,
    committed: &'a Committed,
    /// By branch and path.
    changed: Vec<HashMap<&'a [u8], PathState>>,
    decision: Decision,
}

/// Decides `job`: its preconditions are about what was there before it, the conditions of its operations about what is
/// there when their turn comes. `committed` has the sources of its copies that are not staged.
///
/// # Errors
/// [`Code::PreconditionFailed`] names the first path whose condition does not hold, the operation and the rule.
pub(super) fn decide(boards: &[Board], committed: &Committed, job: &Job) -> Result<Decision> {
    let changed = vec![HashMap::new(); boards.len()];
    let mut deciding = Deciding { boards, job, committed, changed, decision: Decision::default() };
    for (index, placed) in job.preconditions.iter().enumerate() {
        let what = ("precondition", index, job.preconditions.len());
        deciding.demand(placed.on, &placed.what.path, &placed.what.condition, what)?;
        deciding.rely(placed.on, &placed.what.path);
    }
    for (index, placed) in job.operations.iter().enumerate() {
        let what = ("operation", index, job.operations.len());
        let applied = deciding.operation(placed.on, &placed.what, what)?;
        deciding.decision.applied.push(applied);
    }
    Ok(deciding.decision)
}

/// What a refusal names: the kind, the index and how many there are.
type Ordinal = (&'static str, usize, usize);

impl<'a> Deciding<'a> {
    fn operation(&mut self, on: usize, operation: &'a StagedOperation, what: Ordinal) -> Result<Applied> {
        match operation {
            StagedOperation::Put { path, entry, condition } => {
                self.demand(on, path, condition, what)?;
                self.change(on, path, PathState::Put(Value::of(entry)));
                Ok(Applied::Put)
            }
            StagedOperation::Delete { path, condition } => {
                self.demand(on, path, condition, what)?;
                if self.value(on, path).is_none() {
                    // Answering that there was nothing relies on it.
                    self.rely(on, path);
                    return Ok(Applied::Missing);
                }
                self.change(on, path, PathState::Deleted);
                Ok(Applied::Deleted)
            }
            StagedOperation::Move { source, destination, overwrite } => {
                self.move_object(on, source, destination, *overwrite)
            }
            StagedOperation::Copy { source, path, metadata, condition } => {
                let value = self.copied(source, what.1)?;
                self.demand(on, path, condition, what)?;
                let unreadable = |error| unreadable(&format!("'{}'", source.path), &error);
                let mut entry = value.entry().map_err(unreadable)?;
                let value = match metadata {
                    None => value,
                    Some(metadata) => {
                        entry.metadata.clone_from(metadata);
                        Value::of(&entry)
                    }
                };
                self.weigh(path, &value)?;
                self.change(on, path, PathState::Put(value));
                Ok(Applied::Copied(entry))
            }
        }
    }

    fn move_object(
        &mut self,
        on: usize,
        source: &'a ObjectPath,
        destination: &'a ObjectPath,
        overwrite: bool,
    ) -> Result<Applied> {
        let (from, to) = (self.job.place(on, source), self.job.place(on, destination));
        if source == destination {
            let message = format!("{from} cannot be moved to where it is");
            return Err(Error::new(Code::IntoItself, source.as_str(), message));
        }
        let Some(value) = self.value(on, source).cloned() else {
            let message = format!("there is no object {from}");
            return Err(Error::new(Code::ObjectNotFound, source.as_str(), message));
        };
        if !overwrite && self.value(on, destination).is_some() {
            let message = format!("there is an object {to} already");
            return Err(Error::new(Code::DestinationExists, destination.as_str(), message));
        }
        self.change(on, destination, PathState::Put(value));
        self.change(on, source, PathState::Deleted);
        Ok(Applied::Moved)
    }

    /// What the copy with this index copies.
    fn copied(&mut self, source: &'a CopySource, index: usize) -> Result<Value> {
        let found = match self.job.source(index) {
            Source::Staged(on) => {
                self.rely(on, &source.path);
                self.value(on, &source.path).cloned()
            }
            Source::Committed => self.committed.value(index)?,
        };
        found.ok_or_else(|| {
            let path = &source.path;
            let message = match &source.reference {
                Some(reference) => format!("there is no object '{path}' at '{reference}'"),
                None => format!("there is no object '{path}'"),
            };
            Error::new(Code::ObjectNotFound, path.as_str(), message)
        })
    }

    fn weigh(&mut self, path: &ObjectPath, value: &Value) -> Result<()> {
        let most = limits::COPIED_ENTRY_BYTES;
        self.decision.copied_bytes += value.as_bytes().len();
        if self.decision.copied_bytes <= most {
            return Ok(());
        }
        let message = format!(
            "with the copy to '{path}' the transaction's copied entries weigh more than {most} bytes together"
        );
        Err(Error::new(Code::LimitExceeded, path.as_str(), message))
    }

    fn demand(&self, on: usize, path: &ObjectPath, condition: &Condition, what: Ordinal) -> Result<()> {
        if !condition.needs_value() {
            return Ok(());
        }
        let Some(reason) = condition.refusal(self.value(on, path), &self.job.place(on, path))? else {
            return Ok(());
        };
        let (kind, index, count) = what;
        let rule = condition.rule();
        let message = match (kind, count) {
            ("operation", 1) => format!("{reason} ({rule})"),
            _ => format!("{kind} {} of {count} ({rule}): {reason}", index + 1),
        };
        Err(Error::new(Code::PreconditionFailed, path.as_str(), message))
    }

    fn state(&self, on: usize, path: &[u8]) -> &PathState {
        self.changed[on].get(path).unwrap_or_else(|| self.boards[on].state(path))
    }

    fn value(&self, on: usize, path: &ObjectPath) -> Option<&Value> {
        let path = path.as_bytes();
        self.boards[on].value(path, self.state(on, path))
    }

    fn rely(&mut self, on: usize, path: &ObjectPath) {
        self.decision.relied.push((on, Bytes::copy_from_slice(path.as_bytes())));
    }

    fn change(&mut self, on: usize, path: &'a ObjectPath, new: PathState) {
        let old = self.state(on, path.as_bytes()).clone();
        self.changed[on].insert(path.as_bytes(), new.clone());
        let path = Bytes::copy_from_slice(path.as_bytes());
        self.decision.steps.push(Step { on, path, old, new });
    }
}
