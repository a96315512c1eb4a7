//! How many keys the key-value stores of this process wrote or locked: the sum of their counters.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};

/// The counters, by their names.
const COUNTED: [&str; 2] = ["kv_mutations_total", "tikv_mutations_total"];

/// What was counted so far.
#[derive(Debug, Clone, Default)]
pub(super) struct Mutations(Arc<AtomicU64>);

impl Mutations {
    /// Counts from now on, in all of this process. Only one can.
    pub(super) fn count() -> anyhow::Result<Self> {
        let counted = Self::default();
        metrics::set_global_recorder(Only(counted.clone()))?;
        Ok(counted)
    }

    pub(super) fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl CounterFn for Mutations {
    fn increment(&self, value: u64) {
        self.0.fetch_add(value, Ordering::Relaxed);
    }

    fn absolute(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }
}

/// Takes no other counters.
struct Only(Mutations);

impl Recorder for Only {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        match COUNTED.contains(&key.name()) {
            true => Counter::from_arc(Arc::new(self.0.clone())),
            false => Counter::noop(),
        }
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}
