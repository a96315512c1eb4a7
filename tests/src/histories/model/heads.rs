//! What moves heads: commits, merges, hard resets, sets of them, imports that commit, and new branches.

use std::sync::Arc;

use super::taken::{Taken, What};
use super::{Branch, State, with_imported};
use crate::histories::commits::{Commit, Maker};
use crate::histories::words::{Ask, Member, Source, To};

impl State {
    /// The states after the last moment of an operation: one for each thing that it can have taken at its first.
    pub(super) fn move_heads(&self, operation: usize, ask: &Ask) -> Vec<Self> {
        let choices = self.choices(operation, ask).into_iter();
        choices.filter_map(|taken| self.moved(operation, ask, &taken)).collect()
    }

    fn moved(&self, operation: usize, ask: &Ask, taken: &Taken) -> Option<Self> {
        let mut after = self.clone();
        let maker = (operation, 0);
        match ask {
            Ask::Commit { branch } => after.publish(maker, branch, taken)?,
            Ask::Merge { source, destination } => after.merge(maker, source, destination, taken)?,
            Ask::HardReset { branch, to: To::Back(by) } => after.go_back(branch, *by)?,
            Ask::HardReset { branch, to: To::Head(source) } => {
                let head = head_of(taken, source)?;
                after.move_head(branch, head)?;
            }
            Ask::Set { members } => after.carry_out(operation, members, taken)?,
            Ask::Import { branch, sources, .. } => after.commit_import(maker, branch, sources)?,
            Ask::CreateBranch { name, source } => after.create_branch(name, head_of(taken, source)?)?,
            _ => return None,
        }
        Some(after)
    }

    /// All members, or none: each on what those before it left.
    fn carry_out(&mut self, operation: usize, members: &[Member], taken: &Taken) -> Option<()> {
        for (number, member) in members.iter().enumerate() {
            let maker = (operation, number);
            match member {
                Member::Commit { branch } => self.publish(maker, branch, taken)?,
                Member::Merge { source, destination } => self.merge(maker, source, destination, taken)?,
                Member::Back { branch, by } => self.go_back(branch, *by)?,
                Member::Tag { name, branch } => {
                    let head = Arc::clone(&self.branches.get(branch)?.head);
                    if self.tags.insert(name.clone(), head).is_some() {
                        return None;
                    }
                }
            }
        }
        Some(())
    }

    /// A commit takes with it what was sealed before it, so that those commits have to begin later.
    fn publish(&mut self, maker: Maker, name: &str, taken: &Taken) -> Option<()> {
        let part = taken.iter().find(|part| part.branch == name)?;
        let What::Sealed(tree, version) = &part.what else { return None };
        self.forget_seals_up_to(name, *version);
        let branch = self.branches.get_mut(name)?;
        if branch.head.tree == *tree {
            return None;
        }
        branch.head = Commit::new(maker, Arc::clone(tree), vec![Arc::clone(&branch.head)]);
        Some(())
    }

    /// What was taken of the source, or what the members before it made of it, comes onto a clean branch.
    fn merge(&mut self, maker: Maker, source: &str, destination: &str, taken: &Taken) -> Option<()> {
        let made = || self.branches.get(source).map(|branch| Arc::clone(&branch.head));
        let source = head_of(taken, source).or_else(made)?;
        let merged = self.branches.get(destination)?.head.merged(maker, &source)?;
        self.move_head(destination, merged)
    }

    fn go_back(&mut self, name: &str, by: u32) -> Option<()> {
        let head = Arc::clone(self.branches.get(name)?.head.ancestor(by)?);
        self.move_head(name, head)
    }

    fn commit_import(&mut self, maker: Maker, name: &str, sources: &[Source]) -> Option<()> {
        let head = Arc::clone(&self.branches.get(name)?.head);
        let tree = with_imported(&head.tree, sources);
        self.move_head(name, Commit::new(maker, tree, vec![head]))
    }

    /// A clean branch becomes what a commit holds.
    fn move_head(&mut self, name: &str, head: Arc<Commit>) -> Option<()> {
        let branch = self.branches.get_mut(name).filter(|branch| branch.is_clean())?;
        branch.working = Arc::clone(&head.tree);
        branch.head = head;
        self.forget_seals(name);
        Some(())
    }

    fn create_branch(&mut self, name: &str, head: Arc<Commit>) -> Option<()> {
        if self.branches.contains_key(name) {
            return None;
        }
        self.branches.insert(name.to_owned(), Branch::at(head));
        Some(())
    }
}

/// The head that was taken of a branch.
fn head_of(taken: &Taken, name: &str) -> Option<Arc<Commit>> {
    let part = taken.iter().find(|part| part.branch == name)?;
    match &part.what {
        What::Head(commit) => Some(Arc::clone(commit)),
        What::Sealed(..) => None,
    }
}
