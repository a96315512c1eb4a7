mod batches;
mod crash;
mod disk;
mod faults;
mod files;
mod workload;

use super::*;
use crate::conformance::Subject;
use braid_types::{ManualClock, SeededRandom, Time};
use redb::backends::InMemoryBackend;

fn settings() -> EmbeddedSettings {
    let limits = Limits { keys: 10_000, bytes: 1 << 20, transactions: 64, ..Limits::default() };
    let limits = Limits { key_length: 1 << 10, value_length: 1 << 16, ..limits };
    EmbeddedSettings { limits, cache_bytes: 16 << 20, ..EmbeddedSettings::default() }
}

fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Time::default()))
}

fn open_on(backend: impl StorageBackend) -> Result<Embedded, KvError> {
    Embedded::open_on(backend, "disk", settings(), clock(), &SeededRandom::new(1))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealer_gets_its_turn_under_64_busy_lanes() {
    let settings = EmbeddedSettings { limits: Limits::default(), ..settings() };
    let (backend, random) = (InMemoryBackend::new(), SeededRandom::new(1));
    let store = Embedded::open_on(backend, "in memory", settings, clock(), &random).unwrap();
    let store: Arc<dyn Kv> = Arc::new(store);
    let mut busy = crate::fence::tests::busy_lanes([Arc::clone(&store), store]).await;
    let open = busy.held().await;
    drop(open);
    // One that gives up is no harm to the writers, and the next one has its turn as well.
    busy.go_on().await;
    let held = busy.held().await;
    busy.seal(held).await;
}

mod conformance {
    use super::*;

    async fn subject() -> Subject {
        let clock = clock();
        let shared = Arc::clone(&clock) as Arc<dyn Clock>;
        let (backend, random) = (InMemoryBackend::new(), SeededRandom::new(1));
        let store = Embedded::open_on(backend, "in memory", settings(), shared, &random).unwrap();
        Subject::new(Arc::new(store)).with_limits(settings().limits).with_clock(move |by| clock.advance(by))
    }

    crate::conformance_tests!(subject);
}
