//! Random interleavings of a few transactions over a few keys, beside a model that keeps every state there ever was.

use super::{Subject, support::b};
use crate::{KeyRange, Kv, Mode, Outcome, ScanOptions, Transaction};
use bytes::Bytes;
use proptest::{
    prelude::{Just, Strategy, any, prop},
    prop_oneof,
    test_runner::{Config, TestRunner},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::runtime::Handle;

const SLOTS: usize = 3;
const CASES: u32 = 96;

/// One step of one of the transactions, which stand in slots.
#[derive(Clone, Debug)]
enum Step {
    Begin(Mode),
    Put(u8, u8),
    Insert(u8, u8),
    Delete(u8),
    Lock(u8),
    Hold(u8),
    Get(u8),
    Scan { start: u8, end: u8, limit: usize, reverse: bool },
    Commit,
    Drop,
}

pub async fn any_interleaving_is_snapshot_isolated(subject: Subject) {
    let (kv, marks) = (&*subject.kv, subject.leaves_marks);
    let case = AtomicUsize::new(0);
    let mut runner = TestRunner::new(Config { cases: CASES, failure_persistence: None, ..Config::default() });
    let handle = Handle::current();
    let outcome = tokio::task::block_in_place(|| {
        runner.run(&prop::collection::vec((0..SLOTS, step()), 1..80), |script| {
            let prefix = format!("{}/", case.fetch_add(1, Ordering::Relaxed));
            handle.block_on(Run::new(kv, &prefix, marks).play(&script));
            Ok(())
        })
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

fn step() -> impl Strategy<Value = Step> {
    let key = 0..5u8;
    prop_oneof![
        3 => prop_oneof![Just(Mode::Optimistic), Just(Mode::Pessimistic)].prop_map(Step::Begin),
        4 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Put(key, value)),
        2 => (key.clone(), any::<u8>()).prop_map(|(key, value)| Step::Insert(key, value)),
        2 => key.clone().prop_map(Step::Delete),
        1 => key.clone().prop_map(Step::Lock),
        2 => key.clone().prop_map(Step::Hold),
        2 => key.clone().prop_map(Step::Get),
        2 => (key.clone(), key, 0..5usize, any::<bool>())
            .prop_map(|(start, end, limit, reverse)| Step::Scan { start, end, limit, reverse }),
        4 => Just(Step::Commit),
        1 => Just(Step::Drop),
    ]
}

type State = BTreeMap<u8, u8>;

/// Every state there was, and what each commit after the first touched.
struct Model {
    states: Vec<State>,
    touched: Vec<BTreeSet<u8>>,
    /// Keys that a commit did not change, but may have marked: all that a failed one would have changed, and those held.
    marks: Vec<BTreeSet<u8>>,
}

/// A transaction as the model has it.
struct ModelTxn {
    mode: Mode,
    at: usize,
    /// How many commits had left marks when it began.
    marks: usize,
    /// Per key: the state at which it was first written, and whether it must be absent.
    keys: BTreeMap<u8, (usize, bool)>,
    /// Values put, and deletions.
    changes: BTreeMap<u8, Option<u8>>,
    held: BTreeSet<u8>,
}

impl Model {
    fn now(&self) -> usize {
        self.states.len() - 1
    }

    fn allows(&self, txn: &ModelTxn) -> bool {
        !txn.keys.iter().any(|(key, (since, absent))| {
            let exists = self.states[self.now()].contains_key(key);
            let touched = self.touched[*since..].iter().any(|commit| commit.contains(key));
            touched || (*absent && exists)
        })
    }

    /// Whether a commit since this transaction began may have left a mark on one of its keys.
    fn marked(&self, txn: &ModelTxn) -> bool {
        self.marks[txn.marks..].iter().any(|marks| txn.keys.keys().any(|key| marks.contains(key)))
    }

    fn commit(&mut self, txn: &ModelTxn) {
        let state = overlaid(&self.states[self.now()], &txn.changes);
        self.states.push(state);
        self.touched.push(txn.keys.keys().copied().collect());
    }
}

fn overlaid(state: &State, changes: &BTreeMap<u8, Option<u8>>) -> State {
    let mut state = state.clone();
    for (key, change) in changes {
        match change {
            Some(value) => state.insert(*key, *value),
            None => state.remove(key),
        };
    }
    state
}

impl ModelTxn {
    fn touch(&mut self, key: u8, absent: bool) {
        let at = self.at;
        self.keys.entry(key).or_insert((at, false)).1 |= absent;
    }

    fn change(&mut self, key: u8, value: Option<u8>, absent: bool) {
        self.touch(key, absent);
        self.changes.insert(key, value);
    }
}

type Slot = Option<(Box<dyn Transaction>, ModelTxn)>;

struct Run<'a> {
    kv: &'a dyn Kv,
    prefix: &'a str,
    /// Whether commits may leave marks.
    marks: bool,
    model: Model,
    slots: [Slot; SLOTS],
}

impl<'a> Run<'a> {
    fn new(kv: &'a dyn Kv, prefix: &'a str, marks: bool) -> Self {
        let model = Model { states: vec![State::new()], touched: Vec::new(), marks: Vec::new() };
        Self { kv, prefix, marks, model, slots: [const { None }; SLOTS] }
    }

    async fn play(mut self, script: &[(usize, Step)]) {
        for (slot, step) in script {
            self.step(*slot, step).await;
        }
        let snapshot = self.kv.snapshot().await.unwrap();
        let range = KeyRange::prefix(self.prefix.as_bytes());
        let found = snapshot.scan(&range, ScanOptions::first(usize::MAX)).await.unwrap();
        let expected: Vec<_> =
            self.model.states[self.model.now()].iter().map(|pair| self.pair(pair)).collect();
        assert_eq!(found, expected);
    }

    async fn step(&mut self, slot: usize, step: &Step) {
        match step {
            Step::Begin(mode) => self.begin(slot, *mode).await,
            Step::Commit => self.commit(slot).await,
            Step::Drop => self.slots[slot] = None,
            Step::Hold(key) => self.hold(slot, *key).await,
            Step::Get(_) | Step::Scan { .. } => self.read(slot, step).await,
            Step::Put(..) | Step::Insert(..) | Step::Delete(_) | Step::Lock(_) => self.write(slot, step),
        }
    }

    async fn begin(&mut self, slot: usize, mode: Mode) {
        // The old transaction of the slot ends before the new one begins.
        self.slots[slot] = None;
        let txn = self.kv.begin(mode).await.unwrap();
        let (keys, changes, held) = Default::default();
        let (at, marks) = (self.model.now(), self.model.marks.len());
        self.slots[slot] = Some((txn, ModelTxn { mode, at, marks, keys, changes, held }));
    }

    fn write(&mut self, slot: usize, step: &Step) {
        let prefix = self.prefix;
        let Some((txn, model)) = &mut self.slots[slot] else { return };
        match *step {
            Step::Put(key, value) => {
                txn.put(key_of(prefix, key), value_of(value));
                model.change(key, Some(value), false);
            }
            Step::Insert(key, value) => {
                txn.insert(key_of(prefix, key), value_of(value));
                model.change(key, Some(value), true);
            }
            Step::Delete(key) => {
                txn.delete(key_of(prefix, key));
                model.change(key, None, false);
            }
            Step::Lock(key) => {
                txn.lock(key_of(prefix, key));
                model.touch(key, false);
            }
            _ => unreachable!("only writes come here"),
        }
    }

    async fn read(&mut self, slot: usize, step: &Step) {
        let Some((txn, model)) = &self.slots[slot] else { return };
        let seen = overlaid(&self.model.states[model.at], &model.changes);
        match *step {
            Step::Get(key) => {
                let found = txn.get(&key_of(self.prefix, key)).await.unwrap();
                assert_eq!(found, seen.get(&key).copied().map(value_of));
            }
            Step::Scan { start, end, limit, reverse } => {
                let range = KeyRange::new(key_of(self.prefix, start), key_of(self.prefix, end));
                let options = ScanOptions { limit, reverse, keys_only: false };
                let found = txn.scan(&range, options).await.unwrap();
                let mut expected: Vec<_> = seen
                    .iter()
                    .filter(|(key, _)| (start..end).contains(key))
                    .map(|pair| self.pair(pair))
                    .collect();
                if reverse {
                    expected.reverse();
                }
                expected.truncate(limit);
                assert_eq!(found, expected);
            }
            _ => unreachable!("only reads come here"),
        }
    }

    async fn hold(&mut self, slot: usize, key: u8) {
        let elsewhere = self.held_elsewhere(slot, &BTreeSet::from([key]));
        let Some((txn, model)) = &mut self.slots[slot] else { return };
        if model.mode == Mode::Optimistic {
            return;
        }
        let got = txn.lock_for_update(&key_of(self.prefix, key), Duration::ZERO).await;
        if elsewhere {
            assert!(got.unwrap_err().is_retryable());
            return;
        }
        model.at = self.model.now();
        model.held.insert(key);
        assert_eq!(got.unwrap(), self.model.states[model.at].get(&key).copied().map(value_of));
    }

    async fn commit(&mut self, slot: usize) {
        let Some((txn, model)) = self.slots[slot].take() else { return };
        let elsewhere = self.held_elsewhere(slot, &model.keys.keys().copied().collect());
        let expected = !elsewhere && self.model.allows(&model);
        match txn.commit().await {
            Outcome::Committed(_) => {
                assert!(expected, "a conflict was not found");
                if !model.keys.is_empty() {
                    self.model.commit(&model);
                    self.model.marks.push(model.held);
                }
            }
            Outcome::Conflict(conflict) => {
                let marked = self.marks && self.model.marked(&model);
                assert!(!expected || marked, "{conflict}, which is not true");
                self.model.marks.push(model.keys.into_keys().chain(model.held).collect());
            }
            other => panic!("{other:?}"),
        }
    }

    fn held_elsewhere(&self, slot: usize, keys: &BTreeSet<u8>) -> bool {
        let others = self.slots.iter().enumerate().filter(|(other, _)| *other != slot);
        others.filter_map(|(_, other)| other.as_ref()).any(|(_, other)| !other.held.is_disjoint(keys))
    }

    fn pair(&self, (key, value): (&u8, &u8)) -> (Bytes, Bytes) {
        (key_of(self.prefix, *key), value_of(*value))
    }
}

fn key_of(prefix: &str, key: u8) -> Bytes {
    b(format!("{prefix}{key}"))
}

fn value_of(value: u8) -> Bytes {
    b(value.to_string())
}
