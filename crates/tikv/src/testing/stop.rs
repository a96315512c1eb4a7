//! Points at which a test can hold a call.

use tokio::sync::{mpsc, oneshot};

/// Where a call is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// It came in; nothing is done yet.
    Before,
    /// It is done; the reply is not sent yet.
    After,
}

/// A call that is held. Dropping it lets the call go on.
#[derive(Debug)]
pub struct Held(oneshot::Sender<Verdict>);

/// What a held call is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    GoOn,
    Lose,
}

impl Held {
    /// Lets the call go on.
    pub fn release(self) {
        drop(self);
    }

    /// Loses the call: its request if it is held before, its reply if after.
    pub fn lose(self) {
        // The caller may have given up; then it is lost already.
        let _ = self.0.send(Verdict::Lose);
    }
}

/// The test's end of a point where calls are held. Dropping it opens the gate for good.
#[derive(Debug)]
pub struct Stop(mpsc::UnboundedReceiver<Held>);

impl Stop {
    /// Waits until the next call is held.
    ///
    /// # Panics
    /// When the faults were withdrawn, and no call can be held any more.
    pub async fn reached(&mut self) -> Held {
        self.0.recv().await.expect("the stop is in force")
    }
}

/// The server's end.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    when: When,
    held: mpsc::UnboundedSender<Held>,
}

impl Gate {
    pub(super) fn new(when: When) -> (Self, Stop) {
        let (held, reached) = mpsc::unbounded_channel();
        (Self { when, held }, Stop(reached))
    }

    /// Holds the call if this is its place.
    pub(super) async fn pass(&self, when: When) -> Verdict {
        if when != self.when {
            return Verdict::GoOn;
        }
        let (held, verdict) = oneshot::channel();
        if self.held.send(Held(held)).is_err() {
            return Verdict::GoOn;
        }
        verdict.await.unwrap_or(Verdict::GoOn)
    }
}
