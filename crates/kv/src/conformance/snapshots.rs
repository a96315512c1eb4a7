//! States named by their timestamps, and how long they last.

use super::{
    Subject,
    support::{b, put},
};
use crate::KvError;
use std::time::Duration;

pub async fn a_pinned_state_is_found_again(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let timestamp = {
        let snapshot = kv.snapshot().await.unwrap();
        snapshot.pin();
        snapshot.timestamp()
    };
    put(kv, "a", "2").await;
    let again = kv.snapshot_at(timestamp).await.unwrap();
    assert_eq!(again.timestamp(), timestamp);
    assert_eq!(again.get(b"a").await.unwrap(), Some(b("1")));
}

pub async fn the_newest_state_is_found_without_a_pin(subject: Subject) {
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let timestamp = kv.snapshot().await.unwrap().timestamp();
    let again = kv.snapshot_at(timestamp).await.unwrap();
    assert_eq!(again.get(b"a").await.unwrap(), Some(b("1")));
}

pub async fn a_state_never_held_has_expired(subject: Subject) {
    let kv = &*subject.kv;
    let timestamp = u64::MAX.into();
    let refused = kv.snapshot_at(timestamp).await.err().unwrap();
    assert_eq!(refused, KvError::SnapshotExpired { timestamp });
}

pub async fn an_old_snapshot_expires(subject: Subject) {
    let Some(pass_time) = &subject.pass_time else { return };
    let kv = &*subject.kv;
    put(kv, "a", "1").await;
    let snapshot = kv.snapshot().await.unwrap();
    let timestamp = snapshot.timestamp();
    snapshot.pin();
    put(kv, "a", "2").await;

    pass_time(kv.max_snapshot_age());
    assert_eq!(snapshot.get(b"a").await.unwrap(), Some(b("1")), "it is just young enough");
    assert_eq!(kv.snapshot_at(timestamp).await.unwrap().get(b"a").await.unwrap(), Some(b("1")));

    pass_time(Duration::from_millis(1));
    let expired = KvError::SnapshotExpired { timestamp };
    assert_eq!(snapshot.get(b"a").await, Err(expired.clone()));
    assert_eq!(kv.snapshot_at(timestamp).await.err(), Some(expired));
    assert_eq!(kv.snapshot().await.unwrap().get(b"a").await.unwrap(), Some(b("2")));
}
