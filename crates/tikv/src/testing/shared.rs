//! What all servers of a cluster share, and the way of a call through its faults.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::watch;
use tonic::Status;

use super::call::Call;
use super::clock::Clock;
use super::fault::{Effect, Met, RegionFault};
use super::faults::Faults;
use super::journal::Journal;
use super::options::Options;
use super::state::State;
use super::stop::{Gate, Verdict, When};
use super::wires::Wires;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) cluster_id: u64,
    pub(super) keyspaces: Vec<(String, u32)>,
    pub(super) lock_wait: Duration,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) journal: Journal,
    /// Set: connections are in memory.
    pub(super) wires: Option<Arc<Wires>>,
    split_above: Option<usize>,
    secure: bool,
    state: Mutex<State>,
    /// Rings whenever a store has changed something.
    changes: watch::Sender<()>,
    /// Members of PD that do not answer for now.
    frozen: Vec<watch::Sender<bool>>,
    /// No timestamps for now.
    pub(super) tso_stalled: watch::Sender<bool>,
}

impl Shared {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            cluster_id: options.seed.wrapping_add(0x7E57),
            keyspaces: options.keyspaces.clone(),
            lock_wait: options.lock_wait,
            clock: Clock::at(options.now_ms),
            faults: Faults::new(options.seed),
            journal: Journal::new(options.journal),
            wires: options.in_memory.then(Arc::default),
            split_above: options.split_above,
            secure: options.tls.is_some(),
            state: Mutex::new(State::new(options)),
            changes: watch::Sender::new(()),
            frozen: (0..options.pd_members.max(1)).map(|_| watch::Sender::new(false)).collect(),
            tso_stalled: watch::Sender::new(false),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    /// A timestamp of now.
    pub(super) fn timestamp(&self, count: u32) -> u64 {
        let now = self.clock.now();
        self.state().tso.next(count, now)
    }

    /// Tells everybody who waits that something has changed, after splitting what has grown.
    pub(super) fn changed(&self, region_start: &[u8], grown: bool) {
        if let Some(most) = self.split_above.filter(|_| grown) {
            self.state().split_above(most, region_start);
        }
        self.changes.send_replace(());
    }

    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// An address as URL.
    pub(super) fn url(&self, address: &str) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    pub(super) fn freeze(&self, member: usize, frozen: bool) {
        if let Some(switch) = self.frozen.get(member) {
            switch.send_replace(frozen);
        }
    }

    /// Waits until a member of PD answers again.
    pub(super) async fn thawed(&self, member: usize) {
        if let Some(switch) = self.frozen.get(member) {
            is_off(switch).await;
        }
    }

    /// Lets a call in: counts it, and does to it what is to be done before its work.
    ///
    /// # Errors
    /// The call is lost.
    pub(super) async fn arrive(
        &self,
        call: Call,
        store: Option<u64>,
        keys: &[Bytes],
    ) -> Result<Visit, Status> {
        let omens = self.faults.meet(&Met { call, store, keys });
        if store.is_none() && omens.effects.iter().any(|effect| !matches!(effect, Effect::Delay(_))) {
            self.journal.lose_look_up();
        }
        let mut visit = Visit { gates: omens.gates, ..Visit::default() };
        visit.pass(When::Before).await?;
        for effect in omens.effects {
            match effect {
                Effect::Delay(time) => tokio::time::sleep(time).await,
                Effect::LoseRequest => return Err(lost()),
                Effect::SwallowRequest => pending().await,
                Effect::LoseReply => visit.loses_reply = true,
                Effect::SwallowReply => visit.swallows_reply = true,
                Effect::Region(fault) => visit.region = Some(fault),
                Effect::Fail(message) => visit.fails = Some(message),
                Effect::Empty => visit.empty = true,
            }
        }
        Ok(visit)
    }
}

/// A call that was let in, and what is yet to be done to it.
#[derive(Debug, Default)]
pub(super) struct Visit {
    gates: Vec<Gate>,
    loses_reply: bool,
    swallows_reply: bool,
    pub(super) region: Option<RegionFault>,
    pub(super) fails: Option<String>,
    pub(super) empty: bool,
}

impl Visit {
    async fn pass(&self, when: When) -> Result<(), Status> {
        for gate in &self.gates {
            if gate.pass(when).await == Verdict::Lose {
                return Err(lost());
            }
        }
        Ok(())
    }

    /// Lets the call out after its work.
    ///
    /// # Errors
    /// The reply is lost.
    pub(super) async fn leave(self) -> Result<(), Status> {
        self.pass(When::After).await?;
        if self.swallows_reply {
            pending::<()>().await;
        }
        if self.loses_reply { Err(lost()) } else { Ok(()) }
    }
}

/// What a caller sees of a connection that breaks.
pub(super) fn lost() -> Status {
    Status::unavailable("connection reset by peer")
}

/// Waits until a switch is off.
pub(super) async fn is_off(switch: &watch::Sender<bool>) {
    let off = switch.subscribe().wait_for(|on| !on).await.is_ok();
    assert!(off, "the switch is borrowed here, so it is not gone");
}
