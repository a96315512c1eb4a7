use super::testing::TestPlace;
use super::*;
use crate::{Limits, conformance::Subject};
use braid_types::{ManualClock, Time};

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
