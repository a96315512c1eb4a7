use super::*;

#[test]
fn what_is_claimed_is_seen_when_it_is_committed() {
    let mut store = Store::default();
    store.prewrite(&claim(10, vec![put("a", "1"), delete("b")])).unwrap();
    assert_eq!(store.value("a", 9), None);
    assert!(matches!(store.read("a", 10), Err(Refusal::Locked { .. })));
    store.mvcc.commit(&keys(&["a", "b"]), 10, 20).unwrap();
    assert_eq!(store.value("a", 19), None);
    assert_eq!(store.value("a", 20), Some("1".into()));
    assert_eq!(store.value("b", 20), None);
}

#[test]
fn a_key_that_changed_since_the_start_is_a_conflict() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    let refusal = only(store.prewrite(&claim(15, vec![put("b", "2"), put("a", "2")])));
    assert_eq!(reason(&refusal), ConflictReason::Optimistic);
    assert_eq!(store.mvcc.holder(b"b"), None, "nothing is claimed by a prewrite that is refused");
    store.prewrite(&claim(20, vec![put("a", "2")])).unwrap();
}

#[test]
fn a_lock_op_counts_as_written() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    store.write(30, 40, mutation(MutationKind::Lock, "a", ""));
    assert_eq!(store.value("a", 50), Some("1".into()));
    assert_eq!(reason(&only(store.prewrite(&claim(35, vec![put("a", "2")])))), ConflictReason::Optimistic);
    store.prewrite(&claim(50, vec![mutation(MutationKind::Lock, "a", "")])).unwrap();
    assert_eq!(store.value("a", 60), Some("1".into()), "a lock that changes nothing stops no reader");
}

#[test]
fn all_locks_met_are_told_and_nothing_is_claimed() {
    let mut store = Store::default();
    store.prewrite(&claim(10, vec![put("a", "1"), put("b", "1")])).unwrap();
    let refusals = store.prewrite(&claim(20, vec![put("a", "2"), put("c", "2"), put("b", "2")])).unwrap_err();
    assert_eq!(refusals.len(), 2);
    assert_eq!(store.mvcc.holder(b"c"), None);
}

#[test]
fn each_step_may_come_twice() {
    let mut store = Store::default();
    let request = claim(10, vec![put("a", "1")]);
    store.prewrite(&request).unwrap();
    store.prewrite(&request).unwrap();
    store.mvcc.commit(&keys(&["a"]), 10, 20).unwrap();
    store.mvcc.commit(&keys(&["a"]), 10, 20).unwrap();
    assert_eq!(store.prewrite(&request), Ok(Prewritten::default()), "late, but its own");
    assert_eq!(store.mvcc.holder(b"a"), None);
}

#[test]
fn a_late_prewrite_finds_its_rollback() {
    let mut store = Store::default();
    store.mvcc.roll_back(&keys(&["a"]), 10).unwrap();
    let refusal = only(store.prewrite(&claim(10, vec![put("a", "1")])));
    assert_eq!(reason(&refusal), ConflictReason::SelfRolledBack);
    let refusal = store.mvcc.commit(&keys(&["a"]), 10, 20).unwrap_err();
    assert!(matches!(refusal, Refusal::TxnLockNotFound { .. }));
}

#[test]
fn a_commit_is_all_or_nothing() {
    let mut store = Store::default();
    store.prewrite(&claim(10, vec![put("a", "1")])).unwrap();
    assert!(store.mvcc.commit(&keys(&["a", "b"]), 10, 20).is_err());
    assert_eq!(store.mvcc.holder(b"a"), Some(10));
    let refusal = store.mvcc.commit(&keys(&["a"]), 10, 10).unwrap_err();
    assert_eq!(refusal, Abort::InvalidTimestamps { start: 10, commit: 10 }.into());
}

#[test]
fn what_is_committed_is_not_rolled_back() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    store.prewrite(&claim(30, vec![put("b", "1")])).unwrap();
    let refusal = store.mvcc.roll_back(&keys(&["b", "a"]), 10).unwrap_err();
    assert_eq!(refusal, Abort::Committed { start: 10, commit: 20, key: "a".into() }.into());
    assert!(store.records("b").is_empty());
}

#[test]
fn a_rollback_leaves_others_locks_alone() {
    let mut store = Store::default();
    store.prewrite(&claim(20, vec![put("a", "1")])).unwrap();
    store.mvcc.roll_back(&keys(&["a"]), 10).unwrap();
    assert_eq!(store.mvcc.holder(b"a"), Some(20));
}

