//! The faults that are in force, and the calls that are held.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::call::{Call, Counts};
use super::fault::{Effect, Filter, Met};
use super::stop::{Gate, Stop, When};

/// A fault in force. Dropping it changes nothing; it is in force until it is withdrawn.
#[derive(Clone, Debug)]
pub struct Fault {
    id: u64,
    met: Arc<AtomicU64>,
}

impl Fault {
    /// How many calls it was done to.
    pub fn met(&self) -> u64 {
        self.met.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
enum Deed {
    Effect(Effect),
    Hold(Gate),
}

#[derive(Debug)]
struct InForce {
    id: u64,
    filter: Filter,
    deed: Deed,
    met: Arc<AtomicU64>,
}

/// What is in store for one call.
#[derive(Debug, Default)]
pub(super) struct Omens {
    pub(super) effects: Vec<Effect>,
    pub(super) gates: Vec<Gate>,
}

#[derive(Debug)]
struct Inner {
    in_force: Vec<InForce>,
    last_id: u64,
    chance: StdRng,
    counts: Counts,
}

/// All faults, and the counts of calls.
#[derive(Debug)]
pub(super) struct Faults(Mutex<Inner>);

impl Faults {
    pub(super) fn new(seed: u64) -> Self {
        let (in_force, counts) = (Vec::new(), Counts::default());
        Self(Mutex::new(Inner { in_force, last_id: 0, chance: StdRng::seed_from_u64(seed), counts }))
    }

    /// Counts a call and tells what is done to it, in the order in which the faults came into force.
    pub(super) fn meet(&self, met: &Met<'_>) -> Omens {
        let Inner { in_force, chance, counts, .. } = &mut *self.0.lock();
        counts.add(met.call);
        let mut omens = Omens::default();
        for fault in in_force {
            if fault.filter.chooses(met, |likely| chance.random_bool(likely)) {
                fault.met.fetch_add(1, Ordering::Relaxed);
                match &fault.deed {
                    Deed::Effect(effect) => omens.effects.push(effect.clone()),
                    Deed::Hold(gate) => omens.gates.push(gate.clone()),
                }
            }
        }
        omens
    }

    pub(super) fn inject(&self, filter: Filter, effect: Effect) -> Fault {
        self.bring(filter, Deed::Effect(effect))
    }

    pub(super) fn stop(&self, filter: Filter, when: When) -> Stop {
        let (gate, stop) = Gate::new(when);
        self.bring(filter, Deed::Hold(gate));
        stop
    }

    fn bring(&self, filter: Filter, deed: Deed) -> Fault {
        let mut inner = self.0.lock();
        inner.last_id += 1;
        let fault = Fault { id: inner.last_id, met: Arc::default() };
        inner.in_force.push(InForce { id: fault.id, filter, deed, met: fault.met.clone() });
        fault
    }

    pub(super) fn withdraw(&self, fault: &Fault) {
        self.0.lock().in_force.retain(|other| other.id != fault.id);
    }

    pub(super) fn withdraw_all(&self) {
        self.0.lock().in_force.clear();
    }

    pub(super) fn counts(&self) -> Counts {
        self.0.lock().counts.clone()
    }

    pub(super) fn count(&self, call: Call) -> u64 {
        self.0.lock().counts.of(call)
    }

    /// The counts so far; they begin anew.
    pub(super) fn take_counts(&self) -> Counts {
        std::mem::take(&mut self.0.lock().counts)
    }
}
