//! Links of one program that are under way together go in one call, each for itself.
//!
//! A link goes at once while few calls are under way. Whoever comes then waits until one of them is answered, and goes with all
//! others that wait; nobody waits long for that. So a program with one link at a time pays nothing, and one with many pays for
//! few calls.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

use braid_types::{Code, Error, limits};
use braid_wire::{Call, LinkAnswer, Object, encoded_link_bytes, proto};
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::call::{as_many, done};
use crate::client::Client;

/// Calls under way at a time, unless one of them takes long.
const LANES: usize = 2;
/// How long a link waits for one of the calls to be answered.
const PATIENCE: Duration = Duration::from_millis(5);
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
    /// How many do not wait any more, of all that ever came.
    gone: u64,
}

/// A link that waits, and what tells its caller how it ended.
#[derive(Debug)]
struct Waiting {
    call: proto::LinkUploadRequest,
    answer: oneshot::Sender<Result<Object, Error>>,
}

/// The right to have a call under way.
struct Lane(Client);

impl Client {
    /// Stages an uploaded object once, maybe together with others.
    pub(crate) async fn link_together(&self, call: &proto::LinkUploadRequest) -> Result<Object, Error> {
        let (number, mut answer) = self.line_up(call.clone());
        let ended = match tokio::time::timeout(PATIENCE, &mut answer).await {
            Ok(ended) => ended,
            Err(_) => {
                self.hurry(number);
                answer.await
            }
        };
        ended.unwrap_or_else(|_| {
            let message = "whether the object was linked is not known: the task that sent it broke off";
            Err(Error::new(Code::OutcomeUnknown, "link", message))
        })
    }

    /// The link's number among all that came, and its answer.
    fn line_up(&self, call: proto::LinkUploadRequest) -> (u64, oneshot::Receiver<Result<Object, Error>>) {
        let (answer, answered) = oneshot::channel();
        let mut state = self.gather().state.lock();
        let number = state.gone + state.waiting.len() as u64;
        state.waiting.push_back(Waiting { call, answer });
        if state.under_way < LANES {
            state.under_way += 1;
            tokio::spawn(run(Lane(self.clone())));
        }
        (number, answered)
    }

    /// Has what waits sent beside the calls that are under way, if the link of this number still does.
    fn hurry(&self, number: u64) {
        let mut state = self.gather().state.lock();
        if number >= state.gone {
            state.under_way += 1;
            tokio::spawn(run(Lane(self.clone())));
        }
    }

    /// The same in a call of its own.
    pub(crate) async fn link_alone(&self, call: &proto::LinkUploadRequest) -> Result<Object, Error> {
        let link = |request| async { self.object_service().link_upload(request).await };
        done(self.attempt(call.clone(), Call::Write, self.timeouts().call, link).await?)
    }

    /// Links in one call, each for itself; as many answers.
    async fn link_all(&self, calls: Vec<proto::LinkUploadRequest>) -> Vec<Result<Object, Error>> {
        if let [only] = &calls[..] {
            return vec![self.link_alone(only).await];
        }
        let asked = calls.len();
        let link = |request| async { self.object_service().link_each(request).await };
        let message = proto::LinkEachRequest { calls };
        let answered = self.attempt(message, Call::Write, self.timeouts().call, link).await;
        let answers = answered.and_then(done::<_, Vec<LinkAnswer>>);
        let answers =
            answers.and_then(|answers| as_many(asked, answers).map_err(Error::that_may_have_happened));
        match answers {
            Ok(answers) => answers.into_iter().map(|LinkAnswer(ended)| ended).collect(),
            Err(error) => vec![Err(error); asked],
        }
    }
}

impl State {
    /// What goes in the next call; none if nobody waits. Those whose callers went away are not sent.
    fn batch(&mut self) -> Option<Vec<Waiting>> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        while let Some(next) = self.waiting.front() {
            bytes += encoded_link_bytes(&next.call);
            if !batch.is_empty() && (batch.len() == limits::LINK_EACH_CALLS || bytes > CALL_BYTES) {
                break;
            }
            self.gone += 1;
            batch.extend(self.waiting.pop_front().filter(|waiting| !waiting.answer.is_closed()));
        }
        (!batch.is_empty()).then_some(batch)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let mut state = self.0.gather().state.lock();
        state.under_way -= 1;
        if state.waiting.is_empty() || state.under_way >= LANES {
            return;
        }
        // Where the runtime is gone nobody waits for an answer any more.
        if let Ok(runtime) = Handle::try_current() {
            state.under_way += 1;
            drop(state);
            runtime.spawn(run(Self(self.0.clone())));
        }
    }
}

/// Sends what waits, call after call, until nobody does. A lane above the number ends with its call.
async fn run(lane: Lane) {
    let client = &lane.0;
    loop {
        // Those that were answered together come back together: all that are ready to run line up before the next call goes.
        tokio::task::yield_now().await;
        let next = client.gather().state.lock().batch();
        let Some(batch) = next else { return };
        send(client, batch).await;
        if client.gather().state.lock().under_way > LANES {
            return;
        }
    }
}

/// Sends links in one call, and tells each caller how its own ended. A call that nobody waits for any more is cancelled.
async fn send(client: &Client, batch: Vec<Waiting>) {
    let (calls, mut callers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|waiting| (waiting.call, waiting.answer)).unzip();
    let all_gone = async {
        for caller in &mut callers {
            caller.closed().await;
        }
    };
    let ended = tokio::select! {
        biased;
        ended = client.link_all(calls) => ended,
        () = all_gone => return,
    };
    for (caller, ended) in callers.into_iter().zip(ended) {
        // Nobody listens any more to one whose caller went away.
        let _ = caller.send(ended);
    }
}
