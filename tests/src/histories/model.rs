//! What a lake is supposed to do: its state as plain maps, and what each operation makes of it.
//!
//! Most operations happen at one moment. A commit, a merge and the making of a branch happen at two: they read what they
//! work on at one, and show their result at another. In between others may act, and the model says which of them make the
//! first moment worthless: the operation then began again, and its first moment is a later one.

use std::collections::BTreeMap;
use std::sync::Arc;

/// What paths hold.
pub(super) type Tree = Arc<BTreeMap<String, String>>;

/// Which state of a branch is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Of {
    /// With what is not committed.
    Working,
    /// The newest commit.
    Head,
}

/// What one step of a transaction does to a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Write {
    pub(super) branch: String,
    pub(super) path: String,
    /// `None` deletes.
    pub(super) value: Option<String>,
    /// There must be nothing before.
    pub(super) if_absent: bool,
}

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Ask {
    Get {
        branch: String,
        of: Of,
        path: String,
    },
    List {
        branch: String,
        of: Of,
    },
    /// One put or delete, or several on several branches, together with paths at which there must be nothing.
    Apply {
        writes: Vec<Write>,
        absent: Vec<(String, String)>,
    },
    /// Renames a directory to where nothing may be.
    Move {
        branch: String,
        from: String,
        to: String,
    },
    /// Deletes everything under a prefix.
    Erase {
        branch: String,
        prefix: String,
    },
    Reset {
        branch: String,
    },
    Commit {
        branch: String,
    },
    /// Merges the only folder in which the source ever writes: the destination then has there what the source has.
    Merge {
        source: String,
        destination: String,
    },
    CreateBranch {
        name: String,
        source: String,
    },
    DeleteBranch {
        name: String,
    },
}

/// What a client was told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Answer {
    /// It was done.
    Done,
    /// What a path holds.
    Value(Option<String>),
    /// What a branch holds.
    Content(Tree),
    /// There is no such branch.
    NoBranch,
    /// A branch of that name is there already.
    BranchExists,
    /// What had to be absent is not.
    Refused,
    /// There was nothing to delete or to move.
    Nothing,
    /// Whether it was, or ever will be, done is not known.
    Unknown,
    /// It was not done, for a reason that says nothing of the lake.
    Failed,
}

/// One branch.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Branch {
    head: Tree,
    working: Tree,
    /// How many commits were made on it; merges of it are compared by this.
    commits: u32,
    /// How many commits of which other branch have been merged.
    merged: BTreeMap<String, u32>,
}

/// What an operation of two moments took with it from the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Taken {
    operation: usize,
    branch: String,
    tree: Tree,
    commits: u32,
}

/// The state of a lake, and of the operations that are between their moments.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(super) struct State {
    branches: BTreeMap<String, Branch>,
    /// Commits, in the order in which they sealed what they commit.
    sealed: Vec<Taken>,
    /// Merges and branches to be: what was the source's head.
    sources: Vec<Taken>,
}

impl Ask {
    /// At how many moments it happens if it is answered so.
    pub(super) fn moments(&self, answer: &Answer) -> u8 {
        match (self, answer) {
            (Self::CreateBranch { .. }, Answer::BranchExists) => 1,
            (Self::Commit { .. } | Self::Merge { .. } | Self::CreateBranch { .. }, _) => 2,
            _ => 1,
        }
    }
}

impl Ask {
    /// What it takes at its first moment of two.
    pub(super) fn takes(&self) -> Option<(&str, Of)> {
        match self {
            Self::Commit { branch } => Some((branch, Of::Working)),
            Self::Merge { source, .. } | Self::CreateBranch { source, .. } => Some((source, Of::Head)),
            _ => None,
        }
    }
}

/// The folder in which a branch alone writes.
pub(super) fn folder(branch: &str) -> String {
    format!("{branch}/")
}

impl State {
    /// A lake with one empty branch.
    pub(super) fn new(branch: &str) -> Self {
        let empty =
            Branch { head: Tree::default(), working: Tree::default(), commits: 0, merged: BTreeMap::new() };
        Self { branches: BTreeMap::from([(branch.to_owned(), empty)]), ..Self::default() }
    }

