use super::*;

const START: u64 = at_millisecond(1000);

fn check(current_ms: u64) -> CheckTxn {
    CheckTxn {
        primary: "a".into(),
        start: START,
        current: at_millisecond(current_ms),
        rollback_if_missing: true,
        verify_primary: true,
        ..CheckTxn::default()
    }
}

fn claimed() -> Store {
    let mut store = Store::default();
    store.prewrite(&claim(START, vec![put("a", "1"), put("b", "1")])).unwrap();
    store
}

fn mere_lock(primary: &'static str) -> Store {
    let mut store = Store::default();
    let keys = vec![("a".into(), false)];
    let want = PessimisticLock {
        keys,
        primary: primary.into(),
        start: START,
        for_update: START,
        ..Default::default()
    };
    store.mvcc.lock_pessimistic(&want, &mut store.max_ts).unwrap();
    store
}

#[test]
fn a_transaction_lives_through_its_last_millisecond() {
    let mut store = claimed();
    assert!(matches!(store.mvcc.check_txn(&check(1100)), Ok(TxnStatus::Locked(..))));
    let expired = TxnStatus::RolledBack(TxnAction::ExpireRollback);
    assert_eq!(store.mvcc.check_txn(&check(1101)), Ok(expired));
    assert_eq!(store.mvcc.fate(b"a", START), Fate::RolledBack);
    assert_eq!(store.mvcc.holder(b"b"), Some(START));
    assert_eq!(store.mvcc.check_txn(&check(1101)), Ok(TxnStatus::RolledBack(TxnAction::None)));
}

#[test]
fn a_heartbeat_lengthens_a_life() {
    let mut store = claimed();
    assert_eq!(store.mvcc.heartbeat(&"a".into(), START, 500), Ok(500));
    assert_eq!(store.mvcc.heartbeat(&"a".into(), START, 50), Ok(500));
    assert!(matches!(store.mvcc.check_txn(&check(1500)), Ok(TxnStatus::Locked(..))));
    let refusal = store.mvcc.heartbeat(&"x".into(), START, 500).unwrap_err();
    assert_eq!(refusal, Refusal::TxnNotFound { start: START, primary: "x".into() });
}

#[test]
fn a_committed_transaction_says_when() {
    let mut store = claimed();
    store.mvcc.commit(&keys(&["a"]), START, START + 5).unwrap();
    assert_eq!(store.mvcc.check_txn(&check(9000)), Ok(TxnStatus::Committed(START + 5)));
}

#[test]
fn a_transaction_that_nobody_knows_is_ended_if_asked() {
    let mut store = Store::default();
    let asking = CheckTxn { rollback_if_missing: false, ..check(1001) };
    assert!(matches!(store.mvcc.check_txn(&asking), Err(Refusal::TxnNotFound { .. })));
    let for_a_mere_lock = CheckTxn { resolving_pessimistic: true, ..check(1001) };
    let nothing = TxnStatus::RolledBack(TxnAction::MissingDoNothing);
    assert_eq!(store.mvcc.check_txn(&for_a_mere_lock), Ok(nothing));
    assert!(store.records("a").is_empty());
    let ended = TxnStatus::RolledBack(TxnAction::MissingRollback);
    assert_eq!(store.mvcc.check_txn(&check(1001)), Ok(ended));
    assert!(store.prewrite(&claim(START, vec![put("a", "1")])).is_err());
}

#[test]
fn a_reader_pushes_only_those_that_take_part() {
    let mut store = claimed();
    let asking = CheckTxn { caller: START + 50, ..check(1001) };
    let Ok(TxnStatus::Locked(lock, TxnAction::None)) = store.mvcc.check_txn(&asking) else {
        panic!("it lives and is not pushed");
    };
    assert_eq!(lock.min_commit, 0);

    let mut store = Store::default();
    let request = Prewrite { min_commit: START + 1, ..claim(START, vec![put("a", "1")]) };
    store.prewrite(&request).unwrap();
    let current = asking.current;
    let Ok(TxnStatus::Locked(lock, TxnAction::MinCommitPushed)) = store.mvcc.check_txn(&asking) else {
        panic!("it lives and is pushed");
    };
    assert_eq!(lock.min_commit, current.max(START + 51));
    assert_eq!(store.value("a", START + 50), None, "the reader need not wait");
    assert!(store.mvcc.commit(&keys(&["a"]), START, START + 51).is_err());
}

#[test]
fn a_mere_lock_that_expired_leaves_no_record() {
    let mut store = mere_lock("a");
    let resolving = CheckTxn { resolving_pessimistic: true, ..check(1001) };
    let expired = TxnStatus::RolledBack(TxnAction::ExpirePessimisticRollback);
    assert_eq!(store.mvcc.check_txn(&resolving), Ok(expired));
    assert!(store.records("a").is_empty());
    let mut store = mere_lock("a");
    let expired = TxnStatus::RolledBack(TxnAction::ExpireRollback);
    assert_eq!(store.mvcc.check_txn(&check(1001)), Ok(expired));
    assert_eq!(store.records("a"), [START]);
}

#[test]
fn a_lock_with_another_primary_says_nothing() {
    let mut store = claimed();
    let wrong = CheckTxn { primary: "b".into(), ..check(1001) };
    assert!(matches!(store.mvcc.check_txn(&wrong), Err(Refusal::PrimaryMismatch { .. })));
    let mut store = mere_lock("z");
    let ended = TxnStatus::RolledBack(TxnAction::MissingRollback);
    assert_eq!(store.mvcc.check_txn(&check(1000)), Ok(ended));
    assert_eq!(store.mvcc.holder(b"a"), None);
    let mut store = mere_lock("z");
    let resolving = CheckTxn { resolving_pessimistic: true, ..check(1000) };
    assert!(matches!(store.mvcc.check_txn(&resolving), Err(Refusal::PrimaryMismatch { .. })));
}

#[test]
fn clean_up_spares_what_lives() {
    let mut store = claimed();
    let alive = at_millisecond(1100);
    assert!(matches!(store.mvcc.clean_up(&"b".into(), START, alive), Err(Refusal::Locked { .. })));
    store.mvcc.clean_up(&"b".into(), START, 0).unwrap();
    assert_eq!(store.mvcc.fate(b"b", START), Fate::RolledBack);
}

#[test]
fn a_region_is_resolved_as_far_as_it_goes() {
    let mut store = Store::default();
    store.prewrite(&claim(10, vec![put("a", "1"), put("b", "1"), put("m", "1")])).unwrap();
    store.prewrite(&claim(12, vec![put("c", "2")])).unwrap();
    store.mvcc.resolve_range((b"a", b"m"), 10, 20).unwrap();
    assert_eq!(store.value("b", 20), Some("1".into()));
    assert_eq!((store.mvcc.holder(b"m"), store.mvcc.holder(b"c")), (Some(10), Some(12)));
    store.mvcc.resolve_range((b"a", b"m"), 12, 0).unwrap();
    assert_eq!(store.mvcc.fate(b"c", 12), Fate::RolledBack);
    store.mvcc.resolve(&keys(&["m"]), 10, 20).unwrap();
    store.mvcc.resolve(&keys(&["m"]), 10, 20).unwrap();
    assert!(store.mvcc.resolve(&keys(&["m", "c"]), 10, 20).is_err(), "nobody claimed one of them");
}
