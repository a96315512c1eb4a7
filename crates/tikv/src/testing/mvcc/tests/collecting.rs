use super::*;

const ALL: Range<'static> = (b"", b"");

#[test]
fn readers_at_the_safe_point_see_what_they_saw() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    store.write(30, 40, put("a", "2"));
    store.write(45, 46, mutation(MutationKind::Lock, "a", ""));
    store.write(60, 70, put("a", "3"));
    store.mvcc.collect_garbage(ALL, 50);
    assert_eq!(store.records("a"), [40, 70]);
    assert_eq!((store.value("a", 50), store.value("a", 70)), (Some("2".into()), Some("3".into())));
    assert_eq!(store.value("a", 30), None, "older readers silently lose");
}

#[test]
fn deleted_keys_and_rollbacks_go_altogether() {
    let mut store = Store::default();
    store.write(10, 20, put("a", "1"));
    store.write(30, 40, delete("a"));
    store.mvcc.roll_back(&keys(&["b"]), 10).unwrap();
    store.prewrite(&claim(45, vec![put("c", "1")])).unwrap();
    store.mvcc.collect_garbage(ALL, 50);
    assert_eq!(store.mvcc.rows.keys().collect::<Vec<_>>(), ["c"], "a lock is no garbage");
}

#[test]
fn old_locks_are_found_in_order() {
    let mut store = Store::default();
    for (start, key) in [(30, "c"), (10, "a"), (20, "b"), (50, "d")] {
        store.prewrite(&claim(start, vec![put(key, "1")])).unwrap();
    }
    let found = |range, max, limit| {
        let locks = store.mvcc.scan_locks(range, max, limit);
        locks.into_iter().map(|(key, _)| key).collect::<Vec<_>>()
    };
    assert_eq!(found(ALL, 30, 0), keys(&["a", "b", "c"]));
    assert_eq!(found(ALL, 30, 2), keys(&["a", "b"]));
    assert_eq!(found((b"b", b"c"), 99, 0), keys(&["b"]));
}

#[test]
fn a_destroyed_range_has_neither_locks_nor_versions() {
    let mut store = Store::default();
    for key in ["a", "b", "c"] {
        store.write(10, 20, put(key, "1"));
    }
    store.prewrite(&claim(30, vec![put("b", "2")])).unwrap();
    store.mvcc.destroy((b"b", b"c"));
    assert_eq!(store.mvcc.rows.keys().collect::<Vec<_>>(), ["a", "c"]);
}
