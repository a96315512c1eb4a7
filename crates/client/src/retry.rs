//! When to try again, and how long to wait before.

use std::sync::Arc;
use std::time::Duration;

use braid_types::{Error, Random};

/// How often a URL is renewed for one transfer: a fresh one that is refused as well will not get better.
const RENEWALS: u32 = 2;

/// How often to try, and how long to wait between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all; 1 never tries again.
    pub attempts: u32,
    /// Longest wait before the second attempt; it doubles with each one after.
    pub first_delay: Duration,
    /// Longest wait at all.
    pub longest_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 6, first_delay: Duration::from_millis(100), longest_delay: Duration::from_secs(5) }
    }
}

impl RetryPolicy {
    /// How long to wait after the `attempt`-th attempt, counted from 1: between half of the longest wait and all of it, as
    /// `chance` says. None if that was the last attempt.
    fn delay(&self, attempt: u32, chance: u32) -> Option<Duration> {
        if attempt >= self.attempts {
            return None;
        }
        let doubled = self.first_delay.saturating_mul(2_u32.saturating_pow(attempt - 1));
        let half = doubled.min(self.longest_delay) / 2;
        let jitter = half.mul_f64(f64::from(chance) / f64::from(u32::MAX));
        Some(half + jitter)
    }
}

/// The attempts at one operation.
#[derive(Debug)]
pub(crate) struct Retries {
    policy: RetryPolicy,
    random: Arc<dyn Random>,
    made: u32,
    renewed: u32,
    unsure: bool,
}

impl Retries {
    pub(crate) fn new(policy: RetryPolicy, random: Arc<dyn Random>) -> Self {
        Self { policy, random, made: 0, renewed: 0, unsure: false }
    }

    /// Waits until the next attempt is due, or gives back the error that the operation ends with.
    pub(crate) async fn after(&mut self, error: Error) -> Result<(), Error> {
        let delay = self.next_delay(&error).ok_or_else(|| self.last_word(error))?;
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// Allows another renewal, or gives back the error that the operation ends with.
    pub(crate) fn renewal(&mut self, error: Error) -> Result<(), Error> {
        self.renewed += 1;
        if self.renewed > RENEWALS { Err(error) } else { Ok(()) }
    }

    fn next_delay(&mut self, error: &Error) -> Option<Duration> {
        self.made += 1;
        self.unsure |= error.may_have_happened();
        let chance = u32::from_le_bytes(self.random.bytes());
        let delay = self.policy.delay(self.made, chance).filter(|_| error.is_retryable());
        if let Some(delay) = delay {
            tracing::debug!(attempt = self.made, ?delay, code = %error.code(), "trying again after {error}");
        }
        delay
    }

    /// A server that answers a known request id with a final refusal knows its fate. Without such an answer an earlier attempt
    /// whose reply was lost leaves the whole operation in doubt, whatever the last attempt ran into.
    fn last_word(&self, error: Error) -> Error {
        if self.unsure && error.is_retryable() { error.that_may_have_happened() } else { error }
    }
}

#[cfg(test)]
mod tests {
    use braid_types::{Code, SeededRandom};

    use super::*;

    fn retries() -> Retries {
        let policy = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
        Retries::new(policy, Arc::new(SeededRandom::new(1)))
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let policy = RetryPolicy {
            attempts: 6,
            first_delay: Duration::from_millis(100),
            longest_delay: Duration::from_millis(500),
        };
        let longest: Vec<_> = (1..=6).map(|attempt| policy.delay(attempt, u32::MAX)).collect();
        let expected = [Some(100), Some(200), Some(400), Some(500), Some(500), None];
        assert_eq!(longest, expected.map(|millis| millis.map(Duration::from_millis)));
        assert_eq!(policy.delay(1, 0), Some(Duration::from_millis(50)));
        let endless = RetryPolicy { attempts: u32::MAX, ..policy };
        assert_eq!(endless.delay(4_000_000_000, u32::MAX), Some(policy.longest_delay));
    }

    #[test]
    fn only_retryable_errors_are_tried_again() {
        assert!(retries().next_delay(&Error::new(Code::Busy, "", "")).is_some());
        assert!(retries().next_delay(&Error::new(Code::BranchExists, "", "")).is_none());
    }

    #[test]
    fn a_lost_reply_leaves_doubt_until_the_server_decides() {
        let mut lost = retries();
        lost.next_delay(&Error::new(Code::OutcomeUnknown, "", ""));
        let unreachable = Error::new(Code::Unavailable, "", "connection refused");
        assert!(lost.last_word(unreachable.clone()).may_have_happened());
        assert!(!lost.last_word(Error::new(Code::BranchExists, "", "")).may_have_happened());
        assert!(!retries().last_word(unreachable).may_have_happened());
    }
}
