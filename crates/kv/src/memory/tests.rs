use super::*;
use crate::conformance::Subject;
use braid_types::ManualClock;

mod conformance {
    use super::*;

    async fn subject() -> Subject {
        let clock = Arc::new(ManualClock::at(Time::default()));
        let limits = Limits { keys: 10_000, bytes: 1 << 20, transactions: 64, ..Limits::default() };
        let limits = Limits { key_length: 1 << 10, value_length: 1 << 16, ..limits };
        let settings = MemorySettings { limits, ..MemorySettings::default() };
        let store = Memory::new(settings, Arc::clone(&clock) as Arc<dyn Clock>);
        Subject::new(Arc::new(store)).with_limits(limits).with_clock(move |by| clock.advance(by))
    }

    crate::conformance_tests!(subject);
}
