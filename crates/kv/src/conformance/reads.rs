//! Reading: keys, ranges, own writes, one state.

use super::{
    Subject,
    support::{all, b, commit, get, optimistic, pairs, put, put_all},
};
use crate::{KeyRange, Kv, ScanOptions, Transaction};
use bytes::Bytes;

const FIVE: [(&str, &str); 5] = [("a", "1"), ("b", "2"), ("ba", "3"), ("c", "4"), ("d", "5")];

pub async fn what_was_written_is_read(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &[("a", "1"), ("empty", "")]).await;
    assert_eq!(get(kv, "a").await, Some(b("1")));
    assert_eq!(get(kv, "empty").await, Some(Bytes::new()), "an empty value is a value");
    assert_eq!(get(kv, "b").await, None);
    put(kv, "a", "2").await;
    assert_eq!(get(kv, "a").await, Some(b("2")));
}

pub async fn many_keys_are_read_in_their_order(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &FIVE).await;
    let keys = [b("d"), b("x"), b("a"), b("d")];
    let values = kv.snapshot().await.unwrap().get_many(&keys).await.unwrap();
    assert_eq!(values, [Some(b("5")), None, Some(b("1")), Some(b("5"))]);

    let mut txn = optimistic(kv).await;
    txn.put(b("x"), b("own"));
    txn.delete(b("a"));
    assert_eq!(txn.get_many(&keys).await.unwrap(), [Some(b("5")), Some(b("own")), None, Some(b("5"))]);
}

pub async fn scans_keep_range_limit_and_order(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &FIVE).await;
    let snapshot = kv.snapshot().await.unwrap();
    let scan = async |start: &str, end: &str, options| {
        let range = KeyRange::new(b(start), b(end));
        snapshot.scan(&range, options).await.unwrap()
    };
    assert_eq!(scan("", "", ScanOptions::first(9)).await, pairs(&FIVE));
    assert_eq!(scan("b", "c", ScanOptions::first(9)).await, pairs(&FIVE[1..3]));
    assert_eq!(scan("b", "", ScanOptions::first(2)).await, pairs(&FIVE[1..3]));
    assert_eq!(scan("", "c", ScanOptions::last(2)).await, pairs(&[("ba", "3"), ("b", "2")]));
    assert_eq!(scan("aa", "", ScanOptions::last(1)).await, pairs(&[("d", "5")]));
    let keys = scan("c", "", ScanOptions::first(9).keys_only()).await;
    assert_eq!(keys, pairs(&[("c", ""), ("d", "")]));
    let prefix = snapshot.scan(&KeyRange::prefix(b"b"), ScanOptions::first(9)).await.unwrap();
    assert_eq!(prefix, pairs(&FIVE[1..3]));
}

pub async fn scans_of_nothing_are_empty(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &FIVE).await;
    let snapshot = kv.snapshot().await.unwrap();
    let mut txn = optimistic(kv).await;
    txn.put(b("bb"), b("own"));
    for (start, end, limit) in [("c", "b", 9), ("b", "b", 9), ("x", "", 9), ("", "", 0)] {
        let range = KeyRange::new(b(start), b(end));
        for options in [ScanOptions::first(limit), ScanOptions::last(limit)] {
            assert_eq!(snapshot.scan(&range, options).await.unwrap(), [], "{range:?} {options:?}");
            assert_eq!(txn.scan(&range, options).await.unwrap(), [], "{range:?} {options:?}");
        }
    }
}

pub async fn a_transaction_sees_its_own_writes(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &FIVE).await;
    let mut txn = optimistic(kv).await;
    txn.put(b("aa"), b("own"));
    txn.put(b("c"), b("new"));
    txn.delete(b("b"));
    txn.delete(b("d"));
    txn.insert(b("e"), b("last"));
    assert_eq!(txn.get(b"c").await.unwrap(), Some(b("new")));
    assert_eq!(txn.get(b"b").await.unwrap(), None);

    let seen = [("a", "1"), ("aa", "own"), ("ba", "3"), ("c", "new"), ("e", "last")];
    assert_eq!(scan(&*txn, ScanOptions::first(9)).await, pairs(&seen));
    assert_eq!(scan(&*txn, ScanOptions::first(3)).await, pairs(&seen[..3]));
    let from_the_end: Vec<_> = seen.iter().rev().copied().collect();
    assert_eq!(scan(&*txn, ScanOptions::last(9)).await, pairs(&from_the_end));
    assert_eq!(scan(&*txn, ScanOptions::last(2)).await, pairs(&from_the_end[..2]));
    let keys = scan(&*txn, ScanOptions::first(2).keys_only()).await;
    assert_eq!(keys, pairs(&[("a", ""), ("aa", "")]));

    assert_eq!(all(kv).await, pairs(&FIVE), "nothing is to be seen before the commit");
    commit(txn).await;
    assert_eq!(all(kv).await, pairs(&seen));
}

async fn scan(txn: &dyn Transaction, options: ScanOptions) -> Vec<(Bytes, Bytes)> {
    txn.scan(&KeyRange::all(), options).await.unwrap()
}

pub async fn a_transaction_reads_one_state(subject: Subject) {
    let kv = &*subject.kv;
    put_all(kv, &FIVE).await;
    let (snapshot, txn) = (kv.snapshot().await.unwrap(), optimistic(kv).await);
    assert!(snapshot.timestamp() <= txn.timestamp(), "timestamps grow, if they change at all");

    let mut later = optimistic(kv).await;
    later.put(b("a"), b("new"));
    later.delete(b("b"));
    later.put(b("aa"), b("new"));
    commit(later).await;

    assert_eq!(txn.get(b"a").await.unwrap(), Some(b("1")));
    assert_eq!(scan(&*txn, ScanOptions::first(9)).await, pairs(&FIVE));
    assert_eq!(snapshot.get(b"a").await.unwrap(), Some(b("1")));
    assert_eq!(snapshot.scan(&KeyRange::all(), ScanOptions::first(9)).await.unwrap(), pairs(&FIVE));
    assert_eq!(get(kv, "a").await, Some(b("new")));
}

pub async fn a_lock_changes_nothing_that_is_read(subject: Subject) {
    let kv: &dyn Kv = &*subject.kv;
    put_all(kv, &FIVE).await;
    let mut txn = optimistic(kv).await;
    txn.lock(b("a"));
    txn.lock(b("x"));
    assert_eq!(txn.get(b"a").await.unwrap(), Some(b("1")));
    assert_eq!(scan(&*txn, ScanOptions::first(9)).await, pairs(&FIVE));
    commit(txn).await;
    assert_eq!(all(kv).await, pairs(&FIVE));
}
