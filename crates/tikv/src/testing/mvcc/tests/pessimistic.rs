use super::*;

fn want(start: u64, for_update: u64, names: &[&'static str]) -> PessimisticLock {
    PessimisticLock {
        keys: keys(names).into_iter().map(|key| (key, false)).collect(),
        primary: names[0].into(),
        start,
        ttl: 100,
        for_update,
        reads: true,
        ..PessimisticLock::default()
    }
}

fn locked(mutation: Mutation) -> Mutation {
    Mutation { check: Check::Locked, ..mutation }
}

fn finish(start: u64, for_update: u64, mutations: Vec<Mutation>) -> Prewrite {
    Prewrite { for_update, ..claim(start, mutations) }
}

impl Store {
    fn lock(&mut self, want: &PessimisticLock) -> Result<Vec<Option<Bytes>>, Refusal> {
        self.mvcc.lock_pessimistic(want, &mut self.max_ts)
    }
}

#[test]
fn a_lock_reads_at_its_own_timestamp() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    let refusal = store.lock(&want(15, 15, &["a"])).unwrap_err();
    assert_eq!(reason(&refusal), ConflictReason::PessimisticRetry);
    assert_eq!(store.lock(&want(15, 25, &["a", "b"])), Ok(vec![Some("1".into()), None]));
    assert_eq!(store.max_ts, 25, "it is a read");
    assert_eq!(store.value("a", 30), Some("1".into()), "and stops no reader");
}

#[test]
fn locks_are_taken_all_or_none() {
    let mut store = Store::default();
    store.lock(&want(10, 10, &["b"])).unwrap();
    assert!(matches!(store.lock(&want(20, 20, &["a", "b"])), Err(Refusal::Locked { .. })));
    assert_eq!(store.mvcc.holder(b"a"), None);
}

#[test]
fn a_lock_holds_off_an_optimistic_writer() {
    let mut store = Store::default();
    store.lock(&want(10, 10, &["a"])).unwrap();
    assert!(matches!(only(store.prewrite(&claim(20, vec![put("a", "2")]))), Refusal::Locked { .. }));
    let refusal = only(store.prewrite(&claim(10, vec![put("a", "2")])));
    assert_eq!(refusal, Abort::LockTypeNotMatch { start: 10, key: "a".into() }.into());
}

#[test]
fn what_is_locked_is_written_whatever_happened_since_the_start() {
    let mut store = Store::default();
    store.write(12, 20, put("a", "1"));
    store.lock(&want(10, 25, &["a"])).unwrap();
    store.prewrite(&finish(10, 25, vec![locked(put("a", "2"))])).unwrap();
    store.mvcc.commit(&keys(&["a"]), 10, 30).unwrap();
    assert_eq!(store.value("a", 30), Some("2".into()));
}

#[test]
fn a_lost_lock_is_made_good_only_if_nobody_came_between() {
    let mut store = Store::default();
    store.prewrite(&finish(10, 10, vec![locked(put("a", "1"))])).unwrap();
    assert_eq!(store.mvcc.holder(b"a"), Some(10));
    store.write(20, 30, put("b", "1"));
    let refusal = only(store.prewrite(&finish(15, 40, vec![locked(put("b", "2"))])));
    assert_eq!(refusal, Abort::PessimisticLockNotFound { start: 15, key: "b".into() }.into());
    let refusal = only(store.prewrite(&finish(15, 40, vec![locked(put("a", "2"))])));
    assert_eq!(refusal, Abort::PessimisticLockNotFound { start: 15, key: "a".into() }.into());
}

#[test]
fn a_key_that_was_not_locked_may_be_checked_at_the_end() {
    let mut store = Store::default();
    store.write(12, 20, put("a", "1"));
    let unchanged = Mutation { check: Check::Unchanged, ..put("a", "2") };
    let refusal = only(store.prewrite(&finish(10, 25, vec![unchanged])));
    assert_eq!(reason(&refusal), ConflictReason::LazyUniquenessCheck);
    let retry = Prewrite { retry: true, ..finish(10, 15, vec![put("a", "2")]) };
    let refusal = only(store.prewrite(&retry));
    assert_eq!(refusal, Abort::PessimisticLockNotFound { start: 10, key: "a".into() }.into());
    store.prewrite(&finish(10, 15, vec![put("a", "2")])).unwrap();
}

#[test]
fn locks_met_on_keys_that_were_not_locked_are_to_be_resolved_at_once() {
    let mut store = Store::default();
    store.prewrite(&claim(10, vec![put("a", "1")])).unwrap();
    let refusal = only(store.prewrite(&finish(20, 20, vec![put("a", "2")])));
    assert!(matches!(refusal, Refusal::Locked { lock, .. } if lock.ttl == 0));
}

#[test]
fn a_commit_of_a_mere_lock_only_takes_it_away() {
    let mut store = Store::default();
    store.lock(&want(10, 10, &["a"])).unwrap();
    store.mvcc.commit(&keys(&["a"]), 10, 20).unwrap();
    assert_eq!((store.mvcc.holder(b"a"), store.records("a")), (None, vec![]));
}

#[test]
fn only_older_mere_locks_are_given_up() {
    let mut store = Store::default();
    store.lock(&want(10, 20, &["a"])).unwrap();
    store.mvcc.roll_back_pessimistic(&keys(&["a", "x"]), 10, 15);
    assert_eq!(store.mvcc.holder(b"a"), Some(10));
    store.mvcc.roll_back_pessimistic(&keys(&["a"]), 10, 20);
    assert_eq!((store.mvcc.holder(b"a"), store.records("a")), (None, vec![]));
    store.prewrite(&finish(10, 20, vec![put("a", "1")])).unwrap();
    store.mvcc.roll_back_pessimistic(&keys(&["a"]), 10, 99);
    assert_eq!(store.mvcc.holder(b"a"), Some(10), "a claim is no mere lock");
}

#[test]
fn a_lock_goes_forward_only() {
    let mut store = Store::default();
    for for_update in [20, 10, 30] {
        store.lock(&want(10, for_update, &["a"])).unwrap();
    }
    assert_eq!(store.mvcc.lock(b"a").unwrap().for_update, 30);
    store.prewrite(&finish(10, 25, vec![locked(put("a", "1"))])).unwrap();
    let lock = store.mvcc.lock(b"a").unwrap();
    assert_eq!((lock.kind, lock.for_update, lock.ttl), (LockKind::Put, 30, 100));
}

#[test]
fn a_transaction_that_is_over_locks_nothing() {
    let mut store = Store::default();
    store.mvcc.roll_back(&keys(&["a"]), 10).unwrap();
    store.write(12, 20, put("a", "1"));
    let refusal = store.lock(&want(10, 30, &["a"])).unwrap_err();
    assert_eq!(refusal, Abort::PessimisticLockRolledBack { start: 10, key: "a".into() }.into());
}

#[test]
fn a_key_can_be_locked_if_it_is_new_or_only_if_it_is_there() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    let must_be_new =
        |key: &'static str| PessimisticLock { keys: vec![(key.into(), true)], ..want(30, 30, &[key]) };
    assert_eq!(store.lock(&must_be_new("a")), Err(Refusal::AlreadyExists { key: "a".into() }));
    store.lock(&must_be_new("b")).unwrap();
    let if_there = PessimisticLock { only_if_exists: true, ..want(30, 30, &["a", "c"]) };
    store.lock(&if_there).unwrap();
    assert_eq!((store.mvcc.holder(b"a"), store.mvcc.holder(b"c")), (Some(30), None));
    assert!(store.lock(&PessimisticLock { reads: false, ..if_there }).is_err());
}
