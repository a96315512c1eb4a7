//! Timestamps: one stream to PD's leader, one request under way; who asks meanwhile shares the next.
//!
//! A request is sent after all its askers asked, so each gets a timestamp greater than any that was given before it
//! asked.

use std::sync::Arc;
use std::time::Duration;

use futures::channel::mpsc as stream;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};
use tonic::Streaming;

use super::members::{Leader, Members};
use crate::failure::Failure;
use crate::net::reason;
use crate::patience::{Pace, Patience, Pause};
use crate::proto::pdpb::pd_client::PdClient;
use crate::proto::pdpb::{TsoRequest, TsoResponse};
use crate::{Error, Timestamp, meters};

/// The most askers of one request. PD has 18 bits for a millisecond's.
const BATCH: usize = 4096;

/// Those who ask have deadlines of their own.
const FOREVER: Duration = Duration::from_secs(1 << 32);

type Asker = oneshot::Sender<Timestamp>;

/// Hands out timestamps.
#[derive(Debug)]
pub(crate) struct Timestamps {
    askers: mpsc::Sender<Asker>,
    /// What the last request met, if it failed.
    trouble: Arc<Mutex<String>>,
}

impl Timestamps {
    /// Starts the task that asks PD; it ends with this.
    pub(crate) fn start(members: Arc<Members>, pace: Pace, timeout: Duration) -> Self {
        let (askers, asked) = mpsc::channel(BATCH);
        let trouble = Arc::new(Mutex::new(String::from("PD has not answered")));
        let source = Source { members, timeout, open: None, last: Timestamp::default() };
        tokio::spawn(serve(asked, source, pace, Arc::clone(&trouble)));
        Self { askers, trouble }
    }

    /// A timestamp greater than all that were given before this call.
    ///
    /// # Errors
    /// [`Error::Deadline`] when PD gave none in time.
    pub(crate) async fn next(&self, patience: &Patience) -> Result<Timestamp, Error> {
        let (asker, answer) = oneshot::channel();
        let asking = async {
            self.askers.send(asker).await.ok()?;
            answer.await.ok()
        };
        match tokio::time::timeout(patience.left(), asking).await {
            Ok(Some(timestamp)) => Ok(timestamp),
            Ok(None) => Err(Error::Closed),
            Err(_) => Err(patience.exhausted(&format!("no timestamp: {}", self.trouble.lock()))),
        }
    }
}

async fn serve(
    mut asked: mpsc::Receiver<Asker>,
    mut source: Source,
    pace: Pace,
    trouble: Arc<Mutex<String>>,
) {
    let mut batch = Vec::new();
    while asked.recv_many(&mut batch, BATCH).await > 0 {
        let mut patience = pace.patience("timestamp", FOREVER);
        loop {
            batch.retain(|asker: &Asker| !asker.is_closed());
            if batch.is_empty() {
                break;
            }
            match source.fetch(batch.len()).await {
                Ok(first) => hand_out(&mut batch, first),
                Err(cause) => {
                    trouble.lock().clone_from(&cause);
                    let _forever = patience.pause(Pause::Growing, &cause).await;
                }
            }
        }
    }
}

fn hand_out(batch: &mut Vec<Asker>, first: Timestamp) {
    let mut next = first;
    for asker in batch.drain(..) {
        let _asker_left = asker.send(next);
        next = next.next();
    }
}

/// Where timestamps come from.
struct Source {
    members: Arc<Members>,
    timeout: Duration,
    open: Option<Open>,
    /// The last one that was fetched.
    last: Timestamp,
}

/// A stream to a leader.
struct Open {
    leader: Arc<Leader>,
    requests: stream::Sender<TsoRequest>,
    answers: Option<Streaming<TsoResponse>>,
    first: Option<stream::Receiver<TsoRequest>>,
}

