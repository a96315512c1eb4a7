//! The cluster's clock: milliseconds and a counter within each.

use super::mvcc::at_millisecond;

/// Timestamps, each once and always growing.
#[derive(Debug, Default)]
pub(super) struct Tso {
    last: u64,
}

impl Tso {
    /// The last of `count` consecutive timestamps that nobody had before, at the millisecond `now` or, when the clock
    /// does not keep up, later.
    pub(super) fn next(&mut self, count: u32, now: u64) -> u64 {
        let first = at_millisecond(now).max(self.last.saturating_add(1));
        // A batch does not cross into the next millisecond: its timestamps differ in the counter alone.
        let within = first & (at_millisecond(1) - 1);
        let fits = within + u64::from(count.max(1)) <= at_millisecond(1);
        let first = if fits { first } else { first - within + at_millisecond(1) };
        self.last = first + u64::from(count.max(1)) - 1;
        self.last
    }

    /// Forgets what was handed out.
    pub(super) fn forget(&mut self) {
        self.last = 0;
    }

    /// The latest timestamp handed out.
    pub(super) fn last(&self) -> u64 {
        self.last
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn batches_never_overlap_whatever_the_clock_does(steps in vec((1..200_000_u32, 1000..1010_u64), 1..50)) {
            let mut tso = Tso::default();
            let mut before = 0;
            for (count, now) in steps {
                let last = tso.next(count, now);
                let first = last + 1 - u64::from(count);
                prop_assert!(first > before && first >= at_millisecond(now));
                prop_assert_eq!(first / at_millisecond(1), last / at_millisecond(1));
                before = last;
            }
        }
    }
}
