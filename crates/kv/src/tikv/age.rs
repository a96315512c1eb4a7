//! How old a snapshot is. Stores do not say when they have forgotten a state, so this process does.
//!
//! A snapshot taken here is as old as this process's clock says. One that came with a timestamp from elsewhere is as old
//! as the cluster's clock says, which timestamps carry: this process needs no clock that agrees with it.

use crate::{
    KvError,
    pins::{Pin, Pins},
};
use braid_tikv::Timestamp;
use braid_types::{Clock, Time};
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};

/// When a snapshot was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Age {
    /// This process has known it since.
    since: Time,
    /// How old it was then.
    before: Duration,
}

/// The ages of snapshots.
#[derive(Debug)]
pub(super) struct Ages {
    max: Duration,
    clock: Arc<dyn Clock>,
    /// The greatest timestamp that the cluster has given to this process, and when.
    newest: Mutex<Option<(Timestamp, Time)>>,
    pins: Pins<()>,
}

impl Ages {
    pub(super) fn new(max: Duration, pins: usize, clock: Arc<dyn Clock>) -> Self {
        Self { max, clock, newest: Mutex::default(), pins: Pins::new(pins, max) }
    }

    /// How old a snapshot may be.
    pub(super) fn max(&self) -> Duration {
        self.max
    }

    /// The age of what is asked for now.
    pub(super) fn young(&self) -> Age {
        Age { since: self.clock.now(), before: Duration::ZERO }
    }

    /// Notes a timestamp that the cluster gave after `age` was begun.
    pub(super) fn note(&self, timestamp: Timestamp, age: Age) {
        let mut newest = self.newest.lock();
        if newest.is_none_or(|(known, _)| known < timestamp) {
            *newest = Some((timestamp, age.since));
        }
    }

    /// Remembers a snapshot taken here.
    pub(super) fn pin(&self, timestamp: Timestamp, age: Age) {
        if age.before.is_zero() {
            self.pins.add(Pin { timestamp: u64::from(timestamp).into(), taken: age.since, state: () });
        }
    }

    /// The age of the state at `timestamp`; `None` if the cluster has not given it yet, as far as is known.
    pub(super) fn of(&self, timestamp: Timestamp) -> Option<Age> {
        if let Some(pin) = self.pins.find(u64::from(timestamp).into()) {
            return Some(Age { since: pin.taken, before: Duration::ZERO });
        }
        let (newest, since) = (*self.newest.lock())?;
        let before = newest.physical().saturating_sub(timestamp.physical());
        (timestamp <= newest).then_some(Age { since, before: Duration::from_millis(before) })
    }

    /// Refuses what is too old.
    pub(super) fn check(&self, timestamp: Timestamp, age: Age) -> Result<(), KvError> {
        if self.clock.now().since(age.since) + age.before > self.max {
            return Err(KvError::SnapshotExpired { timestamp: u64::from(timestamp).into() });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use braid_types::ManualClock;

    const MAX: Duration = Duration::from_secs(600);

    /// The timestamp of a second of the cluster's time.
    fn at(second: u64) -> Timestamp {
        ((second * 1000) << 18).into()
    }

    fn ages() -> (Ages, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(Time::from_seconds(5)));
        (Ages::new(MAX, 9, clock.clone()), clock)
    }

    #[test]
    fn a_strange_timestamp_is_as_old_as_the_cluster_says() {
        let (ages, clock) = ages();
        assert_eq!(ages.of(at(1)), None, "nothing is known of the cluster's time");
        ages.note(at(1_000_000), ages.young());
        assert_eq!(ages.of(at(1_000_001)), None);
        let (young, old) = (ages.of(at(999_500)).unwrap(), ages.of(at(999_399)).unwrap());
        assert_eq!(ages.check(at(999_500), young), Ok(()));
        let expired = KvError::SnapshotExpired { timestamp: u64::from(at(999_399)).into() };
        assert_eq!(ages.check(at(999_399), old), Err(expired));
        clock.advance(Duration::from_secs(100));
        assert_eq!(ages.check(at(999_500), young), Ok(()));
        assert_eq!(ages.of(at(999_500)), Some(young), "and is no younger for being asked for later");
        clock.advance(Duration::from_millis(1));
        assert!(ages.check(at(999_500), young).is_err());
    }

    #[test]
    fn the_clusters_time_never_goes_back() {
        let (ages, clock) = ages();
        ages.note(at(1000), ages.young());
        clock.advance(Duration::from_secs(500));
        ages.note(at(900), ages.young());
        let age = ages.of(at(950)).unwrap();
        clock.advance(Duration::from_secs(51));
        assert!(ages.check(at(950), age).is_err(), "50 seconds old when known, and that 551 seconds ago");
    }

    #[test]
    fn a_snapshot_taken_here_is_as_old_as_it_is_here() {
        let (ages, clock) = ages();
        let age = ages.young();
        ages.note(at(1000), age);
        ages.pin(at(1000), age);
        clock.advance(MAX);
        ages.note(at(9000), ages.young());
        let again = ages.of(at(1000)).unwrap();
        assert_eq!((again, ages.check(at(1000), again)), (age, Ok(())));
        clock.advance(Duration::from_millis(1));
        assert!(ages.check(at(1000), again).is_err());
    }

    #[test]
    fn a_strangers_snapshot_is_not_made_young_by_a_pin() {
        let (ages, _) = ages();
        ages.note(at(1000), ages.young());
        let age = ages.of(at(500)).unwrap();
        ages.pin(at(500), age);
        assert_eq!(ages.of(at(500)), Some(age));
    }
}
