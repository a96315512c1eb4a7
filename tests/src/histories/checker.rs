//! Whether a history is linearizable: whether the operations can be put into an order in which each happened between its
//! call and its answer, and in which the [model](super::model) gives those answers.
//!
//! The search is Wing and Gong's with Lowe's memory of configurations seen before ("Testing for linearizability", 2017),
//! over moments instead of operations, since some operations have two.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use super::model::{Answer, Ask, Of, State};

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
    fn moments(&self) -> u8 {
        self.ask.moments(&self.answer)
    }

    fn changes_nothing(&self) -> bool {
        !matches!(self.answer, Answer::Done | Answer::Unknown)
    }
}

/// How far one order has come.
#[derive(Clone)]
struct Configuration {
    state: State,
    /// How many moments of each operation are over.
    passed: Vec<u8>,
    /// The operation whose first moment was the last thing that happened.
    just_taken: Option<usize>,
    /// The operation that was the last thing that happened, and what was before it.
    last: Option<(usize, Arc<Configuration>)>,
}

impl Hash for Configuration {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let last = self.last.as_ref().map(|(index, _)| index);
        (&self.state, &self.passed, self.just_taken, last).hash(hasher);
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

/// Looks for an order, at no more configurations than `steps`: first among those in which neighbours that do not mind each
/// other's place come in the order of their answers, which are few; then among all.
pub(super) fn linearize(initial: &State, history: &[Operation], steps: usize) -> Verdict {
    match search(initial, history, steps, true) {
        Verdict::Linearizable => Verdict::Linearizable,
        _ => search(initial, history, steps, false),
    }
}

fn search(initial: &State, history: &[Operation], steps: usize, in_order: bool) -> Verdict {
    // Who was answered first is tried first.
    let mut by_answer: Vec<usize> = (0..history.len()).collect();
    by_answer.sort_by_key(|&index| history[index].answered.unwrap_or(usize::MAX));
    let mut search = Search {
        history,
        by_answer,
        seen: HashSet::new(),
        hasher: [RandomState::new(), RandomState::new()],
        steps,
        in_order,
        order: Vec::new(),
        longest: Vec::new(),
    };
    let (state, passed) = (initial.clone(), vec![0; history.len()]);
    let start = Configuration { state, passed, just_taken: None, last: None };
    match search.go_on(&start) {
        true => Verdict::Linearizable,
        false if search.steps == 0 => Verdict::Undecided,
        false => Verdict::Impossible(search.longest),
    }
}

struct Search<'a> {
    history: &'a [Operation],
    by_answer: Vec<usize>,
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
                let last = next.just_taken.is_none().then(|| (index, Arc::clone(&before)));
                (index, Configuration { last, ..next })
            })
            .collect()
    }

    /// Whether what happens next could as well have happened before what happened last, and was answered earlier.
    fn could_change_places(&self, from: &Configuration, index: usize, next: &Configuration) -> bool {
        let Some((last, before)) = &from.last else { return false };
        let answered = |index: usize| self.history[index].answered.unwrap_or(usize::MAX);
        if next.just_taken.is_some()
            || (answered(index), index) > (answered(*last), *last)
            || self.history[index].called >= answered(*last)
        {
            return false;
        }
        let firsts = self.next(before, index).into_iter().filter(|first| first.just_taken.is_none());
        let orders = firsts.flat_map(|first| self.next(&first, *last));
        orders.into_iter().any(|other| {
            other.just_taken.is_none() && (&other.state, &other.passed) == (&next.state, &next.passed)
        })
    }

    /// Whether every operation that was answered has happened.
    fn is_over(&self, at: &Configuration) -> bool {
        let mut operations = self.history.iter().zip(&at.passed);
        operations.all(|(operation, &passed)| operation.answered.is_none() || passed == operation.moments())
    }

    /// When the first answer came of those operations that have not happened: nothing that was called later can happen
    /// before.
    fn first_answer(&self, at: &Configuration) -> usize {
        let left = self.history.iter().zip(&at.passed);
        let left = left.filter(|(operation, passed)| **passed < operation.moments());
        left.filter_map(|(operation, _)| operation.answered).min().unwrap_or(usize::MAX)
    }

    /// How an operation may go on: by its only or last moment, by both at once, or by the first of two.
    ///
    /// A first moment changes nothing that others see, so it is left until just before its last, or before that changes
    /// what it takes.
    fn next(&self, from: &Configuration, index: usize) -> Vec<Configuration> {
        let (passed, moments) = (from.passed[index], self.history[index].moments());
        if passed == moments {
            return Vec::new();
        }
        let mut after = Vec::new();
        let first = (moments == 2 && passed == 0).then(|| self.moment(from, index, 0));
        let last = match &first {
            None => self.moment(from, index, passed),
            Some(taken) => taken.as_ref().and_then(|taken| self.moment(taken, index, 1)),
        };
        let matters = |last: &Configuration| {
            // What need not have happened, and would have changed nothing, is left out.
            self.history[index].answer != Answer::Unknown || last.state != from.state
        };
        after.extend(last.filter(|last| matters(last) && self.uses_what_was_taken(from, &last.state)));
        if let Some(Some(taken)) = first
            && from.just_taken.is_none_or(|before| before < index && self.takes(before) == self.takes(index))
        {
            after.push(Configuration { just_taken: Some(index), last: None, ..taken });
        }
        after
    }

    fn moment(&self, from: &Configuration, index: usize, passed: u8) -> Option<Configuration> {
        let operation = &self.history[index];
        let state = from.state.after(index, &operation.ask, &operation.answer, passed)?;
        let mut after = from.passed.clone();
        after[index] = passed + 1;
        Some(Configuration { state, passed: after, just_taken: None, last: None })
    }

    fn takes(&self, index: usize) -> Option<(&str, Of)> {
        self.history[index].ask.takes()
    }

    /// Whether there was a reason to take before this.
    fn uses_what_was_taken(&self, from: &Configuration, after: &State) -> bool {
        let taken = from.just_taken.and_then(|index| self.takes(index));
        taken.is_none_or(|(branch, of)| !from.state.agrees(after, branch, of))
    }

    fn is_new(&mut self, at: &Configuration) -> bool {
        let hashes = [self.hasher[0].hash_one(at), self.hasher[1].hash_one(at)];
        self.seen.insert(hashes)
    }
}
