//! Lines: where jobs wait for their branch.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use braid_types::{Code, CommitId, Error, Result};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::job::HeadJob;
use crate::catalog::Catalog;
use crate::graph::Reached;
use crate::operation::stage::BranchAddress;

/// Jobs and turns that may wait for one branch; who comes then is refused.
const WAITING: usize = 1024;
/// A chain takes no more jobs than this.
const CHAIN_JOBS: usize = 64;
/// Nor more, once their texts have so many bytes.
const CHAIN_BYTES: usize = 1 << 20;

/// A line whose last chain had several jobs waits so long for as many to come back: those that were answered take about that
/// long to ask for more, and one chain of them all costs less than two.
const LINGER: Duration = Duration::from_millis(2);
/// What is known of a head's ancestors is forgotten beyond so many.
const REMEMBERED: usize = 200_000;

/// The line of one branch.
#[derive(Debug, Default)]
pub(crate) struct Line {
    waiting: Mutex<Waiting>,
    /// Told whenever another comes to wait.
    came: Notify,
    /// What the head of the last chain reaches.
    reached: Mutex<Option<Reached>>,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Entry>,
    /// A task runs, and takes what is in the queue.
    running: bool,
}

#[derive(Debug)]
enum Entry {
    Job(Box<Waiter>),
    Turn(oneshot::Sender<Turn>),
}

/// A job and where its answer goes.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) job: HeadJob,
    pub(super) answer: oneshot::Sender<Result<CommitId>>,
    /// Hooks were asked about it.
    pub(super) asked: bool,
}

/// A turn; it lasts until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    _ended: oneshot::Sender<()>,
}

/// What comes next.
#[derive(Debug)]
enum Next {
    Chain(Vec<Waiter>),
    Turn(oneshot::Sender<Turn>),
}

impl Line {
    /// Lines up a job, and starts a task for it if none runs.
    pub(super) fn enter(
        self: &Arc<Self>,
        catalog: &Catalog,
        job: HeadJob,
    ) -> Result<oneshot::Receiver<Result<CommitId>>> {
        let (answer, answered) = oneshot::channel();
        let at = job.at.clone();
        self.push(catalog, &at, Entry::Job(Box::new(Waiter { job, answer, asked: false })))?;
        Ok(answered)
    }

    /// Waits for a turn.
    pub(super) async fn turn(self: &Arc<Self>, catalog: &Catalog, at: &BranchAddress) -> Result<Turn> {
        let (begin, begun) = oneshot::channel();
        self.push(catalog, at, Entry::Turn(begin))?;
        let broke_off = |_| {
            let message = format!("the task of the queue of branch '{}' broke off", at.branch);
            Error::new(Code::Unavailable, at.branch.as_str(), message)
        };
        begun.await.map_err(broke_off)
    }

    fn push(self: &Arc<Self>, catalog: &Catalog, at: &BranchAddress, entry: Entry) -> Result<()> {
        let mut waiting = self.waiting.lock();
        if waiting.queue.len() >= WAITING {
            // Those whose callers went away take nobody's place.
            waiting.queue.retain(Entry::is_wanted);
        }
        if waiting.queue.len() >= WAITING {
            return Err(too_many(at));
        }
        waiting.queue.push_back(entry);
        self.came.notify_one();
        if !std::mem::replace(&mut waiting.running, true) {
            tokio::spawn(run(catalog.clone(), Arc::clone(self)));
        }
        Ok(())
    }

    /// Keeps what is known of the ancestors of the branch's head.
    pub(super) fn remember(&self, reached: Option<Reached>) {
        *self.reached.lock() = reached.filter(|reached| reached.len() <= REMEMBERED);
    }

    /// What was kept last. It may be of a head that is no longer the branch's.
    pub(super) fn take_remembered(&self) -> Option<Reached> {
        self.reached.lock().take()
    }

    /// After a chain of so many jobs, waits a moment for as many, if they were several.
    async fn linger(&self, jobs: usize) {
        let come_back = async {
            while self.waiting.lock().queue.len() < jobs {
                self.came.notified().await;
            }
        };
        if jobs > 1 {
            // Fewer will do.
            let _ = tokio::time::timeout(LINGER, come_back).await;
        }
    }

    /// What comes next; nothing, and the task has ended, if nobody waits.
    fn next(&self) -> Option<Next> {
        let mut waiting = self.waiting.lock();
        let next = waiting.next();
        waiting.running = next.is_some();
        next
    }
}

impl Waiting {
    fn next(&mut self) -> Option<Next> {
        let mut chain = Chosen::default();
        while let Some(entry) = self.queue.pop_front() {
            match entry {
                entry if !entry.is_wanted() => {}
                Entry::Turn(begin) if chain.jobs.is_empty() => return Some(Next::Turn(begin)),
                Entry::Job(waiter) if chain.takes(&waiter.job) => chain.add(*waiter),
                later => {
                    self.queue.push_front(later);
                    break;
                }
            }
        }
        (!chain.jobs.is_empty()).then_some(Next::Chain(chain.jobs))
    }
}

/// The jobs of the next chain.
#[derive(Default)]
struct Chosen {
    jobs: Vec<Waiter>,
    requests: HashSet<bytes::Bytes>,
    bytes: usize,
    is_own: bool,
}

impl Chosen {
    /// Whether another job may go with those. A request that comes twice waits for its own answer.
    fn takes(&self, job: &HeadJob) -> bool {
        self.jobs.is_empty()
            || (!self.is_own
                && !job.is_own()
                && self.jobs.len() < CHAIN_JOBS
                && self.bytes + job.weight() <= CHAIN_BYTES
                && !self.requests.contains(&job.request_key()))
    }

    fn add(&mut self, waiter: Waiter) {
        self.is_own = waiter.job.is_own();
        self.bytes += waiter.job.weight();
        self.requests.insert(waiter.job.request_key());
        self.jobs.push(waiter);
    }
}

impl Entry {
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool {
        match self {
            Self::Job(waiter) => !waiter.answer.is_closed(),
            Self::Turn(begin) => !begin.is_closed(),
        }
    }
}

/// Does what waits, until nobody does.
async fn run(catalog: Catalog, line: Arc<Line>) {
    let ending = Ending(line);
    while let Some(next) = ending.0.next() {
        match next {
            Next::Chain(waiters) => {
                let jobs = waiters.len();
                catalog.run_chain(&ending.0, waiters).await;
                ending.0.linger(jobs).await;
            }
            Next::Turn(begin) => {
                let (ended, end) = oneshot::channel();
                // Nothing is ever sent: the turn ends when it is dropped, which it is at once if nobody waits for it.
                drop(begin.send(Turn { _ended: ended }));
                let _ = end.await;
            }
        }
    }
}

/// Lets the next job start a task again if this one broke off. Those that waited are told by their channels.
struct Ending(Arc<Line>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.waiting.lock() = Waiting::default();
        }
    }
}

fn too_many(at: &BranchAddress) -> Error {
    let message = format!(
        "{WAITING} requests wait for branch '{}' of repository '{}' already: try again",
        at.branch, at.repository
    );
    Error::new(Code::Busy, at.branch.as_str(), message)
}
