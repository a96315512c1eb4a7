//! Small commit graphs for tests, and answers by brute force.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use braid_types::{Code, Commit, CommitId, Error, Random, Result, SeededRandom, Time};

use super::Commits;

/// Commits numbered from 0, each with parents of lower numbers.
#[derive(Debug)]
pub(crate) struct Graph {
    ids: Vec<CommitId>,
    commits: BTreeMap<CommitId, Arc<Commit>>,
}

impl Graph {
    pub(crate) fn new(parents: &[&[usize]]) -> Self {
        let mut graph = Self { ids: Vec::new(), commits: BTreeMap::new() };
        for parents in parents {
            graph.add(parents, 0);
        }
        graph
    }

    fn add(&mut self, parents: &[usize], time: i64) {
        let parents: Vec<CommitId> = parents.iter().map(|&number| self.ids[number]).collect();
        let generation = parents.iter().map(|id| self.commits[id].generation).max().unwrap_or(0) + 1;
        let commit = Commit {
            parents,
            metarange: None,
            committer: "test".into(),
            message: format!("commit {}", self.ids.len()),
            metadata: BTreeMap::new(),
            time: Time::from_seconds(time),
            generation,
            version: 1,
        };
        self.ids.push(commit.id());
        self.commits.insert(commit.id(), Arc::new(commit));
    }

    pub(crate) fn id(&self, number: usize) -> CommitId {
        self.ids[number]
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = CommitId> + '_ {
        self.ids.iter().copied()
    }

    pub(crate) fn newest(&self) -> CommitId {
        *self.ids.last().expect("a graph has a commit")
    }

    pub(crate) fn pick_two(&self, seed: u64) -> (CommitId, CommitId) {
        let mut dice = Dice::new(seed ^ 0xace);
        (self.ids[dice.below(self.ids.len())], self.ids[dice.below(self.ids.len())])
    }

    /// The commit and everything that it reaches.
    pub(crate) fn ancestors(&self, id: CommitId) -> BTreeSet<CommitId> {
        let mut found = BTreeSet::new();
        let mut open = vec![id];
        while let Some(id) = open.pop() {
            if found.insert(id) {
                open.extend(&self.commits[&id].parents);
            }
        }
        found
    }

    /// Common ancestors that are no ancestor of another one.
    pub(crate) fn best_common_ancestors(&self, left: CommitId, right: CommitId) -> BTreeSet<CommitId> {
        let common: BTreeSet<_> =
            self.ancestors(left).intersection(&self.ancestors(right)).copied().collect();
        let below =
            |id: &CommitId| common.iter().any(|other| other != id && self.ancestors(*other).contains(id));
        common.iter().filter(|id| !below(id)).copied().collect()
    }
}

#[async_trait]
impl Commits for Graph {
    async fn commit(&self, id: &CommitId) -> Result<Arc<Commit>> {
        let found = self.commits.get(id).cloned();
        found.ok_or_else(|| Error::new(Code::CommitNotFound, id.to_hex(), format!("no commit '{id}'")))
    }
}

/// Small random numbers from a seed.
pub(crate) struct Dice(SeededRandom);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(SeededRandom::new(seed))
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        usize::try_from(u64::from_be_bytes(bytes) % limit as u64).expect("a remainder is below its divisor")
    }
}

/// Graphs of up to 60 commits with branches, merges (criss-cross and fast-forward-like ones among them), several
/// roots now and then, and clocks that disagree.
pub(crate) fn random_graphs(count: u64) -> impl Iterator<Item = Graph> {
    (0..count).map(|seed| {
        let mut dice = Dice::new(seed);
        let mut graph = Graph::new(&[]);
        let size = 1 + dice.below(60);
        for number in 0..size {
            let parents = random_parents(&mut dice, number);
            let time = dice.below(100) as i64;
            graph.add(&parents, time);
        }
        graph
    })
}

fn random_parents(dice: &mut Dice, number: usize) -> Vec<usize> {
    if number == 0 || dice.below(40) == 0 {
        return Vec::new();
    }
    // Near parents make long parallel lines, which is where criss-crosses come from.
    let mut near = |reach: usize| number - 1 - dice.below(reach.min(number));
    let mut parents = vec![near(4)];
    let second = near(6);
    if second != parents[0] && dice.below(3) == 0 {
        parents.push(second);
    }
    parents
}
