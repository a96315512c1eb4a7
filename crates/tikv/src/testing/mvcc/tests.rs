mod choosing;
mod collecting;
mod pessimistic;
mod resolving;
mod snapshot_isolation;
mod two_phases;

use bytes::Bytes;

use super::prewrite::Prewritten;
use super::*;

/// An engine with its store's greatest timestamp.
#[derive(Debug, Default)]
struct Store {
    mvcc: Mvcc,
    max_ts: u64,
}

fn keys(names: &[&'static str]) -> Vec<Bytes> {
    names.iter().map(|&name| name.into()).collect()
}

fn mutation(kind: MutationKind, key: &'static str, value: &'static str) -> Mutation {
    let (key, value) = (Bytes::from(key), Bytes::from(value));
    Mutation { kind, key, value, must_exist: None, check: Check::Skip }
}

fn put(key: &'static str, value: &'static str) -> Mutation {
    mutation(MutationKind::Put, key, value)
}

fn delete(key: &'static str) -> Mutation {
    mutation(MutationKind::Delete, key, "")
}

/// A claim to keys, the first of which is the primary.
fn claim(start: u64, mutations: Vec<Mutation>) -> Prewrite {
    let primary = mutations[0].key.clone();
    Prewrite { mutations, primary, start, ttl: 100, ..Prewrite::default() }
}

fn only<T>(errors: Result<T, Vec<Refusal>>) -> Refusal {
    let mut errors = errors.map(|_| ()).expect_err("it is refused");
    assert_eq!(errors.len(), 1);
    errors.remove(0)
}

fn reason(refusal: &Refusal) -> ConflictReason {
    match refusal {
        Refusal::WriteConflict(conflict) => conflict.reason,
        other => panic!("{other} is no conflict"),
    }
}

impl Store {
    fn prewrite(&mut self, request: &Prewrite) -> Result<Prewritten, Vec<Refusal>> {
        self.mvcc.prewrite(request, &mut self.max_ts)
    }

    /// Writes one key in two phases.
    fn write(&mut self, start: u64, commit: u64, mutation: Mutation) {
        let key = mutation.key.clone();
        self.prewrite(&claim(start, vec![mutation])).unwrap();
        self.mvcc.commit(&[key], start, commit).unwrap();
    }

    fn read(&self, key: &'static str, at: u64) -> Result<Option<Bytes>, Refusal> {
        self.mvcc.get(&key.into(), &View::at(at))
    }

    fn value(&self, key: &'static str, at: u64) -> Option<Bytes> {
        self.read(key, at).unwrap()
    }

    fn records(&self, key: &'static str) -> Vec<u64> {
        self.mvcc.row(key.as_bytes()).map_or_else(Vec::new, |row| row.writes.keys().copied().collect())
    }
}
