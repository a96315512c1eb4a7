//! Transactions by chance, against the simplest model of snapshot isolation.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// What one of the transactions under way does next.
#[derive(Clone, Debug)]
enum Step {
    Begin {
        txn: usize,
        keys: Vec<usize>,
        one_phase: bool,
    },
    Prewrite {
        txn: usize,
    },
    Commit {
        txn: usize,
    },
    RollBack {
        txn: usize,
    },
    /// Somebody else resolves the transaction, as its primary says.
    Resolve {
        txn: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let txn = 0..4_usize;
    prop_oneof![
        (txn.clone(), vec(0..NAMES.len(), 1..4), any::<bool>())
            .prop_map(|(txn, keys, one_phase)| Step::Begin { txn, keys, one_phase }),
        txn.clone().prop_map(|txn| Step::Prewrite { txn }),
        txn.clone().prop_map(|txn| Step::Commit { txn }),
        txn.clone().prop_map(|txn| Step::RollBack { txn }),
        txn.prop_map(|txn| Step::Resolve { txn }),
    ]
}

#[derive(Clone, Debug)]
struct Txn {
    request: Prewrite,
    names: Vec<Bytes>,
    prewritten: bool,
}

/// Committed writes by commit timestamp: start, and keys with the start as value.
type History = BTreeMap<u64, (u64, Vec<Bytes>)>;

#[derive(Debug, Default)]
struct World {
    store: Store,
    now: u64,
    txns: BTreeMap<usize, Txn>,
    history: History,
}

impl World {
    fn tick(&mut self) -> u64 {
        self.now += 2;
        self.now
    }

    fn begin(&mut self, txn: usize, mut chosen: Vec<usize>, one_phase: bool) {
        if self.txns.contains_key(&txn) {
            return;
        }
        chosen.sort_unstable();
        chosen.dedup();
        let start = self.tick();
        let names: Vec<Bytes> = chosen.iter().map(|&index| NAMES[index].into()).collect();
        let value = Bytes::from(start.to_string());
        let write = |&index: &usize| Mutation { value: value.clone(), ..put(NAMES[index], "") };
        let mutations = chosen.iter().map(write).collect();
        let request = Prewrite { one_phase, ..claim(start, mutations) };
        self.txns.insert(txn, Txn { request, names, prewritten: false });
    }

    fn prewrite(&mut self, txn: usize) {
        let Some(mut one) = self.txns.get(&txn).cloned() else { return };
        match self.store.prewrite(&one.request) {
            Ok(done) if done.one_phase_commit != 0 => self.committed(txn, done.one_phase_commit),
            Ok(_) => {
                one.prewritten = true;
                self.txns.insert(txn, one);
            }
            Err(refusals) => self.check_refusals(&one, &refusals),
        }
    }

    /// A prewrite is refused only for a reason that the model knows.
    fn check_refusals(&self, one: &Txn, refusals: &[Refusal]) {
        for refusal in refusals {
            let known = match refusal {
                Refusal::Locked { lock, .. } => {
                    self.txns.values().any(|other| other.request.start == lock.start)
                }
                Refusal::WriteConflict(conflict) if conflict.reason == ConflictReason::Optimistic => {
                    conflict.conflict_commit > one.request.start
                }
                other => panic!("{other} has no place here"),
            };
            assert!(known, "{refusal}");
        }
    }

    fn commit(&mut self, txn: usize) {
        let Some(one) = self.txns.get(&txn).filter(|one| one.prewritten).cloned() else { return };
        let commit = self.tick();
        // The primary decides; then the rest follows.
        let (primary, rest) = one.names.split_at(1);
        self.store.mvcc.commit(primary, one.request.start, commit).unwrap();
        self.store.mvcc.resolve(rest, one.request.start, commit).unwrap();
        self.committed(txn, commit);
    }

    fn committed(&mut self, txn: usize, commit: u64) {
        let one = self.txns.remove(&txn).unwrap();
        let start = one.request.start;
        let between = self.history.range(start + 1..=commit);
        for (_, (other, names)) in between {
            let shared = names.iter().any(|name| one.names.contains(name));
            assert!(!shared, "{start} and {other} wrote the same key at the same time");
        }
        self.history.insert(commit, (start, one.names));
        self.now = self.now.max(commit);
    }

    fn roll_back(&mut self, txn: usize) {
        if let Some(one) = self.txns.remove(&txn) {
            self.store.mvcc.roll_back(&one.names, one.request.start).unwrap();
            assert!(self.store.prewrite(&one.request).is_err(), "it is over");
        }
    }

    fn resolve(&mut self, txn: usize) {
        let Some(one) = self.txns.get(&txn).cloned() else { return };
        let check = CheckTxn {
            primary: one.request.primary.clone(),
            start: one.request.start,
            current: at_millisecond(1000),
            rollback_if_missing: true,
            ..CheckTxn::default()
        };
        let status = self.store.mvcc.check_txn(&check).unwrap();
        assert!(matches!(status, TxnStatus::RolledBack(_)), "its time is over and it is not committed");
        self.store.mvcc.resolve_range((b"", b""), one.request.start, 0).unwrap();
        self.txns.remove(&txn);
    }

    /// At every timestamp the engine shows what the model does, unless a transaction under way may yet commit there.
    fn check_reads(&mut self) {
        let now = self.tick();
        for at in (0..=now).step_by(3).chain([now]) {
            self.store.max_ts = self.store.max_ts.max(at);
            for name in NAMES {
                match self.store.read(name, at) {
                    Ok(value) => assert_eq!(value, self.model(name, at), "{name} at {at}"),
                    Err(Refusal::Locked { lock, .. }) => {
                        assert!(
                            self.txns.values().any(|txn| txn.prewritten && txn.request.start == lock.start)
                        );
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
        self.now = now;
    }

    fn model(&self, name: &'static str, at: u64) -> Option<Bytes> {
        let wrote = |(_, names): &&(u64, Vec<Bytes>)| names.contains(&Bytes::from(name));
        let newest = self.history.range(..=at).rev().map(|(_, commit)| commit).find(wrote);
        newest.map(|(start, _)| start.to_string().into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_is_snapshot_isolation(steps in vec(step(), 1..60)) {
        let mut world = World::default();
        for step in steps {
            match step {
                Step::Begin { txn, keys, one_phase } => world.begin(txn, keys, one_phase),
                Step::Prewrite { txn } => world.prewrite(txn),
                Step::Commit { txn } => world.commit(txn),
                Step::RollBack { txn } => world.roll_back(txn),
                Step::Resolve { txn } => world.resolve(txn),
            }
            world.check_reads();
        }
        let open: Vec<usize> = world.txns.keys().copied().collect();
        for txn in open {
            world.roll_back(txn);
        }
        prop_assert_eq!(world.store.mvcc.scan_locks((b"", b""), u64::MAX, 0), vec![]);
    }
}
