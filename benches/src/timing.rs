//! Times as medians of several rounds.

use std::time::{Duration, Instant};

/// How often everything is measured.
pub(crate) const ROUNDS: usize = 5;

/// The median time of [`ROUNDS`] rounds of `work`, and what the last one gave.
pub(crate) fn median<T>(mut work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let mut times = Vec::with_capacity(ROUNDS);
    loop {
        let started = Instant::now();
        let result = std::hint::black_box(work()?);
        times.push(started.elapsed());
        if times.len() == ROUNDS {
            return Ok((middle(times), result));
        }
    }
}

/// The middle one of these times, which must not be none; of an even number the upper of the middle two.
pub(crate) fn middle(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times[times.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_by_size() {
        let times = [9, 1, 5].map(Duration::from_secs).to_vec();
        assert_eq!(middle(times), Duration::from_secs(5));
    }

    #[test]
    fn every_round_is_done() {
        let mut rounds = 0;
        let (_, last) = median(|| {
            rounds += 1;
            Ok(rounds)
        })
        .unwrap();
        assert_eq!(last, ROUNDS);
    }
}
