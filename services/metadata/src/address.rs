//! Physical addresses of uploads: `data/<20 characters>/<20 characters>`, relative to the storage namespace, as lakeFS
//! lays data out.
//!
//! The first part is a *partition*: random, and the same for a batch of uploads. So the addresses of objects that were
//! written together begin alike and take a few bytes in a range, while batches spread over the object store's own
//! partitions. The second part begins with the time and ends with a number of the batch. Both are 12 bytes, written
//! [as `xid` does](xid), which keeps their order.

use std::sync::Arc;

use braid_types::{Random, Time, xid};
use parking_lot::Mutex;

/// How many addresses a batch has at most. Below the 2^24 that three bytes number.
const BATCH_ADDRESSES: u32 = 50_000;

/// How long a batch goes on at most, in seconds.
const BATCH_SECONDS: i64 = 3600;

/// Gives out addresses, no two of them alike: 136 bits of a batch are random, and it numbers its addresses.
#[derive(Debug)]
pub(crate) struct Addresses {
    random: Arc<dyn Random>,
    batch: Mutex<Option<Batch>>,
}

#[derive(Debug)]
struct Batch {
    partition: [u8; 12],
    /// Tells batches apart in the second part as well.
    mark: [u8; 5],
    began: i64,
    given: u32,
}

impl Addresses {
    pub(crate) fn new(random: Arc<dyn Random>) -> Self {
        Self { random, batch: Mutex::new(None) }
    }

    /// A fresh address.
    pub(crate) fn fresh(&self, now: Time) -> String {
        let mut batch = self.batch.lock();
        if batch.as_ref().is_none_or(|batch| batch.is_over(now.seconds)) {
            *batch = Some(Batch::begin(&*self.random, now.seconds));
        }
        batch.as_mut().expect("it was begun").address(now.seconds)
    }
}

impl Batch {
    fn begin(random: &dyn Random, now: i64) -> Self {
        Self { partition: random.bytes(), mark: random.bytes(), began: now, given: 0 }
    }

    fn is_over(&self, now: i64) -> bool {
        self.given == BATCH_ADDRESSES
            || !(self.began..self.began.saturating_add(BATCH_SECONDS)).contains(&now)
    }

    fn address(&mut self, now: i64) -> String {
        let seconds = u32::try_from(now.clamp(0, i64::from(u32::MAX))).expect("it was clamped");
        let mut timed = [0; 12];
        timed[..4].copy_from_slice(&seconds.to_be_bytes());
        timed[4..9].copy_from_slice(&self.mark);
        timed[9..].copy_from_slice(&self.given.to_be_bytes()[1..]);
        self.given += 1;
        format!("data/{}/{}", xid::encode(self.partition), xid::encode(timed))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use braid_types::SeededRandom;

    use super::*;

    fn addresses() -> Addresses {
        Addresses::new(Arc::new(SeededRandom::new(1)))
    }

    fn parts(address: &str) -> (&str, &str) {
        address.strip_prefix("data/").unwrap().split_once('/').unwrap()
    }

    #[test]
    fn addresses_of_a_batch_share_their_partition_and_come_in_order() {
        let addresses = addresses();
        let times = [0, 0, 0, 64, 3599].map(|later| Time::from_seconds(1_700_000_000 + later));
        let given = times.map(|now| addresses.fresh(now));
        assert!(given.is_sorted_by(|one, next| one < next), "{given:?}");
        for address in &given {
            let (partition, timed) = parts(address);
            assert_eq!((partition.len(), timed.len()), (20, 20));
            assert_eq!(partition, parts(&given[0]).0);
        }
    }

    #[test]
    fn a_batch_ends_by_number_by_time_and_when_the_clock_goes_back() {
        let addresses = addresses();
        let at = |seconds| parts(&addresses.fresh(Time::from_seconds(seconds))).0.to_owned();
        let first = at(10_000);
        let after_an_hour = at(13_600);
        let after_going_back = at(13_599);
        let partitions = BTreeSet::from([&first, &after_an_hour, &after_going_back]);
        assert_eq!(partitions.len(), 3, "{partitions:?}");
        assert_eq!(at(13_600), after_going_back);
    }

    #[test]
    fn no_two_addresses_are_alike() {
        let addresses = addresses();
        let now = Time::from_seconds(1_700_000_000);
        let count = 2 * BATCH_ADDRESSES as usize + 1;
        let given: BTreeSet<String> = (0..count).map(|_| addresses.fresh(now)).collect();
        assert_eq!(given.len(), count);
        let partitions: BTreeSet<&str> = given.iter().map(|address| parts(address).0).collect();
        assert_eq!(partitions.len(), 3);
    }
}