impl Source {
    /// The first of `count` new timestamps in a row. After an error the next call asks whoever leads then.
    async fn fetch(&mut self, count: usize) -> Result<Timestamp, String> {
        metrics::histogram!(meters::TIMESTAMP_BATCH).record(u32::try_from(count).unwrap_or(u32::MAX));
        let count = u32::try_from(count).expect("a batch is small");
        let mut open = match self.open.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        let fetched = tokio::time::timeout(self.timeout, open.exchange(count)).await;
        let fetched = fetched.unwrap_or_else(|_| Err(format!("no answer in {:?}", self.timeout)));
        match fetched.and_then(|last| self.accept(last, count)) {
            Ok(first) => {
                self.open = Some(open);
                Ok(first)
            }
            Err(cause) => {
                self.members.doubt(&open.leader);
                Err(format!("PD at '{}': {cause}", open.leader.address()))
            }
        }
    }

    async fn open(&self) -> Result<Open, String> {
        let leader = self.members.leader().await.map_err(|failure| match failure {
            Failure::Again(setback) => setback.cause,
            Failure::Never(error) => error.to_string(),
        })?;
        let (requests, first) = stream::channel(1);
        Ok(Open { leader, requests, answers: None, first: Some(first) })
    }

    /// Time never goes back, whatever a new leader says.
    fn accept(&mut self, last: Timestamp, count: u32) -> Result<Timestamp, String> {
        let first = last.back(u64::from(count) - 1);
        if first.physical() != last.physical() || first <= self.last {
            return Err(format!("the {count} timestamps up to {last} do not come after {}", self.last));
        }
        self.last = last;
        Ok(first)
    }
}

impl Open {
    /// Asks for `count` timestamps; the answer is the last of them.
    async fn exchange(&mut self, count: u32) -> Result<Timestamp, String> {
        let header = Some(self.leader.header());
        let request = TsoRequest { header, count, dc_location: String::new() };
        self.requests.try_send(request).map_err(|_| String::from("the stream ended"))?;
        let answer = self.answers().await?.message().await.map_err(|status| reason(&status))?;
        let answer = answer.ok_or_else(|| String::from("the stream ended"))?;
        if let Some(error) = answer.header.and_then(|header| header.error) {
            return Err(error.message);
        }
        if answer.count != count {
            return Err(format!("{} timestamps came for {count}", answer.count));
        }
        let timestamp = answer.timestamp.unwrap_or_default();
        Timestamp::from_parts(timestamp.physical, timestamp.logical)
            .ok_or_else(|| format!("{timestamp:?} is no timestamp"))
    }

    /// The stream of answers. It is opened with the first request in it: PD says nothing before that.
    async fn answers(&mut self) -> Result<&mut Streaming<TsoResponse>, String> {
        if let Some(first) = self.first.take() {
            let opened = PdClient::new(self.leader.channel()).tso(first).await;
            self.answers = Some(opened.map_err(|status| reason(&status))?.into_inner());
        }
        self.answers.as_mut().ok_or_else(|| String::from("the stream was not opened"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Settings;
    use crate::net::Channels;

    fn source() -> Source {
        let channels = Arc::new(Channels::new(&Settings::default()));
        let members = Arc::new(Members::new(channels, Vec::new(), Duration::from_secs(1)));
        Source { members, timeout: Duration::from_secs(1), open: None, last: Timestamp::default() }
    }

    #[test]
    fn time_never_goes_back() {
        let mut source = source();
        let at = |physical, logical| Timestamp::from_parts(physical, logical).unwrap();
        assert_eq!(source.accept(at(5, 9), 10), Ok(at(5, 0)));
        assert!(source.accept(at(5, 9), 1).is_err());
        assert!(source.accept(at(5, 12), 4).is_err(), "the first of the four was given before");
        assert_eq!(source.accept(at(5, 12), 3), Ok(at(5, 10)));
        assert!(
            source.accept(at(6, 1), 3).is_err(),
            "three timestamps do not fit before the second of a millisecond"
        );
        assert!(source.accept(at(4, 100), 1).is_err());
        assert_eq!(source.accept(at(6, 1), 2), Ok(at(6, 0)));
    }
}