#[test]
fn a_rollback_and_a_commit_at_one_timestamp_are_both_known() {
    for rollback_first in [true, false] {
        let mut store = Store::default();
        store.prewrite(&claim(10, vec![put("a", "1")])).unwrap();
        if rollback_first {
            store.mvcc.clean_up(&"a".into(), 20, 0).unwrap();
            store.mvcc.commit(&keys(&["a"]), 10, 20).unwrap();
        } else {
            store.mvcc.commit(&keys(&["a"]), 10, 20).unwrap();
            store.mvcc.clean_up(&"a".into(), 20, 0).unwrap();
        }
        assert_eq!(store.mvcc.fate(b"a", 10), Fate::Committed(20));
        assert_eq!(store.mvcc.fate(b"a", 20), Fate::RolledBack);
        assert_eq!(store.value("a", 20), Some("1".into()));
        let refusal = only(store.prewrite(&claim(20, vec![put("a", "2")])));
        assert_eq!(reason(&refusal), ConflictReason::SelfRolledBack);
    }
}

#[test]
fn only_unprotected_rollbacks_are_swallowed() {
    let mut store = Store::default();
    store.mvcc.clean_up(&"a".into(), 10, 0).unwrap();
    store.mvcc.roll_back(&keys(&["a"]), 20).unwrap();
    store.mvcc.roll_back(&keys(&["a"]), 30).unwrap();
    assert_eq!(store.records("a"), [10, 30]);
    store.prewrite(&claim(40, vec![put("a", "1")])).unwrap();
    store.mvcc.roll_back(&keys(&["a"]), 40).unwrap();
    store.mvcc.roll_back(&keys(&["a"]), 50).unwrap();
    assert_eq!(store.records("a"), [10, 40, 50], "that of the primary stays");
}

#[test]
fn an_insert_wants_the_key_to_be_new() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    for kind in [MutationKind::Insert, MutationKind::CheckNotExists] {
        let refusal = only(store.prewrite(&claim(30, vec![mutation(kind, "a", "2")])));
        assert_eq!(refusal, Refusal::AlreadyExists { key: "a".into() });
    }
    assert_eq!(store.max_ts, 30, "the check is a read");
    store.write(40, 50, delete("a"));
    store.prewrite(&claim(60, vec![mutation(MutationKind::CheckNotExists, "a", "")])).unwrap();
    assert_eq!(store.mvcc.holder(b"a"), None, "a check writes nothing");
    store.write(60, 70, mutation(MutationKind::Insert, "a", "3"));
    assert_eq!(store.value("a", 70), Some("3".into()));
}

#[test]
fn an_assertion_is_held_against_the_newest_version() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    let asserting = |must_exist| Mutation { must_exist: Some(must_exist), ..put("a", "2") };
    let refusal = only(store.prewrite(&claim(30, vec![asserting(false)])));
    let existing = Some((10, 20));
    let failed = Refusal::AssertionFailed { start: 30, key: "a".into(), must_exist: false, existing };
    assert_eq!(refusal, failed);
    store.prewrite(&claim(30, vec![asserting(true)])).unwrap();
}

#[test]
fn a_scan_walks_both_ways_and_counts_locked_keys() {
    let mut store = Store::default();
    for key in ["a", "b", "c", "d"] {
        store.write(10, 20, put(key, "1"));
    }
    store.write(30, 40, delete("b"));
    store.prewrite(&claim(45, vec![put("c", "2")])).unwrap();
    let walk = |range, reverse, limit| {
        let scan = Scan { range, limit, reverse, key_only: true };
        let pairs = store.mvcc.scan(scan, &View::at(50));
        pairs.into_iter().map(|(key, value)| (key, value.is_ok())).collect::<Vec<_>>()
    };
    assert_eq!(walk((b"", b""), false, 2), [("a".into(), true), ("c".into(), false)]);
    assert_eq!(walk((b"", b""), true, 2), [("d".into(), true), ("c".into(), false)]);
    assert_eq!(walk((b"b", b"c"), false, 9), []);
    assert_eq!(walk((b"z", b"a"), false, 9), [], "a range upside down is empty");
}

#[test]
fn a_reader_goes_past_locks_that_it_knows() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    store.prewrite(&claim(30, vec![put("a", "2")])).unwrap();
    let read = |view: View| store.mvcc.get(&"a".into(), &view);
    assert_eq!(read(View { resolved: vec![30], ..View::at(40) }), Ok(Some("1".into())));
    assert_eq!(read(View { committed: vec![30], ..View::at(40) }), Ok(Some("2".into())));
    assert!(read(View { resolved: vec![31], ..View::at(40) }).is_err());
    assert_eq!(read(View::at(u64::MAX)), Ok(Some("1".into())), "now is before a commit to come");
}
