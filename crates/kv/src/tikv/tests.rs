use super::testing::TestPlace;
use super::*;
use crate::{Limits, conformance::Subject};
use braid_types::{ManualClock, Time};
use bytes::Bytes;

fn settings() -> TikvSettings {
    let limits = Limits { keys: 10_000, bytes: 1 << 20, transactions: 64, ..Limits::default() };
    let limits = Limits { key_length: 1 << 10, value_length: 1 << 16, ..limits };
    TikvSettings { limits, lanes: 4, ..TikvSettings::default() }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::default()))
}

mod conformance {
    use super::*;

    async fn subject() -> Subject {
        let clock = clock();
        let place = TestPlace::new().await;
        let store = place.open(settings(), clock.clone()).await;
        // TiKV's records of rollbacks and locks conflict as writes do.
        let subject = Subject::new(Arc::new(store)).with_limits(settings().limits).that_leaves_marks();
        subject.with_clock(move |by| {
            // The server lives as long as the subject.
            let _ = &place;
            clock.advance(by);
        })
    }

    crate::conformance_tests!(subject);
}

#[tokio::test]
async fn what_is_older_than_the_retention_is_forgotten_and_no_younger_state() {
    use crate::{Mode, Outcome};

    let place = TestPlace::started(braid_tikv::testing::Options::default()).await;
    let server = place.server().expect("it was started");
    let retention = Duration::from_secs(3600);
    let store = place.open(TikvSettings { retention, ..settings() }, clock()).await;
    let put = async |value: &'static str| {
        let mut txn = store.begin(Mode::Optimistic).await.unwrap();
        txn.put(Bytes::from_static(b"a"), Bytes::from_static(value.as_bytes()));
        assert!(matches!(txn.commit().await, Outcome::Committed(_)));
        store.snapshot().await.unwrap()
    };
    let first = put("1").await;
    server.advance(Duration::from_secs(3000));
    let second = put("2").await;
    server.advance(Duration::from_secs(3000));
    put("3").await;
    store.collect_garbage().await.unwrap();
    let (oldest, younger) = (u64::from(first.timestamp()), u64::from(second.timestamp()));
    assert!((oldest..younger).contains(&server.safe_point()), "the safe point is an hour ago");
    assert_eq!(second.get(b"a").await.unwrap().as_deref(), Some(&b"2"[..]));
    assert_eq!(store.snapshot().await.unwrap().get(b"a").await.unwrap().as_deref(), Some(&b"3"[..]));
    store.close().await;
    assert_eq!(store.collect_garbage().await, Err(KvError::Closed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealer_gets_its_turn_under_64_busy_lanes_with_a_few_requests_a_lane() {
    use crate::fence::tests::busy_lanes;
    use braid_tikv::testing::{Call, Options};

    let place = TestPlace::started(Options::default()).await;
    let server = place.server().expect("it was started");
    let settings = TikvSettings { limits: Limits::default(), ..settings() };
    let open = async || Arc::new(place.open(settings, clock()).await) as Arc<dyn Kv>;
    let busy = busy_lanes([open().await, open().await]).await;
    server.take_counts();
    let sealed = busy.held().await;
    let asked = server.take_counts().of(Call::KvPessimisticLock);
    // One for each stripe, and again where a writer came first.
    assert!((64..=4 * 64).contains(&asked), "{asked} requests for 64 stripes");
    busy.seal(sealed).await;
}

#[tokio::test]
async fn a_transaction_whose_decisive_key_goes_with_a_destroyed_range_stays_committed_elsewhere() {
    use crate::{Mode, Outcome};
    use braid_tikv::testing::{Call, Effect, Filter, Options};

    let place = TestPlace::started(Options::default()).await;
    let server = place.server().expect("it was started");
    server.split(b"Bm");
    let store = place.open(settings(), clock()).await;
    // The second phase never reaches the other region: its lock stays, and is decided by the first region's key.
    server.inject(Filter::on(Call::KvCommit).with_key("Bz"), Effect::LoseRequest);
    let mut txn = store.begin(Mode::Optimistic).await.unwrap();
    for key in ["a", "z"] {
        txn.put(Bytes::from_static(key.as_bytes()), Bytes::from_static(b"1"));
    }
    assert!(matches!(txn.commit().await, Outcome::Committed(_)));
    assert_eq!(server.locks().len(), 1);
    server.advance(Duration::from_secs(600));
    store.destroy(KeyRange::prefix(b"a")).await.unwrap();
    let snapshot = store.snapshot().await.unwrap();
    assert_eq!(snapshot.get(b"a").await.unwrap(), None);
    assert_eq!(snapshot.get(b"z").await.unwrap().as_deref(), Some(&b"1"[..]), "it was not rolled back");
}
