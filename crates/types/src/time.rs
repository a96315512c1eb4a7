//! Points in time: Unix seconds and nanoseconds.

use std::fmt;
use std::time::Duration;

/// A point in time since the Unix epoch. Ordered; `nanos` is always below one second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time {
    /// Whole seconds since the Unix epoch, negative before it.
    pub seconds: i64,
    /// Nanoseconds after `seconds`, 0 to 999,999,999.
    pub nanos: u32,
}

impl Time {
    /// The point `seconds` after the Unix epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self { seconds, nanos: 0 }
    }

    /// The same second with the fraction dropped: commit times are whole seconds.
    pub const fn whole_seconds(self) -> Self {
        Self::from_seconds(self.seconds)
    }

    /// This point moved forward by `duration`, held at the largest representable second.
    pub fn plus(self, duration: Duration) -> Self {
        let nanos = self.nanos + duration.subsec_nanos();
        let carry = i64::from(nanos / 1_000_000_000);
        let whole = i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
        Self {
            seconds: self.seconds.saturating_add(whole).saturating_add(carry),
            nanos: nanos % 1_000_000_000,
        }
    }

    /// How long after `earlier` this is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        if self <= earlier {
            return Duration::ZERO;
        }
        let nanos = i128::from(self.seconds - earlier.seconds) * 1_000_000_000 + i128::from(self.nanos)
            - i128::from(earlier.nanos);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Parses an RFC 3339 time such as `2026-01-31T12:00:00Z`.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let timestamp: jiff::Timestamp = text.parse().ok()?;
        let seconds = timestamp.as_second();
        let nanos = timestamp.subsec_nanosecond();
        match u32::try_from(nanos) {
            Ok(nanos) => Some(Self { seconds, nanos }),
            Err(_) => Some(Self { seconds: seconds - 1, nanos: u32::try_from(nanos + 1_000_000_000).ok()? }),
        }
    }
}

impl fmt::Display for Time {
    /// RFC 3339 in UTC; the bare number of seconds where the calendar does not reach.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::new(self.seconds, i32::try_from(self.nanos).unwrap_or(0)) {
            Ok(timestamp) => write!(f, "{timestamp}"),
            Err(_) => write!(f, "{}", self.seconds),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips_at_and_before_the_epoch() {
        for time in [
            Time::default(),
            Time { seconds: 1_000_000_000, nanos: 5_000_000 },
            Time { seconds: -62_135_596_800, nanos: 0 },
            Time { seconds: -1, nanos: 250_000_000 },
        ] {
            assert_eq!(Time::parse_rfc3339(&time.to_string()), Some(time));
        }
        assert_eq!(Time::parse_rfc3339("yesterday"), None);
    }

    #[test]
    fn plus_and_since_agree() {
        let start = Time { seconds: 10, nanos: 900_000_000 };
        let later = start.plus(Duration::from_millis(1_250));
        assert_eq!(later, Time { seconds: 12, nanos: 150_000_000 });
        assert_eq!(later.since(start), Duration::from_millis(1_250));
        assert_eq!(start.since(later), Duration::ZERO);
    }
}
