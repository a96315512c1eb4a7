//! Whether a history is linearizable: whether the operations can be put into an order in which each happened between its
//! call and its answer, and in which the [model](super::model) gives those answers.
//!
//! The search is Wing and Gong's with Lowe's memory of configurations seen before ("Testing for linearizability", 2017).
//! An operation can come to several states, since some take what they work on earlier than they show what they made of it.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use super::model::State;
use super::words::{Answer, Ask};

/// An operation as its client saw it; moments of the history are numbered.
#[derive(Debug, Clone)]
pub(super) struct Operation {
    pub(super) client: usize,
    pub(super) ask: Ask,
    pub(super) answer: Answer,
    pub(super) called: usize,
    /// `None` if no answer came: it may happen at any time, or never.
    pub(super) answered: Option<usize>,
}

impl Operation {
    fn changes_nothing(&self) -> bool {
        !matches!(self.answer, Answer::Done | Answer::Unknown)
    }
}

/// How far one order has come.
#[derive(Clone)]
struct Configuration {
    state: State,
    /// Which operations have happened.
    passed: Vec<bool>,
    /// The operation that was the last thing that happened, and what was before it.
    last: Option<(usize, Arc<Configuration>)>,
}

impl Hash for Configuration {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let last = self.last.as_ref().map(|(index, _)| index);
        (&self.state, &self.passed, last).hash(hasher);
    }
}

/// What a search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is an order.
    Linearizable,
    /// There is none; the longest that was found, as indices of operations, cannot be continued.
    Impossible(Vec<usize>),
    /// The search was given up.
    Undecided,
}

/// Looks for an order, at no more configurations than `steps`, among those in which neighbours that do not mind each other's place
/// come in the order of their answers, and what changes nothing comes as early as it can. Any order can be made one of these by
/// changing places, so that there is none if there is none of these.
pub(super) fn linearize(initial: &State, history: &[Operation], steps: usize) -> Verdict {
    search(initial, history, steps, true)
}

/// The same; among all orders if it need not be `in_order`.
pub(super) fn search(initial: &State, history: &[Operation], steps: usize, in_order: bool) -> Verdict {
    // Who was answered first is tried first.
    let mut by_answer: Vec<usize> = (0..history.len()).collect();
    by_answer.sort_by_key(|&index| history[index].answered.unwrap_or(usize::MAX));
    let takes = |index: &usize| !history[*index].changes_nothing() && !history[*index].ask.takes().is_empty();
    let takers = (0..history.len()).filter(takes).collect();
    let mut search = Search {
        history,
        by_answer,
        takers,
        seen: HashSet::new(),
        hasher: [RandomState::new(), RandomState::new()],
        steps,
        in_order,
        order: Vec::new(),
        longest: Vec::new(),
    };
    let (state, passed) = (initial.clone(), vec![false; history.len()]);
    let start = Configuration { state, passed, last: None };
    match search.go_on(&start) {
        true => Verdict::Linearizable,
        false if search.steps == 0 => Verdict::Undecided,
        false => Verdict::Impossible(search.longest),
    }
}

struct Search<'a> {
    history: &'a [Operation],
    by_answer: Vec<usize>,
    /// Operations that work on what they took before.
    takers: Vec<usize>,
    seen: HashSet<[u64; 2]>,
    hasher: [RandomState; 2],
    steps: usize,
    in_order: bool,
    order: Vec<usize>,
    longest: Vec<usize>,
}

impl Search<'_> {
    fn go_on(&mut self, from: &Configuration) -> bool {
        if self.is_over(from) {
            return true;
        }
        if self.steps == 0 || !self.is_new(from) {
            return false;
        }
        self.steps -= 1;
        let possible = self.possible(from);
        // What never changes anything can as well happen now as later.
        let idle = |(index, _): &&(usize, Configuration)| self.history[*index].changes_nothing();
        if let Some((index, next)) = possible.iter().find(idle) {
            return self.try_next(*index, next);
        }
        possible.iter().any(|(index, next)| self.try_next(*index, next))
    }

    fn try_next(&mut self, index: usize, next: &Configuration) -> bool {
        self.order.push(index);
        if self.order.len() > self.longest.len() {
            self.longest.clone_from(&self.order);
        }
        let found = self.go_on(next);
        self.order.pop();
        found
    }

    /// All that may happen next.
    fn possible(&self, from: &Configuration) -> Vec<(usize, Configuration)> {
        let first_answer = self.first_answer(from);
        let callable = self.by_answer.iter().copied();
        let callable = callable.filter(|&index| self.history[index].called < first_answer);
        let next =
            callable.flat_map(|index| self.next(from, index).into_iter().map(move |next| (index, next)));
        if !self.in_order {
            return next.collect();
        }
        let before = Arc::new(from.clone());
        next.filter(|(index, next)| !self.could_change_places(from, *index, next))
            .map(|(index, next)| {
                // What changes nothing has its place already: as early as it can.
                let last = (!self.history[index].changes_nothing()).then(|| (index, Arc::clone(&before)));
                (index, Configuration { last, ..next })
            })
            .collect()
    }

    /// Whether what happens next could as well have happened before what happened last, and was answered earlier.
    fn could_change_places(&self, from: &Configuration, index: usize, next: &Configuration) -> bool {
        let Some((last, before)) = &from.last else { return false };
        let answered = |index: usize| self.history[index].answered.unwrap_or(usize::MAX);
        if (answered(index), index) > (answered(*last), *last)
            || self.history[index].called >= answered(*last)
        {
            return false;
        }
        let orders = self.next(before, index).into_iter().flat_map(|first| self.next(&first, *last));
        orders.into_iter().any(|other| (&other.state, &other.passed) == (&next.state, &next.passed))
    }

    /// Whether every operation that was answered has happened.
    fn is_over(&self, at: &Configuration) -> bool {
        let mut operations = self.history.iter().zip(&at.passed);
        operations.all(|(operation, passed)| operation.answered.is_none() || *passed)
    }

    /// When the first answer came of those operations that have not happened: nothing that was called later can happen
    /// before.
    fn first_answer(&self, at: &Configuration) -> usize {
        let left = self.history.iter().zip(&at.passed);
        let left = left.filter(|(_, passed)| !**passed);
        left.filter_map(|(operation, _)| operation.answered).min().unwrap_or(usize::MAX)
    }

    /// What comes of an operation that happens now, if it can.
    fn next(&self, from: &Configuration, index: usize) -> Vec<Configuration> {
        if from.passed[index] {
            return Vec::new();
        }
        let Operation { ask, answer, .. } = &self.history[index];
        let states = from.state.after(index, ask, answer, &self.under_way(from));
        let mut passed = from.passed.clone();
        passed[index] = true;
        // What need not have happened, and would have changed nothing, is left out.
        let matters = |state: &State| *answer != Answer::Unknown || *state != from.state;
        let states = states.into_iter().filter(matters);
        states.map(|state| Configuration { state, passed: passed.clone(), last: None }).collect()
    }

    /// The operations that may just now take what they work on.
    fn under_way(&self, at: &Configuration) -> impl Iterator<Item = (usize, &Ask)> + Clone {
        let first_answer = self.first_answer(at);
        let left = self.takers.iter().copied().filter(|&index| !at.passed[index]);
        let left = left.filter(move |&index| self.history[index].called < first_answer);
        left.map(|index| (index, &self.history[index].ask))
    }

    fn is_new(&mut self, at: &Configuration) -> bool {
        let hashes = [self.hasher[0].hash_one(at), self.hasher[1].hash_one(at)];
        self.seen.insert(hashes)
    }
}
