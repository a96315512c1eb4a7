//! The queue of a branch: commits, merges, reverts, cherry-picks and hard resets line up, and are published in chains.
//!
//! | word | meaning |
//! |---|---|
//! | job | one such request, with the caller that waits for its answer |
//! | line | where the jobs of a branch wait in this process, first come first served |
//! | chain | jobs that are planned one on top of the other and published in one transaction |
//! | turn | a place in the line during which no chain is made: a commit set has one on each of its branches |
//!
//! One task at a time takes what waits. A chain holds one commit of the branch's own layers, or any number of the others: these
//! need a clean branch, and each sees what the one before it made. A job that cannot be planned is answered for itself and
//! leaves the chain. A caller that goes away leaves the line; once its chain is being published, that goes on.
//!
//! The line keeps the jobs of one process from undoing each other's work. What keeps them, and other processes, from doing
//! harm is the comparison at publishing.

mod chain;
mod hooked;
mod job;
mod line;

use braid_types::{Code, CommitId, Error, Result};

pub(super) use job::{HeadJob, Work};
pub(crate) use line::Line;
pub(super) use line::Turn;

use super::stage::BranchAddress;
use crate::catalog::Catalog;

impl Catalog {
    /// Lines up a job and waits for its answer.
    ///
    /// # Errors
    /// [`Code::Busy`] when too many wait for the branch.
    pub(super) async fn line_up(&self, job: HeadJob) -> Result<CommitId> {
        let branch = job.at.branch.to_string();
        let answer = self.line(&job.at).enter(self, job)?;
        answer.await.unwrap_or_else(|_| {
            let message = format!(
                "whether branch '{branch}' was changed is not known: the task of its queue broke off"
            );
            Err(Error::new(Code::OutcomeUnknown, branch, message))
        })
    }

    /// Turns in the lines of these branches, waited for in order, so that nobody waits in a circle.
    ///
    /// # Errors
    /// [`Code::Busy`] when too many wait for one of them.
    pub(crate) async fn turns(
        &self,
        branches: impl IntoIterator<Item = &BranchAddress>,
    ) -> Result<Vec<Turn>> {
        let mut in_order: Vec<&BranchAddress> = branches.into_iter().collect();
        in_order.sort();
        in_order.dedup();
        let mut turns = Vec::with_capacity(in_order.len());
        for at in in_order {
            turns.push(self.line(at).turn(self, at).await?);
        }
        Ok(turns)
    }
}
