//! Commit timestamps of the store's choice: one phase and async commit.

use super::*;

fn at_once(start: u64, mutations: Vec<Mutation>) -> Prewrite {
    Prewrite { one_phase: true, ..claim(start, mutations) }
}

fn asynchronous(start: u64, mutations: Vec<Mutation>, secondaries: &[&'static str]) -> Prewrite {
    Prewrite { secondaries: Some(keys(secondaries)), ..claim(start, mutations) }
}

#[test]
fn one_phase_commits_after_every_reader() {
    let mut store = Store { max_ts: 50, ..Store::default() };
    let done = store.prewrite(&at_once(10, vec![put("a", "1"), put("b", "1")])).unwrap();
    assert_eq!(done, Prewritten { min_commit: 0, one_phase_commit: 51 });
    assert_eq!((store.value("a", 50), store.value("b", 51)), (None, Some("1".into())));
    assert_eq!(store.mvcc.holder(b"a"), None);
}

#[test]
fn one_phase_commits_no_earlier_than_asked() {
    let mut store = Store::default();
    let request = Prewrite { min_commit: 80, ..at_once(10, vec![put("a", "1")]) };
    assert_eq!(store.prewrite(&request).unwrap().one_phase_commit, 80);
}

#[test]
fn one_phase_may_come_twice() {
    let mut store = Store { max_ts: 50, ..Store::default() };
    let request = at_once(10, vec![put("a", "1")]);
    let done = store.prewrite(&request).unwrap();
    store.max_ts = 99;
    assert_eq!(store.prewrite(&request).unwrap(), done);
    assert_eq!(store.records("a"), [51]);
}

#[test]
fn past_the_bound_one_phase_becomes_two() {
    let mut store = Store { max_ts: 50, ..Store::default() };
    let request = Prewrite { max_commit: 50, ..at_once(10, vec![put("a", "1"), put("b", "1")]) };
    assert_eq!(store.prewrite(&request).unwrap(), Prewritten::default());
    assert_eq!((store.mvcc.holder(b"a"), store.mvcc.holder(b"b")), (Some(10), Some(10)));
    store.mvcc.commit(&keys(&["a", "b"]), 10, 60).unwrap();
}

#[test]
fn only_the_primary_s_lock_lists_the_secondaries() {
    let mut store = Store { max_ts: 50, ..Store::default() };
    let done = store.prewrite(&asynchronous(10, vec![put("a", "1"), put("b", "1")], &["b"])).unwrap();
    assert_eq!(done, Prewritten { min_commit: 51, one_phase_commit: 0 });
    assert_eq!(store.mvcc.lock(b"a").unwrap().secondaries, Some(keys(&["b"])));
    assert_eq!(store.mvcc.lock(b"b").unwrap().secondaries, Some(vec![]));
}

#[test]
fn a_lock_of_a_commit_to_come_stops_no_earlier_reader() {
    let mut store = Store { max_ts: 50, ..Store::default() };
    store.prewrite(&asynchronous(10, vec![put("a", "1")], &[])).unwrap();
    assert_eq!(store.value("a", 50), None);
    assert!(store.read("a", 51).is_err());
    let refusal = store.mvcc.commit(&keys(&["a"]), 10, 50).unwrap_err();
    let expired = Refusal::CommitExpired { start: 10, attempted: 50, key: "a".into(), min_commit: 51 };
    assert_eq!(refusal, expired);
}

#[test]
fn past_the_bound_an_async_commit_becomes_a_plain_one() {
    let mut store = Store { max_ts: 50, ..Store::default() };
    let request = Prewrite { max_commit: 50, ..asynchronous(10, vec![put("a", "1"), put("b", "1")], &["b"]) };
    assert_eq!(store.prewrite(&request).unwrap(), Prewritten::default());
    assert_eq!(store.mvcc.lock(b"a").unwrap().secondaries, None);
    assert_eq!(store.mvcc.lock(b"b").unwrap().secondaries, None);
}

#[test]
fn an_async_commit_is_not_rolled_back_by_its_primary_alone() {
    let mut store = Store::default();
    store.prewrite(&asynchronous(10, vec![put("a", "1"), put("b", "1")], &["b"])).unwrap();
    let mut check =
        CheckTxn { primary: "a".into(), start: 10, current: at_millisecond(1000), ..CheckTxn::default() };
    assert!(matches!(store.mvcc.check_txn(&check), Ok(TxnStatus::Locked(..))));
    check.force_sync_commit = true;
    assert_eq!(store.mvcc.check_txn(&check), Ok(TxnStatus::RolledBack(TxnAction::ExpireRollback)));
}

#[test]
fn a_secondary_without_lock_ends_the_transaction() {
    let mut store = Store::default();
    store.prewrite(&asynchronous(10, vec![put("a", "1"), put("b", "1")], &["b", "c"])).unwrap();
    let mut ask = |names| store.mvcc.check_secondaries(&keys(names), 10, &mut store.max_ts);
    assert!(matches!(ask(&["b"]), Secondaries::Locked(locks) if locks.len() == 1));
    assert_eq!(ask(&["b", "c"]), Secondaries::RolledBack);
    let refusal = only(store.prewrite(&asynchronous(10, vec![put("c", "1")], &[])));
    assert_eq!(reason(&refusal), ConflictReason::SelfRolledBack);
    store.mvcc.commit(&keys(&["b"]), 10, 60).unwrap();
    let found = store.mvcc.check_secondaries(&keys(&["b", "c"]), 10, &mut store.max_ts);
    assert_eq!(found, Secondaries::Committed(60));
}
