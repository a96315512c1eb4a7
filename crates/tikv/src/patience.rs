//! How long an operation goes on trying, and how it pauses between tries.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::failure::Failure;
use crate::{Error, Settings, meters};

/// After so many tries without a pause, those that ask for none pause like the others: a cluster whose parts contradict
/// each other must not be hammered.
const UNPAUSED: u32 = 4;
/// The longest pause between two looks at a lock that another transaction holds.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// Random numbers for pauses; a seed reproduces them.
#[derive(Debug)]
pub(crate) struct Jitter(AtomicU64);

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The next number, by splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators").
    fn next(&self) -> u64 {
        const STEP: u64 = 0x9E37_79B9_7F4A_7C15;
        let state = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// Between half of `pause` and all of it.
    fn spread(&self, pause: Duration) -> Duration {
        let half = pause / 2;
        let nanos = u64::try_from(half.as_nanos()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_nanos(self.next() % nanos)
    }
}

/// What all operations of a client share in their tries.
#[derive(Clone, Debug)]
pub(crate) struct Pace {
    base: Duration,
    cap: Duration,
    jitter: Arc<Jitter>,
}

impl Pace {
    pub(crate) fn new(settings: &Settings, seed: u64) -> Self {
        let jitter = Arc::new(Jitter::new(seed));
        Self { base: settings.backoff_base, cap: settings.backoff_cap, jitter }
    }

    /// The patience of a new operation, which may take `allowed`.
    pub(crate) fn patience(&self, operation: &'static str, allowed: Duration) -> Patience {
        let (pace, deadline) = (self.clone(), Instant::now() + allowed);
        Patience { pace, operation, allowed, deadline, failures: 0, unpaused: 0 }
    }
}

/// When to try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pause {
    /// At once: the failure told how to do better.
    None,
    /// After a pause that grows.
    Growing,
    /// After such a pause, but not before this.
    AtLeast(Duration),
}

/// The patience of one operation.
#[derive(Debug)]
pub(crate) struct Patience {
    pace: Pace,
    operation: &'static str,
    allowed: Duration,
    deadline: Instant,
    failures: u32,
    unpaused: u32,
}

impl Patience {
    /// Of another task within the same operation: it ends with it, and pauses on its own.
    pub(crate) fn part(&self) -> Self {
        Self { pace: self.pace.clone(), failures: 0, unpaused: 0, ..*self }
    }

    /// How much time is left.
    pub(crate) fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// How long the next call may take, if one may take `most`.
    pub(crate) fn call(&self, most: Duration) -> Duration {
        self.left().min(most)
    }

    /// Pauses after a failure.
    ///
    /// # Errors
    /// [`Error::Deadline`] with `cause` when no time is left for another try.
    pub(crate) async fn pause(&mut self, pause: Pause, cause: &str) -> Result<(), Error> {
        let pause = self.next_pause(pause);
        metrics::counter!(meters::RETRIES, "operation" => self.operation).increment(1);
        if pause >= self.left() {
            return Err(self.exhausted(cause));
        }
        tracing::debug!(operation = self.operation, ?pause, cause, "trying again");
        sleep(pause).await;
        Ok(())
    }

    /// Pauses before the try after a failed one.
    ///
    /// # Errors
    /// The failure, where no other try can help or no time is left for one.
    pub(crate) async fn after(&mut self, failure: Failure) -> Result<(), Error> {
        match failure {
            Failure::Never(error) => Err(error),
            Failure::Again(setback) if setback.oversized => Err(self.too_much(setback.cause)),
            Failure::Again(setback) => self.pause(setback.pause, &setback.cause).await,
        }
    }

    /// Pauses while another transaction holds a lock that ends in `end` unless its holder is heard of; `false` when no
    /// time is left.
    pub(crate) async fn wait_for_lock(&mut self, end: Duration) -> bool {
        metrics::counter!(meters::LOCK_WAITS, "operation" => self.operation).increment(1);
        let pause = self.next_pause(Pause::Growing).min(LOCK_PAUSE).min(end);
        let left = self.left();
        sleep(pause.min(left)).await;
        pause < left
    }

    /// The error for when no time is left.
    pub(crate) fn exhausted(&self, cause: &str) -> Error {
        Error::Deadline { operation: self.operation, allowed: self.allowed, cause: cause.to_owned() }
    }

    /// The error for when an answer is too large and less cannot be asked for.
    pub(crate) fn too_much(&self, cause: String) -> Error {
        Error::Refused { call: self.operation, reason: cause }
    }

    fn next_pause(&mut self, pause: Pause) -> Duration {
        if pause == Pause::None && self.unpaused < UNPAUSED {
            self.unpaused += 1;
            return Duration::ZERO;
        }
        let grown = self.pace.base.saturating_mul(1 << self.failures.min(20)).min(self.pace.cap);
        self.failures += 1;
        let growing = self.pace.jitter.spread(grown);
        match pause {
            Pause::AtLeast(least) => growing.max(least),
            Pause::None | Pause::Growing => growing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(allowed: Duration) -> Patience {
        let settings = Settings {
            backoff_base: Duration::from_millis(8),
            backoff_cap: Duration::from_millis(100),
            ..Settings::default()
        };
        Pace::new(&settings, 1).patience("test", allowed)
    }

    #[test]
    fn pauses_double_up_to_their_cap_and_half_of_each_is_random() {
        let mut patience = patience(Duration::from_secs(1));
        for whole in [8, 16, 32, 64, 100, 100] {
            let pause = patience.next_pause(Pause::Growing);
            let whole = Duration::from_millis(whole);
            assert!(pause >= whole / 2 && pause < whole, "{pause:?} of {whole:?}");
        }
    }

    #[test]
    fn a_few_tries_need_no_pause_then_they_do() {
        let mut patience = patience(Duration::from_secs(1));
        for _ in 0..UNPAUSED {
            assert_eq!(patience.next_pause(Pause::None), Duration::ZERO);
        }
        assert!(!patience.next_pause(Pause::None).is_zero());
        assert!(patience.next_pause(Pause::AtLeast(Duration::from_millis(70))) >= Duration::from_millis(70));
    }

    #[tokio::test(start_paused = true)]
    async fn what_takes_too_long_ends_with_its_cause() {
        let mut patience = patience(Duration::from_millis(30));
        let error = loop {
            if let Err(error) = patience.pause(Pause::Growing, "no leader").await {
                break error;
            }
        };
        let allowed = Duration::from_millis(30);
        assert_eq!(error, Error::Deadline { operation: "test", allowed, cause: "no leader".into() });
    }

    #[tokio::test(start_paused = true)]
    async fn a_lock_is_waited_for_until_its_end_or_ours() {
        let mut patience = patience(Duration::from_millis(30));
        let began = Instant::now();
        assert!(patience.wait_for_lock(Duration::from_millis(1)).await);
        assert!(began.elapsed() <= Duration::from_millis(2));
        while patience.wait_for_lock(Duration::from_secs(1)).await {}
        assert!(began.elapsed() <= Duration::from_millis(32));
    }

    #[test]
    fn equal_seeds_pause_equally() {
        let numbers = |seed| {
            let jitter = Jitter::new(seed);
            [jitter.next(), jitter.next(), jitter.next()]
        };
        assert_eq!(numbers(7), numbers(7));
        assert_ne!(numbers(7), numbers(8));
    }
}
