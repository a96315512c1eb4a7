//! Running jobs: several in one transaction, each answered for itself.

use std::collections::HashMap;

use braid_types::{Code, Error, Result};
use bytes::Bytes;

use super::Applied;
use super::board::{Board, asked, read_boards};
use super::decide::decide;
use super::job::{BranchAddress, Job};
use super::sources::{Committed, read_committed};
use super::staging::{Ahead, Entered, Staging};
use crate::catalog::{Catalog, no_repository};
use crate::mutation::Attempts;
use crate::protection::Touch;

/// How one job ended.
pub(super) type Ended = Result<Vec<Applied>>;

/// A transaction that jobs are carried out in, one after another.
struct Running<'a> {
    catalog: &'a Catalog,
    staging: Staging,
    boards: Vec<Board>,
    /// Stored results of requests, those of this transaction among them.
    results: HashMap<Bytes, Bytes>,
    writes: bool,
}

impl Catalog {
    /// Runs jobs on these branches until each has its answer.
    pub(super) async fn run_jobs(&self, branches: &[BranchAddress], jobs: &[&Job]) -> Vec<Ended> {
        let mut attempts = Attempts::new(self);
        loop {
            let failed = match self.try_jobs(branches, jobs).await {
                Ok(Ok(ended)) => return ended,
                Ok(Err(lost)) => match attempts.again(self, lost).await {
                    Ok(()) => continue,
                    Err(lost) => lost,
                },
                Err(error) => error,
            };
            return self.run_each(branches, jobs, failed).await;
        }
    }

    /// What becomes of jobs whose transaction failed. One of them may be to blame for a refusal: each is tried alone.
    async fn run_each(&self, branches: &[BranchAddress], jobs: &[&Job], failed: Error) -> Vec<Ended> {
        let mut ended = Vec::with_capacity(jobs.len());
        let together = jobs.len() == 1 || failed.may_have_happened() || failed.is_retryable();
        for job in jobs {
            ended.push(match together {
                true => self.stored_result(job, &failed).await.unwrap_or_else(|| Err(failed.clone())),
                false => Box::pin(self.run_jobs(branches, &[job])).await.remove(0),
            });
        }
        ended
    }

    /// What a job answered that was done before what is now in its way: its branch may be gone.
    async fn stored_result(&self, job: &Job, failed: &Error) -> Option<Ended> {
        if !matches!(failed.code(), Code::RepositoryNotFound | Code::BranchNotFound | Code::ReadOnly) {
            return None;
        }
        let txn = self.begin().await.ok()?;
        let answer = job.request().replay(self, &*txn).await.ok()??;
        Some(job.replayed(&answer))
    }

    /// One attempt: all jobs in one transaction. The inner error is a lost race, in which no job was done.
    async fn try_jobs(&self, branches: &[BranchAddress], jobs: &[&Job]) -> Result<Result<Vec<Ended>, Error>> {
        let keys: Vec<Bytes> = jobs.iter().map(|job| job.request().key()).collect();
        let asked = asked(branches.len(), jobs);
        let paths =
            asked.iter().enumerate().flat_map(|(on, of)| of.all.iter().map(move |path| (on, path.clone())));
        let ahead = Ahead { requests: keys.clone(), paths: paths.collect() };
        let staging = match self.begin_staging(branches, &ahead).await? {
            Ok(staging) => staging,
            Err(lost) => return Ok(Err(lost)),
        };
        let (boards, rows) = read_boards(self, &staging.txn, &staging.branches, &asked, keys.clone()).await?;
        let results = keys.into_iter().zip(rows).filter_map(|(key, row)| Some((key, row?))).collect();
        let mut committed = Vec::with_capacity(jobs.len());
        for job in jobs {
            committed.push(read_committed(self, &staging, job).await);
        }
        let mut running = Running { catalog: self, staging, boards, results, writes: false };
        let ended: Vec<Ended> =
            jobs.iter().zip(&committed).map(|(job, committed)| running.job(job, committed)).collect();
        if !running.writes {
            return Ok(Ok(ended));
        }
        Ok(running.staging.finish(branches[0].branch.as_str()).await?.map_or(Ok(ended), Err))
    }
}

impl Running<'_> {
    /// Decides a job on what those before it left, and carries it out. One that is refused leaves nothing.
    fn job(&mut self, job: &Job, committed: &Committed) -> Ended {
        let request = job.request();
        let key = request.key();
        if let Some(answer) = request.replayed(self.catalog, self.results.get(&key))? {
            return job.replayed(&answer);
        }
        self.check_pins(job)?;
        self.check_protection(job)?;
        let decision = decide(&self.boards, committed, job)?;
        for step in decision.steps {
            self.boards[step.on].set(step.path.clone(), step.new.clone());
            self.staging.step(self.catalog, step, job.by());
        }
        for (on, path) in decision.relied {
            self.staging.rely_on(on, &path);
        }
        for key in committed.refs() {
            self.staging.txn.lock(key.clone());
        }
        let result = request.answered(self.catalog, Job::answer(&decision.applied));
        self.staging.txn.put(key.clone(), result.clone());
        self.results.insert(key, result);
        self.writes = true;
        Ok(decision.applied)
    }

    /// Only what is written counts: a branch may be looked at by a precondition.
    fn check_protection(&self, job: &Job) -> Result<()> {
        for on in job.written() {
            let Entered { repository, at, .. } = &self.staging.branches[on];
            repository.protection.check(&repository.name, &at.branch, Touch::Write)?;
        }
        Ok(())
    }

    fn check_pins(&self, job: &Job) -> Result<()> {
        for (branch, pin) in self.staging.branches.iter().zip(&job.pins) {
            if pin.is_some_and(|id| id != branch.repository.id) {
                return Err(no_repository(&branch.repository.name));
            }
        }
        Ok(())
    }
}
