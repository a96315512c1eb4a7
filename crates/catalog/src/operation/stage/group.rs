//! Group commit: what is to be staged on one branch while a transaction is under way goes into the next one together.
//!
//! The transactions of a branch run one after another in this process, in a task of their own, so that no caller who goes
//! away leaves the others without an answer. A group closes before its transaction begins: each of its jobs sees
//! everything that was acknowledged before it came. Jobs are decided one on top of the other, in the order they came in,
//! and each is answered for itself; an outcome that is not known is not known for all of them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use braid_types::{BranchName, Code, Error, limits};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::StagedOperation;
use super::job::{BranchAddress, Job};
use super::run::Ended;
use crate::catalog::Catalog;

/// A group takes no more jobs once it has so many operations; a job with more goes alone.
const GROUP_OPERATIONS: usize = 512;
/// The same for the bytes of paths and entries.
const GROUP_BYTES: usize = 4 << 20;
/// About how much an entry weighs that is moved or copied, and not known before it is read.
const MOVED_ENTRY_BYTES: usize = 200;
/// Operations that wait for one branch; whoever comes with more waits for room first.
const WAITING_OPERATIONS: usize = 2 * limits::TRANSACTION_OPERATIONS;

/// How often the runtime may turn to others before a group closes.
const SETTLING: usize = 16;

/// Where the jobs of one branch meet.
#[derive(Debug)]
pub(crate) struct Group {
    /// A permit for each operation that may wait. First come, first served.
    room: Arc<Semaphore>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    queue: VecDeque<Queued>,
    /// A task runs, and takes what is in the queue.
    running: bool,
    /// How many jobs the last group had.
    last: usize,
}

#[derive(Debug)]
struct Queued {
    job: Job,
    answer: oneshot::Sender<Ended>,
    _room: OwnedSemaphorePermit,
}

impl Waiting {
    fn is_settled(&self) -> bool {
        self.queue.len() >= self.last
    }
}

impl Default for Group {
    fn default() -> Self {
        Self { room: Arc::new(Semaphore::new(WAITING_OPERATIONS)), waiting: Mutex::default() }
    }
}

impl Catalog {
    /// Runs a job: one on a single branch together with others there, one on several branches alone.
    pub(crate) async fn run_job(&self, mut job: Job) -> Ended {
        self.place_sources(&mut job).await?;
        if job.branches.len() > 1 {
            return self.run_jobs(&job.branches, &[&job]).await.remove(0);
        }
        let group = self.group(&job.branches[0]);
        let subject = job.branches[0].branch.clone();
        let answer = group.enter(self, vec![job]).await.remove(0);
        answer.await.unwrap_or_else(|_| Err(broke_off(&subject)))
    }

    /// Runs jobs that are on a single branch each, every one for itself; answers in their order. Those of one branch line up
    /// together, so that one transaction does for them.
    pub(crate) async fn run_together(&self, jobs: Vec<Job>) -> Vec<Ended> {
        let mut ended: Vec<Option<Ended>> = std::iter::repeat_with(|| None).take(jobs.len()).collect();
        let mut of_branch: BTreeMap<BranchAddress, Vec<(usize, Job)>> = BTreeMap::new();
        for (index, mut job) in jobs.into_iter().enumerate() {
            match self.place_sources(&mut job).await {
                Ok(()) => of_branch.entry(job.branches[0].clone()).or_default().push((index, job)),
                Err(error) => ended[index] = Some(Err(error)),
            }
        }
        let mut answers = Vec::new();
        for (at, jobs) in of_branch {
            let (indexes, jobs): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
            let lined_up = self.group(&at).enter(self, jobs).await;
            answers.extend(
                indexes.into_iter().zip(lined_up).map(|(index, answer)| (index, at.branch.clone(), answer)),
            );
        }
        for (index, subject, answer) in answers {
            ended[index] = Some(answer.await.unwrap_or_else(|_| Err(broke_off(&subject))));
        }
        ended.into_iter().map(|ended| ended.expect("every job has ended")).collect()
    }
}

