//! Records as a stream that knows what it cost to make them.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use braid_tree::{Record, TreeError};
use futures::Stream;

use crate::machine;

/// How many records are made at a time.
const BATCH: usize = 1000;

/// A stream of records that are made as they are asked for.
pub(super) struct Generator<I> {
    records: I,
    made: std::vec::IntoIter<Record>,
    cost: Cost,
}

/// How long the thread that asks for records has computed to make them.
#[derive(Debug, Clone, Default)]
pub(super) struct Cost(Arc<AtomicU64>);

impl<I> Generator<I> {
    pub(super) fn new(records: I) -> Self {
        Self { records, made: Vec::new().into_iter(), cost: Cost::default() }
    }

    pub(super) fn cost(&self) -> Cost {
        self.cost.clone()
    }
}

impl Cost {
    pub(super) fn time(&self) -> Duration {
        Duration::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn measure<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = machine::thread_time();
        let made = work();
        let cost = machine::thread_time().saturating_sub(before);
        self.0.fetch_add(
            u64::try_from(cost.as_nanos()).expect("centuries of nanoseconds fit"),
            Ordering::Relaxed,
        );
        made
    }
}

impl<I: Iterator<Item = Record> + Unpin> Stream for Generator<I> {
    type Item = Result<Record, TreeError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        if this.made.len() == 0 {
            let batch = this.cost.measure(|| this.records.by_ref().take(BATCH).collect::<Vec<_>>());
            this.made = batch.into_iter();
        }
        Poll::Ready(this.made.next().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use futures::StreamExt;
    use futures::executor::block_on;

    use super::*;
    use crate::data::{self, Addresses};

    #[test]
    fn the_records_are_those_of_the_data_and_cost_something() {
        let count = 2 * BATCH + 1;
        let generator = Generator::new(data::records(1, count, Addresses::Batched));
        let cost = generator.cost();
        let made: Vec<_> = block_on(generator.map(Result::unwrap).collect());
        assert!(made.into_iter().eq(data::records(1, count, Addresses::Batched)));
        assert!(cost.time() > Duration::ZERO);
    }
}