    /// The state after the next moment of an operation, of which `passed` are over; `None` if it cannot happen now with
    /// this answer.
    pub(super) fn after(&self, operation: usize, ask: &Ask, answer: &Answer, passed: u8) -> Option<Self> {
        match (ask, answer) {
            (Ask::Get { branch, of, path }, _) => {
                let found = self.tree(branch, *of).map(|tree| Answer::Value(tree.get(path).cloned()));
                (found.unwrap_or(Answer::NoBranch) == *answer).then(|| self.clone())
            }
            (Ask::List { branch, of }, _) => {
                let found = self.tree(branch, *of).map(|tree| Answer::Content(Arc::clone(tree)));
                (found.unwrap_or(Answer::NoBranch) == *answer).then(|| self.clone())
            }
            (Ask::Apply { writes, absent }, _) => self.apply(writes, absent, answer),
            (Ask::Move { branch, from, to }, _) => self.rename(branch, from, to, answer),
            (Ask::Erase { branch, prefix }, _) => self.erase(branch, prefix, answer),
            (Ask::Reset { branch }, _) => self.reset(branch, answer),
            (Ask::DeleteBranch { name }, _) => self.delete_branch(name, answer),
            (Ask::Commit { branch }, Answer::Done | Answer::Unknown) => match passed {
                0 => self.seal(operation, branch),
                _ => self.publish(operation, branch),
            },
            (Ask::Merge { source, destination }, Answer::Done | Answer::Unknown) => match passed {
                0 => self.take_source(operation, source),
                _ => self.merge(operation, source, destination),
            },
            (Ask::CreateBranch { name, source }, Answer::Done | Answer::Unknown) => match passed {
                0 => self.take_source(operation, source),
                _ => self.create_branch(operation, name),
            },
            (Ask::CreateBranch { name, .. }, Answer::BranchExists) => {
                self.branches.contains_key(name).then(|| self.clone())
            }
            _ => None,
        }
    }

    /// Whether a branch is the same in both.
    pub(super) fn agrees(&self, other: &Self, branch: &str, of: Of) -> bool {
        self.tree(branch, of) == other.tree(branch, of)
    }

    fn tree(&self, branch: &str, of: Of) -> Option<&Tree> {
        let branch = self.branches.get(branch)?;
        Some(match of {
            Of::Working => &branch.working,
            Of::Head => &branch.head,
        })
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

    fn reset(&self, name: &str, answer: &Answer) -> Option<Self> {
        let mut after = self.clone();
        match (after.branches.get_mut(name), answer) {
            (None, Answer::NoBranch) => Some(after),
            (Some(branch), Answer::Done | Answer::Unknown) => {
                branch.working = Arc::clone(&branch.head);
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

    /// What was sealed on a branch is gone: who was about to commit it begins later.
    fn forget_seals(&mut self, branch: &str) {
        self.sealed.retain(|taken| taken.branch != branch);
    }

    fn seal(&self, operation: usize, name: &str) -> Option<Self> {
        let tree = Arc::clone(&self.branches.get(name)?.working);
        let mut after = self.clone();
        after.sealed.push(Taken { operation, branch: name.to_owned(), tree, commits: 0 });
        Some(after)
    }

    /// A commit takes with it what was sealed before it, so that those commits have to begin later.
    fn publish(&self, operation: usize, name: &str) -> Option<Self> {
        let at = self.sealed.iter().position(|taken| taken.operation == operation)?;
        let mut after = self.clone();
        let tree = Arc::clone(&self.sealed[at].tree);
        let mut index = 0;
        after.sealed.retain(|taken| {
            index += 1;
            index - 1 > at || taken.branch != name
        });
        let branch = after.branches.get_mut(name)?;
        if branch.head == tree {
            return None;
        }
        branch.head = tree;
        branch.commits += 1;
        Some(after)
    }

    fn take_source(&self, operation: usize, name: &str) -> Option<Self> {
        let source = self.branches.get(name)?;
        let (tree, commits) = (Arc::clone(&source.head), source.commits);
        let mut after = self.clone();
        after.sources.push(Taken { operation, branch: name.to_owned(), tree, commits });
        Some(after)
    }

    fn give_source(&mut self, operation: usize) -> Option<Taken> {
        let at = self.sources.iter().position(|taken| taken.operation == operation)?;
        Some(self.sources.remove(at))
    }

    /// The destination must be clean; what is older than what was merged before is no merge.
    fn merge(&self, operation: usize, source: &str, destination: &str) -> Option<Self> {
        let mut after = self.clone();
        let taken = after.give_source(operation)?;
        let branch = after.branches.get_mut(destination)?;
        let merged = branch.merged.get(source).copied().unwrap_or(0);
        if branch.working != branch.head || taken.commits <= merged {
            return None;
        }
        let folder = folder(source);
        let mut tree = (*branch.head).clone();
        tree.retain(|path, _| !path.starts_with(&folder));
        let brought = taken.tree.iter().filter(|(path, _)| path.starts_with(&folder));
        tree.extend(brought.map(|(path, value)| (path.clone(), value.clone())));
        branch.head = Arc::new(tree);
        branch.working = Arc::clone(&branch.head);
        branch.commits += 1;
        branch.merged.insert(source.to_owned(), taken.commits);
        after.forget_seals(destination);
        Some(after)
    }

    fn create_branch(&self, operation: usize, name: &str) -> Option<Self> {
        let mut after = self.clone();
        let taken = after.give_source(operation)?;
        if after.branches.contains_key(name) {
            return None;
        }
        let (head, working) = (Arc::clone(&taken.tree), taken.tree);
        after.branches.insert(name.to_owned(), Branch { head, working, commits: 0, merged: BTreeMap::new() });
        Some(after)
    }
}
