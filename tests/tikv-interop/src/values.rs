//! What either writes, the other reads.

use braid_tikv::{KeyRange, Mode, Outcome, ScanOptions, Settings};

use crate::support::{Way, b, cluster, ours, ours_with, put_ours, put_theirs, theirs};

/// In one region, and in three.
const PAIRS: [&[(&str, &str)]; 2] =
    [&[("a", "1"), ("b", "2")], &[("a", "3"), ("b", ""), ("j", "5"), ("x", "6")]];

#[tokio::test]
async fn what_ours_writes_theirs_reads() {
    for one_phase in [true, false] {
        for pairs in PAIRS {
            let cluster = cluster().await;
            let writer = ours_with(&cluster, Settings { one_phase, ..Settings::default() }).await;
            let reader = theirs(&cluster).await;
            put_ours(&writer, pairs).await;
            let mut txn = reader.begin_with_options(Way::TwoPhases.options()).await.unwrap();
            for (key, value) in pairs {
                assert_eq!(txn.get((*key).to_owned()).await.unwrap(), Some(value.as_bytes().to_vec()));
            }
            let keys = pairs.iter().map(|(key, _)| (*key).to_owned());
            assert_eq!(txn.batch_get(keys).await.unwrap().count(), pairs.len());
            let expected: Vec<(Vec<u8>, Vec<u8>)> = pairs
                .iter()
                .map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()))
                .collect();
            let scanned = txn.scan("a".to_owned().."z".to_owned(), 100).await.unwrap();
            let scanned: Vec<_> = scanned.map(|pair| (Vec::from(pair.0), pair.1)).collect();
            assert_eq!(scanned, expected);
            txn.rollback().await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_theirs_writes_ours_reads() {
    for way in Way::ALL {
        for pairs in PAIRS {
            let cluster = cluster().await;
            let (writer, reader) = (theirs(&cluster).await, ours(&cluster).await);
            put_theirs(&writer, way, pairs).await;
            let snapshot = reader.snapshot().await.unwrap();
            for (key, value) in pairs {
                assert_eq!(snapshot.get(key.as_bytes()).await, Ok(Some(b(value))), "{way:?}");
            }
            let mut expected: Vec<_> = pairs.iter().map(|(key, value)| (b(key), b(value))).collect();
            let scanned = snapshot.scan(&KeyRange::all(), ScanOptions::first(100)).await;
            assert_eq!(scanned, Ok(expected.clone()));
            expected.reverse();
            let scanned = snapshot.scan(&KeyRange::all(), ScanOptions::last(100)).await;
            assert_eq!(scanned, Ok(expected));
        }
    }
}

#[tokio::test]
async fn a_conflict_with_the_other_is_one() {
    for way in [Way::TwoPhases, Way::OnePhase, Way::Async] {
        let cluster = cluster().await;
        let (ours, theirs) = (ours(&cluster).await, theirs(&cluster).await);
        let mut mine = ours.begin(Mode::Optimistic).await.unwrap();
        mine.get(b"a").await.unwrap();
        put_theirs(&theirs, way, &[("a", "theirs")]).await;
        mine.put(b("a"), b("ours"));
        assert!(matches!(mine.commit().await, Outcome::Conflict(_)), "{way:?}");
        let mut txn = theirs.begin_with_options(way.options()).await.unwrap();
        txn.get("a".to_owned()).await.unwrap();
        put_ours(&ours, &[("a", "ours")]).await;
        txn.put("a".to_owned(), "theirs".to_owned()).await.unwrap();
        assert!(txn.commit().await.is_err(), "{way:?}");
        assert_eq!(cluster.value(b"a"), Some(b("ours")));
    }
}
