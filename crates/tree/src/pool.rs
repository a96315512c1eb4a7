//! Where work that keeps a processor busy runs.
//!
//! Folds, merges and diffs are polled by whoever awaits them, on threads that must not be kept busy. What they compute
//! over whole ranges they hand to a [`Pool`].

use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;

use futures::channel::oneshot;
use parking_lot::{Condvar, Mutex};

use crate::checkpoints::Checkpoints;

type Job = Box<dyn FnOnce() + Send>;

/// An operation's first work, if it is over so many bytes of records or fewer, is done where it is awaited: it takes a millisecond or two
/// at most, and much less as a rule, while to hand it to another thread can take as long where all processors are busy.
const SMALL_BYTES: u64 = 3 << 19;

/// Threads that work is done on; clones share them. They are started when there is work for them, and end with the
/// last clone.
///
/// The queue of a pool has no bound of its own: each operation bounds how many jobs it has in it.
#[derive(Clone)]
pub struct Pool {
    threads: usize,
    /// `None` computes on the caller's thread.
    shared: Option<Arc<Handle>>,
    /// What its folds found out about ranges that they wrote.
    checkpoints: Arc<Checkpoints>,
}

/// Ends the threads once no pool is left that could give them work.
struct Handle(Arc<Shared>);

#[derive(Default)]
struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    started: usize,
    idle: usize,
    is_closed: bool,
}

impl Pool {
    /// A pool of so many threads, at least one.
    pub fn new(threads: usize) -> Self {
        let shared = Some(Arc::new(Handle(Arc::default())));
        Self { threads: threads.max(1), shared, checkpoints: Arc::default() }
    }

    /// A pool without threads: work is done where it is awaited, when it is awaited.
    pub fn inline() -> Self {
        Self { threads: 1, shared: None, checkpoints: Arc::default() }
    }

    /// As [`run`](Self::run), for an operation's work over so many bytes of records: little is computed at once, but no more than the
    /// first of several such works, which are to be done side by side.
    pub(crate) async fn run_over<T: Send + 'static>(
        &self,
        bytes: u64,
        is_first: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        match is_first && bytes <= SMALL_BYTES {
            true => work(),
            false => self.run(work).await,
        }
    }

    pub(crate) fn checkpoints(&self) -> &Arc<Checkpoints> {
        &self.checkpoints
    }

    /// How many jobs can be under way at a time.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Computes `work` and gives its result. If the answer is not awaited to the end, work that has not begun is
    /// dropped.
    ///
    /// # Panics
    /// As `work` does.
    pub async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let Some(handle) = &self.shared else {
            return work();
        };
        let (answer, result) = oneshot::channel();
        let job = Box::new(move || {
            if !answer.is_canceled() {
                // Nobody awaits the answer any more if it cannot be given.
                let _ = answer.send(panic::catch_unwind(AssertUnwindSafe(work)));
            }
        });
        handle.0.push(job, self.threads);
        let result: Result<T, Box<dyn Any + Send>> =
            result.await.expect("a job that is awaited is run before its pool ends");
        result.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.shared {
            Some(_) => write!(f, "Pool({})", self.threads),
            None => f.write_str("Pool(inline)"),
        }
    }
}

impl Shared {
    fn push(self: &Arc<Self>, job: Job, threads: usize) {
        let mut queue = self.queue.lock();
        queue.jobs.push_back(job);
        if queue.idle < queue.jobs.len() && queue.started < threads {
            queue.started += 1;
            drop(queue);
            let shared = Arc::clone(self);
            thread::Builder::new()
                .name("braid-tree".to_owned())
                .spawn(move || shared.work())
                .expect("the system has threads for as many cores as it has");
        } else {
            self.wake.notify_one();
        }
    }

    fn work(&self) {
        while let Some(job) = self.take() {
            job();
        }
    }

    /// The next job; `None` once there will be none.
    fn take(&self) -> Option<Job> {
        let mut queue = self.queue.lock();
        loop {
            if let Some(job) = queue.jobs.pop_front() {
                return Some(job);
            }
            if queue.is_closed {
                return None;
            }
            queue.idle += 1;
            self.wake.wait(&mut queue);
            queue.idle -= 1;
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.queue.lock().is_closed = true;
        self.0.wake.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::executor::block_on;
    use futures::future::join_all;
    use futures::{FutureExt, poll};

    use super::*;

    #[test]
    fn results_come_back_from_other_threads_or_from_the_same() {
        let here = thread::current().id();
        let on_pool = block_on(Pool::new(1).run(|| thread::current().id()));
        assert_ne!(on_pool, here);
        assert_eq!(block_on(Pool::inline().run(|| thread::current().id())), here);
    }

    #[test]
    fn as_many_jobs_run_at_a_time_as_there_are_threads() {
        let pool = Pool::new(3);
        let all = Arc::new(Barrier::new(3));
        let jobs = (0..3).map(|_| {
            let all = Arc::clone(&all);
            pool.run(move || all.wait().is_leader())
        });
        // The barrier opens only if all three are under way at once.
        assert_eq!(block_on(join_all(jobs)).into_iter().filter(|leads| *leads).count(), 1);
        assert_eq!((pool.threads(), Pool::new(0).threads()), (3, 1));
    }

    #[test]
    fn a_panic_is_the_callers() {
        for pool in [Pool::new(1), Pool::inline()] {
            let job = AssertUnwindSafe(pool.run(|| panic!("on purpose"))).catch_unwind();
            let panic = block_on(job).unwrap_err();
            assert_eq!(panic.downcast_ref(), Some(&"on purpose"));
            assert_eq!(block_on(pool.run(|| 7)), 7, "the thread goes on");
        }
    }

    #[test]
    fn work_that_nobody_waits_for_any_more_is_not_begun() {
        let (pool, begun) = (Pool::new(1), Arc::new(AtomicUsize::new(0)));
        let hold = Arc::new(Barrier::new(2));
        let held = Arc::clone(&hold);
        block_on(async {
            let mut first = Box::pin(pool.run(move || held.wait().is_leader()));
            assert!(poll!(&mut first).is_pending());
            let counted = Arc::clone(&begun);
            let mut dropped = Box::pin(pool.run(move || counted.fetch_add(1, Ordering::SeqCst)));
            assert!(poll!(&mut dropped).is_pending());
            drop(dropped);
            hold.wait();
            first.await;
            // The only thread takes jobs in order: behind this one lies the one that was dropped.
            pool.run(|| ()).await;
        });
        assert_eq!(begun.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn threads_end_with_the_last_pool() {
        let pool = Pool::new(2);
        let handle = pool.shared.as_ref().unwrap();
        let shared = Arc::downgrade(&handle.0);
        block_on(pool.run(|| ()));
        drop(pool);
        // Each thread holds the queue as long as it lives.
        while shared.strong_count() > 0 {
            thread::yield_now();
        }
    }
}
