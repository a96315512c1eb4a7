//! Hooks: who is asked before a branch gets a new commit, and told afterwards.
//!
//! A hook is asked once for each request and told once of what came of it, however often the request's publish loses its race
//! and is planned anew. It is asked when the request was found not to be done already, before anything is planned for it,
//! and told before its caller has the answer. A node that dies in between tells nobody.
//!
//! The queue of the branch waits meanwhile, so hooks must not take long.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use braid_types::{BranchName, Code, CommitId, Error, RefExpression, RepositoryName, Result};

use crate::mutation::Mutation;

/// What is to be done on a branch, or was.
#[derive(Debug, Clone, Copy)]
pub struct HookEvent<'a> {
    /// What makes the commit.
    pub change: HookedChange,
    /// The repository.
    pub repository: &'a RepositoryName,
    /// The branch that gets the commit.
    pub branch: &'a BranchName,
    /// What is merged, or whose change is undone or done again.
    pub source: Option<&'a RefExpression>,
    /// Who asks, and under which request id.
    pub by: &'a Mutation,
    /// What is said of the commit; empty for a standard text.
    pub message: &'a str,
    /// Keys and values that the commit is to have.
    pub metadata: &'a BTreeMap<String, String>,
}

/// What makes a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookedChange {
    /// A commit of what is staged.
    Commit,
    /// A merge.
    Merge,
    /// A commit that undoes another.
    Revert,
    /// A commit that does another again.
    CherryPick,
}

/// Somebody who is asked and told. What it does not care for it leaves as it is.
#[async_trait]
pub trait Hook: Send + Sync {
    /// What refusals call it.
    fn name(&self) -> &str;

    /// Asked before a commit, a revert or a cherry-pick. Whoever refuses says why.
    async fn before_commit(&self, _event: &HookEvent<'_>) -> std::result::Result<(), String> {
        Ok(())
    }

    /// Told of a commit, a revert or a cherry-pick that was made.
    async fn after_commit(&self, _event: &HookEvent<'_>, _commit: CommitId) {}

    /// Asked before a merge. Whoever refuses says why.
    async fn before_merge(&self, _event: &HookEvent<'_>) -> std::result::Result<(), String> {
        Ok(())
    }

    /// Told of a merge that was made.
    async fn after_merge(&self, _event: &HookEvent<'_>, _commit: CommitId) {}
}

/// All hooks of a catalog, in the order in which they are asked.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Arc<[Arc<dyn Hook>]>);

impl Hooks {
    pub(crate) fn new(hooks: Vec<Arc<dyn Hook>>) -> Self {
        Self(hooks.into())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Asks one after another.
    ///
    /// # Errors
    /// [`Code::PreconditionFailed`] names the first hook that refuses, and says why.
    pub(crate) async fn ask(&self, event: &HookEvent<'_>) -> Result<()> {
        for hook in &*self.0 {
            let answer = match event.change {
                HookedChange::Merge => hook.before_merge(event).await,
                HookedChange::Commit | HookedChange::Revert | HookedChange::CherryPick => {
                    hook.before_commit(event).await
                }
            };
            answer.map_err(|reason| refused(hook.name(), event, &reason))?;
        }
        Ok(())
    }

    /// Tells one after another what was made.
    pub(crate) async fn tell(&self, event: &HookEvent<'_>, commit: CommitId) {
        for hook in &*self.0 {
            match event.change {
                HookedChange::Merge => hook.after_merge(event, commit).await,
                HookedChange::Commit | HookedChange::Revert | HookedChange::CherryPick => {
                    hook.after_commit(event, commit).await;
                }
            }
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|hook| hook.name())).finish()
    }
}

impl HookedChange {
    /// The change as its users call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commit => "commit",
            Self::Merge => "merge",
            Self::Revert => "revert",
            Self::CherryPick => "cherry-pick",
        }
    }
}

fn refused(hook: &str, event: &HookEvent<'_>, reason: &str) -> Error {
    let HookEvent { change, repository, branch, .. } = event;
    let change = change.name();
    let message =
        format!("hook '{hook}' refuses the {change} to branch '{branch}' of '{repository}': {reason}");
    Error::new(Code::PreconditionFailed, hook, message)
}
