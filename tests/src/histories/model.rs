//! What a lake is supposed to do: its state as plain maps, and what each operation makes of it.
//!
//! Most operations happen at one moment. A commit, a merge and the making of a branch happen at two: they take what they
//! work on at one, and show their result at another. In between others may act, and the model says which of them make the
//! first moment worthless: the operation then began again, and its first moment is a later one. A state remembers, for the operations that
//! are under way, what they could have taken; which of it they took is chosen at their last moment. A listing in pages
//! happens at one moment, between the call and the answer of its first page.

mod heads;
mod taken;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::commits::Commit;
use super::words::{Answer, Ask, IMPORTED, Of, Source, To, Tree, Write};
use taken::Taken;

/// One branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Branch {
    head: Arc<Commit>,
    working: Tree,
    /// How often it was changed.
    version: u32,
}

impl Branch {
    fn at(head: Arc<Commit>) -> Self {
        Self { working: Arc::clone(&head.tree), head, version: 0 }
    }

    fn is_clean(&self) -> bool {
        self.working == self.head.tree
    }
}

/// The state of a lake, and what operations that are under way may have taken of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct State {
    branches: BTreeMap<String, Branch>,
    tags: BTreeMap<String, Arc<Commit>>,
    /// By operations.
    taken: BTreeMap<usize, Vec<Taken>>,
    /// Branches that the last operation left nothing of that was sealed before.
    forgotten: Vec<String>,
}

