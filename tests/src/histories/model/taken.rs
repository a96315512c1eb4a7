//! What operations of two moments take at their first.

use std::sync::Arc;

use super::State;
use crate::histories::commits::Commit;
use crate::histories::words::{Ask, Of, Tree};

/// What an operation takes of its branches at one moment.
pub(super) type Taken = Vec<Part>;

/// What it takes of one branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Part {
    pub(super) branch: String,
    pub(super) what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// What was sealed: the content, and how often that had changed.
    Sealed(Tree, u32),
    /// The head.
    Head(Arc<Commit>),
}

impl Part {
    /// The version of a branch that was sealed.
    fn sealed(&self, branch: &str) -> Option<u32> {
        match &self.what {
            What::Sealed(_, version) if self.branch == branch => Some(*version),
            _ => None,
        }
    }

    fn is_still(&self, state: &State) -> bool {
        state.branches.get(&self.branch).is_some_and(|branch| match &self.what {
            What::Sealed(tree, _) => *tree == branch.working,
            What::Head(commit) => *commit == branch.head,
        })
    }
}

impl State {
    /// All that an operation may have taken: before, or now.
    pub(super) fn choices(&self, operation: usize, ask: &Ask) -> Vec<Taken> {
        let before = self.taken.get(&operation).into_iter().flatten().cloned();
        before.chain(self.take(ask)).collect()
    }

    /// What an operation takes now.
    fn take(&self, ask: &Ask) -> Option<Taken> {
        let takes = ask.takes().into_iter();
        takes.map(|(name, of)| self.part(name, of)).collect()
    }

    fn part(&self, name: &str, of: Of) -> Option<Part> {
        let branch = self.branches.get(name)?;
        let what = match of {
            Of::Working => What::Sealed(Arc::clone(&branch.working), branch.version),
            Of::Head | Of::Tag => What::Head(Arc::clone(&branch.head)),
        };
        Some(Part { branch: name.to_owned(), what })
    }

    /// This state, which an operation made of `before`, with what others could have taken just before it. That is kept only where
    /// it makes a difference.
    pub(super) fn remember<'a>(
        mut self,
        operation: usize,
        before: &Self,
        others: impl Iterator<Item = (usize, &'a Ask)>,
    ) -> Self {
        self.taken.remove(&operation);
        let forgotten = std::mem::take(&mut self.forgotten);
        for (other, ask) in others.filter(|(other, _)| *other != operation) {
            let Some(taken) = before.take(ask) else { continue };
            let is_gone =
                forgotten.iter().any(|branch| taken.iter().any(|part| part.sealed(branch).is_some()));
            if !is_gone && !taken.iter().all(|part| part.is_still(&self)) {
                self.taken.entry(other).or_default().push(taken);
            }
        }
        for (name, branch) in &mut self.branches {
            let changed = before.branches.get(name).is_some_and(|old| old.working != branch.working);
            branch.version += u32::from(changed);
        }
        self
    }

    /// What was sealed on a branch is gone: who was about to commit it begins later.
    pub(super) fn forget_seals(&mut self, branch: &str) {
        self.forget(|part| part.sealed(branch).is_some());
        self.forgotten.push(branch.to_owned());
    }

    /// What was sealed with this version or before it is committed: who was about to commit it begins later.
    pub(super) fn forget_seals_up_to(&mut self, branch: &str, newest: u32) {
        self.forget(|part| part.sealed(branch).is_some_and(|version| version <= newest));
    }

    fn forget(&mut self, is_gone: impl Fn(&Part) -> bool) {
        self.taken.values_mut().for_each(|taken| taken.retain(|parts| !parts.iter().any(&is_gone)));
        self.taken.retain(|_, taken| !taken.is_empty());
    }
}
