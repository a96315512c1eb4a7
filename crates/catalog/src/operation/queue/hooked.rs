//! Asking hooks about the jobs of a chain, and telling them what was made.

use braid_types::{CommitId, Error};
use futures::future::join_all;

use super::job::{HeadJob, Work};
use super::line::Waiter;
use crate::catalog::Catalog;
use crate::hooks::{HookEvent, HookedChange};
use crate::operation::pick::Direction;

impl HeadJob {
    /// What hooks are asked about and told of; none for what makes no commit of its caller's.
    fn event(&self) -> Option<HookEvent<'_>> {
        let (change, source, message, metadata) = match &self.work {
            Work::Commit(commit) => (HookedChange::Commit, None, &commit.message, &commit.metadata),
            Work::Tree(tree) => (HookedChange::Commit, None, &tree.message, &tree.metadata),
            Work::Pull(pull) => {
                (HookedChange::Merge, Some(&pull.source), &pull.merge.message, &pull.merge.metadata)
            }
            Work::Merge(merge) => (HookedChange::Merge, Some(&merge.source), &merge.message, &merge.metadata),
            Work::Pick { pick, direction, .. } => {
                let change = match direction {
                    Direction::Revert => HookedChange::Revert,
                    Direction::CherryPick => HookedChange::CherryPick,
                };
                (change, Some(&pick.commit), &pick.message, &pick.metadata)
            }
            Work::HardReset(_) | Work::Import(_) => return None,
        };
        let (repository, branch, by) = (&self.at.repository, &self.at.branch, self.by());
        Some(HookEvent { change, repository, branch, source, by, message, metadata })
    }
}

impl Catalog {
    /// Asks the hooks about each job, once: those that go on, and those that a hook refuses.
    pub(super) async fn ask_hooks(&self, waiting: Vec<Waiter>) -> (Vec<Waiter>, Vec<(Waiter, Error)>) {
        if self.hooks().is_empty() {
            return (waiting, Vec::new());
        }
        let asked = join_all(waiting.into_iter().map(async |mut waiter: Waiter| {
            let first = !std::mem::replace(&mut waiter.asked, true);
            let refused = match waiter.job.event().filter(|_| first) {
                Some(event) => self.hooks().ask(&event).await.err(),
                None => None,
            };
            (waiter, refused)
        }));
        let (mut goes_on, mut refused) = (Vec::new(), Vec::new());
        for (waiter, error) in asked.await {
            match error {
                None => goes_on.push(waiter),
                Some(error) => refused.push((waiter, error)),
            }
        }
        (goes_on, refused)
    }

    /// Tells the hooks what became of a job that they were asked about.
    pub(super) async fn tell_hooks(&self, waiter: &Waiter, made: CommitId) {
        if let Some(event) = waiter.job.event().filter(|_| waiter.asked) {
            self.hooks().tell(&event, made).await;
        }
    }
}