impl State {
    /// A lake with these empty branches.
    pub(super) fn new<'a>(branches: impl IntoIterator<Item = &'a str>) -> Self {
        let branches = branches.into_iter().map(|name| (name.to_owned(), Branch::at(Commit::first())));
        Self { branches: branches.collect(), ..Self::default() }
    }

    /// The states after an operation, each for something else that it may have taken; none if it cannot happen now with this
    /// answer. `others` are those that are under way.
    pub(super) fn after<'a>(
        &self,
        operation: usize,
        ask: &Ask,
        answer: &Answer,
        others: &(impl Iterator<Item = (usize, &'a Ask)> + Clone),
    ) -> Vec<Self> {
        let after = match (ask, answer) {
            (
                Ask::Commit { .. }
                | Ask::Merge { .. }
                | Ask::HardReset { .. }
                | Ask::Set { .. }
                | Ask::Import { commit: true, .. }
                | Ask::CreateBranch { .. },
                Answer::Done | Answer::Unknown,
            ) => self.move_heads(operation, ask),
            _ => self.at_once(ask, answer).into_iter().collect(),
        };
        after.into_iter().map(|after| after.remember(operation, self, others.clone())).collect()
    }

    /// The state after what happens at one moment, or is refused.
    fn at_once(&self, ask: &Ask, answer: &Answer) -> Option<Self> {
        match ask {
            Ask::Get { branch, of, path } => {
                let found = self.tree(branch, *of).map(|tree| Answer::Value(tree.get(path).cloned()));
                (found.unwrap_or(Answer::NoBranch) == *answer).then(|| self.clone())
            }
            Ask::List { branch, of } | Ask::Pages { branch, of } => {
                shows(self.tree(branch, *of), answer).then(|| self.clone())
            }
            Ask::Apply { writes, absent } => self.apply(writes, absent, answer),
            Ask::Move { branch, from, to } => self.rename(branch, from, to, answer),
            Ask::Erase { branch, prefix } => self.erase(branch, prefix, answer),
            Ask::Import { branch, sources, commit: false } => self.import(branch, sources, answer),
            Ask::Reset { branch } => self.reset(branch, answer),
            Ask::DeleteBranch { name } => self.delete_branch(name, answer),
            _ => self.refuses(ask, answer).then(|| self.clone()),
        }
    }

    /// Whether what moves a head can be answered so, not having happened.
    fn refuses(&self, ask: &Ask, answer: &Answer) -> bool {
        let has = |name: &String| self.branches.contains_key(name);
        match (ask, answer) {
            (Ask::CreateBranch { name, .. }, Answer::BranchExists) => has(name),
            (Ask::CreateBranch { source, .. }, Answer::NoBranch) => !has(source),
            (Ask::HardReset { branch, to: To::Head(source) }, Answer::NoBranch) => {
                !has(branch) || !has(source)
            }
            (Ask::HardReset { branch, .. } | Ask::Import { branch, .. }, Answer::NoBranch) => !has(branch),
            (Ask::HardReset { branch, to: To::Back(by) }, Answer::Nothing) => {
                self.branches.get(branch).is_some_and(|branch| branch.head.ancestor(*by).is_none())
            }
            _ => false,
        }
    }

    fn tree(&self, name: &str, of: Of) -> Option<&Tree> {
        match of {
            Of::Working => self.branches.get(name).map(|branch| &branch.working),
            Of::Head | Of::Tag => self.commit(name, of).map(|commit| &commit.tree),
        }
    }

    fn commit(&self, name: &str, of: Of) -> Option<&Arc<Commit>> {
        match of {
            Of::Working | Of::Head => self.branches.get(name).map(|branch| &branch.head),
            Of::Tag => self.tags.get(name),
        }
    }

    fn apply(&self, writes: &[Write], absent: &[(String, String)], answer: &Answer) -> Option<Self> {
        let names = writes.iter().map(|write| &write.branch).chain(absent.iter().map(|(branch, _)| branch));
        if names.clone().any(|name| !self.branches.contains_key(name)) {
            return (*answer == Answer::NoBranch).then(|| self.clone());
        }
        let has = |branch: &str, path: &str| self.branches[branch].working.contains_key(path);
        let refused = absent.iter().any(|(branch, path)| has(branch, path))
            || writes.iter().any(|write| write.if_absent && has(&write.branch, &write.path));
        let deletes_nothing = match writes {
            [Write { branch, path, value: None, .. }] => !has(branch, path),
            _ => false,
        };
        match answer {
            Answer::Refused => refused.then(|| self.clone()),
            Answer::Nothing => (!refused && deletes_nothing).then(|| self.clone()),
            Answer::Done if deletes_nothing => None,
            Answer::Done | Answer::Unknown if !refused => {
                let mut after = self.clone();
                for write in writes {
                    let branch = after.branches.get_mut(&write.branch).expect("it was looked up");
                    let tree = Arc::make_mut(&mut branch.working);
                    match &write.value {
                        Some(value) => tree.insert(write.path.clone(), value.clone()),
                        None => tree.remove(&write.path),
                    };
                }
                Some(after)
            }
            _ => None,
        }
    }

    fn rename(&self, name: &str, from: &str, to: &str, answer: &Answer) -> Option<Self> {
        let mut after = self.clone();
        let Some(branch) = after.branches.get_mut(name) else {
            return (*answer == Answer::NoBranch).then_some(after);
        };
        let has = |prefix: &str| branch.working.keys().any(|path| path.starts_with(prefix));
        match (has(from), has(to), answer) {
            (false, _, Answer::Nothing) | (true, true, Answer::Refused) => Some(after),
            (true, false, Answer::Done | Answer::Unknown) => {
                let renamed = |(path, value): (&String, &String)| {
                    let path = path.strip_prefix(from).map_or(path.clone(), |rest| format!("{to}{rest}"));
                    (path, value.clone())
                };
                branch.working = Arc::new(branch.working.iter().map(renamed).collect());
                Some(after)
            }
            _ => None,
        }
    }

    fn erase(&self, name: &str, prefix: &str, answer: &Answer) -> Option<Self> {
        let mut after = self.clone();
        let Some(branch) = after.branches.get_mut(name) else {
            return (*answer == Answer::NoBranch).then_some(after);
        };
        let before = branch.working.len();
        Arc::make_mut(&mut branch.working).retain(|path, _| !path.starts_with(prefix));
        match (branch.working.len() < before, answer) {
            (false, Answer::Nothing) | (true, Answer::Done) | (_, Answer::Unknown) => Some(after),
            _ => None,
        }
    }

    fn import(&self, name: &str, sources: &[Source], answer: &Answer) -> Option<Self> {
        let mut after = self.clone();
        match (after.branches.get_mut(name), answer) {
            (None, Answer::NoBranch) => Some(after),
            (Some(branch), Answer::Done | Answer::Unknown) => {
                branch.working = with_imported(&branch.working, sources);
                Some(after)
            }
            _ => None,
        }
    }

    fn reset(&self, name: &str, answer: &Answer) -> Option<Self> {
        let mut after = self.clone();
        match (after.branches.get_mut(name), answer) {
            (None, Answer::NoBranch) => Some(after),
            (Some(branch), Answer::Done | Answer::Unknown) => {
                branch.working = Arc::clone(&branch.head.tree);
                after.forget_seals(name);
                Some(after)
            }
            _ => None,
        }
    }

    fn delete_branch(&self, name: &str, answer: &Answer) -> Option<Self> {
        let mut after = self.clone();
        match (after.branches.remove(name), answer) {
            (None, Answer::NoBranch) => Some(after),
            (Some(_), Answer::Done | Answer::Unknown) => {
                after.forget_seals(name);
                Some(after)
            }
            _ => None,
        }
    }
}

/// Whether a listing of a branch, if there is one, is this.
fn shows(tree: Option<&Tree>, answer: &Answer) -> bool {
    match (tree, answer) {
        (None, Answer::NoBranch) => true,
        (Some(tree), Answer::Content(seen)) => tree == seen,
        (Some(tree), Answer::Beginning(seen, until)) => {
            tree.iter().take_while(|(path, _)| *path <= until).eq(seen.iter())
        }
        _ => false,
    }
}

/// A tree with what was imported: directories are what was found and nothing else, files are put beside them.
fn with_imported(tree: &Tree, sources: &[Source]) -> Tree {
    let mut tree = (**tree).clone();
    for source in sources {
        if let Source::Directory { to, .. } = source {
            tree.retain(|path, _| !path.starts_with(to.as_str()));
        }
    }
    for source in sources {
        match source {
            Source::Directory { to, value: Some(value) } => {
                tree.extend(IMPORTED.map(|file| (format!("{to}{file}"), value.clone())));
            }
            Source::Directory { value: None, .. } => {}
            Source::Object { to, value } => _ = tree.insert(to.clone(), value.clone()),
        }
    }
    Arc::new(tree)
}
