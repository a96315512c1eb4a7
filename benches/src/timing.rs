//! Times as medians of several rounds.

use std::time::{Duration, Instant};

/// How often everything is measured.
pub(crate) const ROUNDS: usize = 5;

/// The median time of [`ROUNDS`] rounds of `work`, and what the last one gave.
pub(crate) fn median<T>(mut work: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let mut times = Vec::with_capacity(ROUNDS);
    loop {
        let (time, result) = timed(&mut work)?;
        times.push(time);
        if times.len() == ROUNDS {
            return Ok((middle(times), result));
        }
    }
}

/// How long `work` takes, and what it gives.
pub(crate) fn timed<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<(Duration, T)> {
    let started = Instant::now();
    let result = std::hint::black_box(work()?);
    Ok((started.elapsed(), result))
}

/// The median of what these rounds of `work`, which is given the round's number, say that their measured part took.
pub(crate) fn median_of(
    rounds: usize,
    work: impl FnMut(usize) -> anyhow::Result<Duration>,
) -> anyhow::Result<Duration> {
    Ok(middle((0..rounds).map(work).collect::<Result<_, _>>()?))
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
    fn rounds_are_numbered_and_a_failure_ends_them() {
        let seconds = |round: usize| Ok(Duration::from_secs(round as u64));
        assert_eq!(median_of(5, seconds).unwrap(), Duration::from_secs(2));
        let failing = |round| if round == 1 { anyhow::bail!("no") } else { seconds(round) };
        assert!(median_of(5, failing).is_err());
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
