//! The commits of the model: trees and what they were made on.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use super::words::Tree;

/// A commit. It is told from others by who made it, of what and on what.
#[derive(Debug)]
pub(super) struct Commit {
    name: u64,
    pub(super) tree: Tree,
    parents: Vec<Arc<Commit>>,
}

/// Who makes a commit: an operation, or a member of one.
pub(super) type Maker = (usize, usize);

impl PartialEq for Commit {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Commit {}

impl Hash for Commit {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.name.hash(hasher);
    }
}

impl Commit {
    /// The first commit of a repository, which is empty.
    pub(super) fn first() -> Arc<Self> {
        Arc::new(Self { name: 0, tree: Tree::default(), parents: Vec::new() })
    }

    pub(super) fn new(maker: Maker, tree: Tree, parents: Vec<Arc<Self>>) -> Arc<Self> {
        let mut hasher = DefaultHasher::new();
        (maker, &tree, &parents).hash(&mut hasher);
        Arc::new(Self { name: hasher.finish(), tree, parents })
    }

    /// So many first parents back.
    pub(super) fn ancestor(self: &Arc<Self>, back: u32) -> Option<&Arc<Self>> {
        (0..back).try_fold(self, |commit, _| commit.parents.first())
    }

    /// Whether a commit is this one or among its ancestors.
    pub(super) fn has(&self, commit: &Self) -> bool {
        self == commit || self.parents.iter().any(|parent| parent.has(commit))
    }

    /// Merges a branch of commits with one parent each; `None` if there is nothing to merge, or both changed a path, each in
    /// its own way.
    pub(super) fn merged(self: &Arc<Self>, maker: Maker, source: &Arc<Self>) -> Option<Arc<Self>> {
        if self.has(source) {
            return None;
        }
        let mut base = source;
        while !self.has(base) {
            base = base.parents.first()?;
        }
        let tree = Arc::new(merge(&base.tree, &self.tree, &source.tree)?);
        Some(Self::new(maker, tree, vec![Arc::clone(self), Arc::clone(source)]))
    }
}

/// Merges trees; `None` for a conflict.
fn merge(base: &Tree, ours: &Tree, theirs: &Tree) -> Option<BTreeMap<String, String>> {
    let mut merged = (**ours).clone();
    for path in base.keys().chain(theirs.keys()) {
        let (before, ours, theirs) = (base.get(path), ours.get(path), theirs.get(path));
        if theirs == before || theirs == ours {
            continue;
        }
        if ours != before {
            return None;
        }
        match theirs {
            Some(value) => merged.insert(path.clone(), value.clone()),
            None => merged.remove(path),
        };
    }
    Some(merged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[(&str, &str)]) -> Tree {
        Arc::new(paths.iter().map(|(path, value)| ((*path).into(), (*value).into())).collect())
    }

    #[test]
    fn a_merge_takes_what_one_side_changed_and_refuses_what_both_did() {
        let base = tree(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let (ours, theirs) = (tree(&[("a", "2"), ("b", "1"), ("c", "1")]), tree(&[("a", "1"), ("c", "2")]));
        assert_eq!(merge(&base, &ours, &theirs), Some((*tree(&[("a", "2"), ("c", "2")])).clone()));
        assert_eq!(merge(&base, &ours, &tree(&[("a", "3"), ("b", "1"), ("c", "1")])), None);
        assert_eq!(
            merge(&base, &ours, &tree(&[("b", "1"), ("c", "1")])),
            None,
            "deleted here, changed there"
        );
    }

    #[test]
    fn what_was_merged_is_not_merged_again_and_later_work_is_based_on_it() {
        let first = Commit::first();
        let source = Commit::new((1, 0), tree(&[("a/x", "1")]), vec![Arc::clone(&first)]);
        let merged = first.merged((2, 0), &source).unwrap();
        assert_eq!(*merged.tree, *tree(&[("a/x", "1")]));
        assert!(merged.merged((3, 0), &source).is_none());
        let later = Commit::new((4, 0), tree(&[]), vec![Arc::clone(&source)]);
        assert_eq!(*merged.merged((5, 0), &later).unwrap().tree, *tree(&[]));
        let beside = Commit::new((6, 0), tree(&[("a/x", "2")]), vec![first]);
        assert!(merged.merged((7, 0), &beside).is_none(), "it was based on what is before the merged one");
    }
}
