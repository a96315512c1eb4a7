//! Points in the cluster's time, which PD hands out.

use std::fmt;
use std::time::Duration;

const LOGICAL_BITS: u32 = 18;

/// A point in the cluster's time: milliseconds since 1970, and a counter of 18 bits within each. Never the same twice,
/// and always growing, whoever asks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// After every real timestamp.
    pub const MAX: Self = Self(u64::MAX);

    /// The timestamp of a millisecond and a count within it; `None` if either is out of range.
    pub(crate) fn from_parts(physical: i64, logical: i64) -> Option<Self> {
        let (physical, logical) = (u64::try_from(physical).ok()?, u64::try_from(logical).ok()?);
        let fits = physical < 1 << (u64::BITS - LOGICAL_BITS) && logical < 1 << LOGICAL_BITS;
        fits.then_some(Self(physical << LOGICAL_BITS | logical))
    }

    /// Milliseconds since 1970, by PD's clock.
    pub fn physical(self) -> u64 {
        self.0 >> LOGICAL_BITS
    }

    /// The least timestamp after this one.
    pub(crate) fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The timestamp `count` before this one.
    pub(crate) fn back(self, count: u64) -> Self {
        Self(self.0.saturating_sub(count))
    }

    /// The first timestamp of the millisecond that lies `age` before this one.
    pub fn before(self, age: Duration) -> Self {
        let age = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
        Self(self.physical().saturating_sub(age) << LOGICAL_BITS)
    }

    /// How long a lock taken at this timestamp, to live for `ttl` milliseconds, still lives at `now`; `None` when its
    /// time is over.
    pub(crate) fn left_of(self, ttl: u64, now: Self) -> Option<Duration> {
        let end = self.physical().saturating_add(ttl);
        end.checked_sub(now.physical()).map(|left| Duration::from_millis(left + 1))
    }
}

impl From<u64> for Timestamp {
    fn from(value: u64) -> Self {
        Self(value)
    }
}

impl From<Timestamp> for u64 {
    fn from(timestamp: Timestamp) -> Self {
        timestamp.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert_eq!(Timestamp::from_parts(1, 2), Some(Timestamp(1 << 18 | 2)));
        assert_eq!(Timestamp::from_parts(1 << 46, 0), None);
        assert_eq!(Timestamp::from_parts(0, 1 << 18), None);
        assert_eq!(Timestamp::from_parts(-1, 0), None);
        assert_eq!(Timestamp::from_parts(0, -1), None);
    }

    #[test]
    fn an_age_is_counted_in_whole_milliseconds() {
        let now = Timestamp::from_parts(1000, 77).unwrap();
        assert_eq!(now.before(Duration::from_millis(400)), Timestamp::from_parts(600, 0).unwrap());
        assert_eq!(now.before(Duration::from_secs(2)), Timestamp(0));
    }

    #[test]
    fn a_lock_lives_through_its_last_millisecond() {
        let (start, at) =
            (Timestamp::from_parts(1000, 5).unwrap(), |ms| Timestamp::from_parts(ms, 0).unwrap());
        assert_eq!(start.left_of(50, at(1020)), Some(Duration::from_millis(31)));
        assert_eq!(start.left_of(50, at(1050)), Some(Duration::from_millis(1)));
        assert_eq!(start.left_of(50, at(1051)), None);
    }
}
