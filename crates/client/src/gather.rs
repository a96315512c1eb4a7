//! Links of one program that are under way together go in one call, each for itself.
//!
//! The first few links go alone, at once. Whoever comes while they are under way waits until one of them is answered, and
//! goes with all others that wait; nobody waits long for that. So a program with one link at a time pays nothing, and one with
//! many pays for few calls.

use std::collections::VecDeque;
use std::time::Duration;

use braid_types::{Code, Error, limits};
use braid_wire::{Call, LinkAnswer, Object, proto};
use parking_lot::Mutex;
use prost::Message;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::call::{as_many, done};
use crate::client::Client;

/// Calls under way at a time, unless one of them takes long.
const LANES: usize = 4;
/// How long a link waits for one of the calls to be answered.
const PATIENCE: Duration = Duration::from_millis(2);
/// Most bytes of the links of one call, if they are several.
const CALL_BYTES: usize = 1 << 20;

/// Where links meet.
#[derive(Debug, Default)]
pub(crate) struct Gather {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    waiting: VecDeque<Waiting>,
}

/// A link that waits, and what tells its caller how it ended.
#[derive(Debug)]
struct Waiting {
    call: proto::LinkUploadRequest,
    answer: oneshot::Sender<Result<Object, Error>>,
}

/// What becomes of a link that came.
enum Entered {
    /// It may go at once.
    Now(Lane, proto::LinkUploadRequest),
    /// Others send it.
    Later(oneshot::Receiver<Result<Object, Error>>),
}

/// The right to have a call under way. It goes over to those that wait.
struct Lane(Client);

impl Client {
    /// Stages an uploaded object once, maybe together with others.
    pub(crate) async fn link_together(&self, call: proto::LinkUploadRequest) -> Result<Object, Error> {
        let mut answer = match self.enter(call) {
            Entered::Now(_lane, call) => return self.link_alone(call).await,
            Entered::Later(answer) => answer,
        };
        let ended = match tokio::time::timeout(PATIENCE, &mut answer).await {
            Ok(ended) => ended,
            Err(_) => {
                self.hurry();
                answer.await
            }
        };
        ended.unwrap_or_else(|_| {
            let message = "whether the object was linked is not known: the task that sent it broke off";
            Err(Error::new(Code::OutcomeUnknown, "link", message))
        })
    }

    fn enter(&self, call: proto::LinkUploadRequest) -> Entered {
        let mut state = self.gather().state.lock();
        if state.under_way < LANES {
            state.under_way += 1;
            drop(state);
            return Entered::Now(Lane(self.clone()), call);
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push_back(Waiting { call, answer });
        Entered::Later(answered)
    }

    /// Sends what waits beside the calls that are under way.
    fn hurry(&self) {
        let mut state = self.gather().state.lock();
        let Some(batch) = state.batch() else { return };
        state.under_way += 1;
        drop(state);
        tokio::spawn(link_all(Lane(self.clone()), batch));
    }

    /// The same in a call of its own.
    pub(crate) async fn link_alone(&self, call: proto::LinkUploadRequest) -> Result<Object, Error> {
        let link = |request| async { self.object_service().link_upload(request).await };
        done(self.attempt(call, Call::Write, self.timeouts().call, link).await?)
    }

    async fn link_each(&self, calls: Vec<proto::LinkUploadRequest>) -> Result<Vec<LinkAnswer>, Error> {
        let asked = calls.len();
        let link = |request| async { self.object_service().link_each(request).await };
        let message = proto::LinkEachRequest { calls };
        let answers = done(self.attempt(message, Call::Write, self.timeouts().call, link).await?)?;
        as_many(asked, answers).map_err(Error::that_may_have_happened)
    }
}

impl State {
    /// What goes in the next call; none if nobody waits. Those whose callers went away are not sent.
    fn batch(&mut self) -> Option<Vec<Waiting>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            bytes += next.call.encoded_len();
            if !batch.is_empty() && (batch.len() == limits::LINK_EACH_CALLS || bytes > CALL_BYTES) {
                break;
            }
            batch.extend(self.waiting.pop_front().filter(|waiting| !waiting.answer.is_closed()));
        }
        (!batch.is_empty()).then_some(batch)
    }
}

impl Lane {
    /// Gives the right back, or takes those that go in its next call.
    fn next(&self) -> Option<Vec<Waiting>> {
        let mut state = self.0.gather().state.lock();
        let batch = state.batch();
        state.under_way -= usize::from(batch.is_none());
        batch
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        if let Some(batch) = self.next() {
            // Where the runtime is gone nobody waits for an answer any more.
            let Ok(runtime) = Handle::try_current() else { return };
            runtime.spawn(link_all(Self(self.0.clone()), batch));
        }
    }
}

/// Sends links in one call, and tells each caller how its own ended.
async fn link_all(lane: Lane, batch: Vec<Waiting>) {
    let (calls, callers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.call, waiting.answer)).unzip();
    let answers = match lane.0.link_each(calls).await {
        Ok(answers) => answers,
        Err(error) => callers.iter().map(|_| LinkAnswer(Err(error.clone()))).collect(),
    };
    for (caller, LinkAnswer(ended)) in callers.into_iter().zip(answers) {
        // Nobody listens any more to one whose caller went away.
        let _ = caller.send(ended);
    }
}