fn broke_off(subject: &BranchName) -> Error {
    let message = format!("whether the change to '{subject}' was made is not known: its task broke off");
    Error::new(Code::OutcomeUnknown, subject.as_str(), message)
}

impl Group {
    /// Lines up jobs together, of no more operations than may wait, and starts a task for them if none runs.
    async fn enter(self: &Arc<Self>, catalog: &Catalog, jobs: Vec<Job>) -> Vec<oneshot::Receiver<Ended>> {
        let permits: usize = jobs.iter().map(|job| job.operations.len()).sum();
        let permits = u32::try_from(permits).expect("operations are limited");
        let room = Arc::clone(&self.room).acquire_many_owned(permits).await;
        let mut room = room.expect("the semaphore is never closed");
        let mut answers = Vec::with_capacity(jobs.len());
        let mut waiting = self.waiting.lock();
        for job in jobs {
            let (answer, answered) = oneshot::channel();
            let of_job = room.split(job.operations.len()).expect("there is room for every job");
            waiting.queue.push_back(Queued { job, answer, _room: of_job });
            answers.push(answered);
        }
        if !std::mem::replace(&mut waiting.running, true) {
            tokio::spawn(run(catalog.clone(), Arc::clone(self)));
        }
        answers
    }

    /// Lets those that were answered together come back together, if they are quick, before the next group closes. One
    /// who is alone is not kept.
    async fn settle(&self) {
        for _ in 0..SETTLING {
            if self.waiting.lock().is_settled() {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    /// The next group; none, and the task has ended, if nobody waits.
    fn next(&self) -> Option<Vec<Queued>> {
        let mut waiting = self.waiting.lock();
        let mut group = Vec::new();
        let (mut operations, mut bytes) = (0, 0);
        while let Some(next) = waiting.queue.front() {
            operations += next.job.operations.len();
            bytes += weight(&next.job);
            if !group.is_empty() && (operations > GROUP_OPERATIONS || bytes > GROUP_BYTES) {
                break;
            }
            group.extend(waiting.queue.pop_front().filter(|queued| !queued.answer.is_closed()));
        }
        waiting.running = !group.is_empty();
        if waiting.running {
            waiting.last = group.len();
        }
        waiting.running.then_some(group)
    }
}

/// Runs one group after another until nobody waits.
async fn run(catalog: Catalog, group: Arc<Group>) {
    let ending = Ending(group);
    loop {
        ending.0.settle().await;
        let Some(queued) = ending.0.next() else { return };
        let jobs: Vec<&Job> = queued.iter().map(|queued| &queued.job).collect();
        let ended = catalog.run_jobs(&jobs[0].branches, &jobs).await;
        for (queued, ended) in queued.into_iter().zip(ended) {
            // Nobody listens any more to one whose caller went away.
            let _ = queued.answer.send(ended);
        }
    }
}

/// Lets the next job start a task again if this one broke off. Those that waited are told by their channels.
struct Ending(Arc<Group>);

impl Drop for Ending {
    fn drop(&mut self) {
        if std::thread::panicking() {
            *self.0.waiting.lock() = Waiting::default();
        }
    }
}

/// About how many bytes a job writes for its paths and entries.
fn weight(job: &Job) -> usize {
    let one = |operation: &StagedOperation| match operation {
        StagedOperation::Put { path, entry, .. } => {
            let metadata: usize = entry.metadata.iter().map(|(key, value)| key.len() + value.len()).sum();
            path.as_str().len() + entry.address.len() + metadata
        }
        StagedOperation::Delete { path, .. } => path.as_str().len(),
        StagedOperation::Move { source, destination, .. } => {
            source.as_str().len() + destination.as_str().len() + MOVED_ENTRY_BYTES
        }
        StagedOperation::Copy { path, metadata, .. } => {
            let metadata = metadata.iter().flatten().map(|(key, value)| key.len() + value.len());
            path.as_str().len() + MOVED_ENTRY_BYTES + metadata.sum::<usize>()
        }
    };
    job.operations.iter().map(|placed| one(&placed.what)).sum()
}
