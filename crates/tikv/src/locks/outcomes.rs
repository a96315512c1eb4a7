//! What is known of transactions that have ended: it never changes, so no primary is asked twice.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

use crate::Timestamp;

/// How many transactions are remembered.
const REMEMBERED: usize = 4096;

/// Ended transactions by their start; the value is when each was committed, `None` if it was rolled back.
#[derive(Debug, Default)]
pub(super) struct Outcomes(Mutex<Memory>);

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<Timestamp, Option<Timestamp>>,
    /// The oldest first.
    order: VecDeque<Timestamp>,
}

impl Outcomes {
    pub(super) fn get(&self, start: Timestamp) -> Option<Option<Timestamp>> {
        self.0.lock().known.get(&start).copied()
    }

    pub(super) fn learn(&self, start: Timestamp, commit: Option<Timestamp>) {
        let mut memory = self.0.lock();
        if memory.known.insert(start, commit).is_none() {
            memory.order.push_back(start);
        }
        if memory.order.len() > REMEMBERED {
            let oldest = memory.order.pop_front().expect("there are more than the limit");
            memory.known.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_first() {
        let outcomes = Outcomes::default();
        for start in 0..=REMEMBERED as u64 {
            outcomes.learn(start.into(), Some(Timestamp::from(start + 1)));
        }
        assert_eq!(outcomes.get(0.into()), None);
        assert_eq!(outcomes.get(1.into()), Some(Some(Timestamp::from(2))));
        assert_eq!(outcomes.0.lock().known.len(), REMEMBERED);
    }
}
