//! Old states kept reachable by their timestamp: a bounded number, each for a bounded time.

use crate::Timestamp;
use braid_types::Time;
use parking_lot::Mutex;
use std::{collections::VecDeque, time::Duration};

/// A state and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin<S> {
    pub(crate) timestamp: Timestamp,
    pub(crate) taken: Time,
    pub(crate) state: S,
}

/// The pinned states, oldest first.
#[derive(Debug)]
pub(crate) struct Pins<S> {
    capacity: usize,
    max_age: Duration,
    pins: Mutex<VecDeque<Pin<S>>>,
}

impl<S: Clone> Pins<S> {
    /// Keeps up to `capacity` states, each until it is older than `max_age`.
    pub(crate) fn new(capacity: usize, max_age: Duration) -> Self {
        Self { capacity, max_age, pins: Mutex::default() }
    }

    /// Keeps a state; the same one twice is one pin, as old as the younger.
    pub(crate) fn add(&self, pin: Pin<S>) {
        let mut pins = self.pins.lock();
        if let Some(same) = pins.iter_mut().find(|other| other.timestamp == pin.timestamp) {
            same.taken = same.taken.max(pin.taken);
            return;
        }
        let place = pins.partition_point(|other| other.timestamp < pin.timestamp);
        pins.insert(place, pin);
        if pins.len() > self.capacity {
            pins.pop_front();
        }
    }

    /// The state of that timestamp, if it is not too old.
    pub(crate) fn get(&self, timestamp: Timestamp, now: Time) -> Option<Pin<S>> {
        self.find(timestamp).filter(|pin| !self.is_over(pin.taken, now))
    }

    /// The state of that timestamp, however old.
    pub(crate) fn find(&self, timestamp: Timestamp) -> Option<Pin<S>> {
        self.pins.lock().iter().find(|pin| pin.timestamp == timestamp).cloned()
    }

    /// Lets go of what is too old.
    pub(crate) fn expire(&self, now: Time) {
        self.pins.lock().retain(|pin| !self.is_over(pin.taken, now));
    }

    /// Lets go of the oldest states as long as they are too much.
    pub(crate) fn let_go_while(&self, is_too_much: impl Fn(&S) -> bool) {
        let mut pins = self.pins.lock();
        while pins.front().is_some_and(|oldest| is_too_much(&oldest.state)) {
            pins.pop_front();
        }
    }

    /// Whether something taken then is too old now.
    pub(crate) fn is_over(&self, taken: Time, now: Time) -> bool {
        now.since(taken) > self.max_age
    }

    /// How many states are kept.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.pins.lock().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(timestamp: u64, taken: i64) -> Pin<u64> {
        Pin { timestamp: timestamp.into(), taken: Time::from_seconds(taken), state: timestamp }
    }

    fn kept(pins: &Pins<u64>) -> Vec<u64> {
        pins.pins.lock().iter().map(|pin| pin.state).collect()
    }

    #[test]
    fn the_oldest_goes_first_when_there_are_too_many() {
        let pins = Pins::new(2, Duration::from_secs(10));
        for timestamp in [2, 3, 1, 3, 4] {
            pins.add(pin(timestamp, 0));
        }
        assert_eq!(kept(&pins), [3, 4]);
    }

    #[test]
    fn a_pin_ends_with_its_age() {
        let pins = Pins::new(9, Duration::from_secs(10));
        pins.add(pin(1, 0));
        pins.add(pin(2, 5));
        let at = |second| Time::from_seconds(second);
        assert_eq!(pins.get(1.into(), at(10)), Some(pin(1, 0)));
        assert_eq!(pins.get(1.into(), at(11)), None);
        pins.expire(at(11));
        assert_eq!(kept(&pins), [2]);
    }

    #[test]
    fn pinning_again_makes_it_young() {
        let pins = Pins::new(9, Duration::from_secs(10));
        pins.add(pin(1, 5));
        pins.add(pin(1, 3));
        assert_eq!(pins.get(1.into(), Time::from_seconds(15)), Some(pin(1, 5)));
    }
}
