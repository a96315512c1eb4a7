//! Chains: jobs of one branch are planned one on top of the other and published together.
//!
//! A publish that lost a race is tried again as it is; only if the branch has become another is the chain planned anew, and
//! trees that were written before are not written again.

use std::sync::Arc;

use braid_kv::{Snapshot, snapshot_ahead};
use braid_types::{BranchName, CommitId, Error, RefExpression, Result};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};

use super::line::{Line, Waiter};
use crate::catalog::{Catalog, load_writable};
use crate::mutation::{Attempts, Request};
use crate::operation::plan::Plan;
use crate::operation::publish::{Settled, dirty};
use crate::operation::stage::BranchAddress;
use crate::operation::tree_files::Uploads;
use crate::record::request::Answer;
use crate::record::{self, RepositoryRecord};
use crate::resolve::resolve;

/// Sources of merges that are read ahead at a time.
const AHEAD: usize = 16;

/// Jobs on their way to being published.
struct Chain<'a> {
    catalog: &'a Catalog,
    line: &'a Line,
    at: BranchAddress,
    /// Those without an answer, in order.
    waiting: Vec<Waiter>,
    sealed: bool,
    /// The outcome of a publish was not known: nothing that follows may deny that it happened.
    in_doubt: bool,
}

impl Catalog {
    /// Answers all of these jobs, which are of one branch.
    pub(super) async fn run_chain(&self, line: &Line, waiting: Vec<Waiter>) {
        let at = waiting[0].job.at.clone();
        let mut chain = Chain { catalog: self, line, at, waiting, sealed: false, in_doubt: false };
        let (uploads, mut attempts) = (Uploads::default(), Attempts::new(self));
        while !chain.waiting.is_empty() {
            if let Err(error) = Box::pin(chain.go_on(&uploads, &mut attempts)).await {
                let error = chain.doubted(error);
                chain.waiting.drain(..).for_each(|waiter| tell(waiter, Err(error.clone())));
            }
        }
    }
}

impl Chain<'_> {
    /// Plans what waits and publishes it. Whatever waits afterwards is to be planned again.
    async fn go_on(&mut self, uploads: &Uploads, attempts: &mut Attempts) -> Result<()> {
        let snapshot = self.read().await?;
        self.answer_done(&snapshot).await?;
        self.ask_hooks().await;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let snapshot = self.seal(snapshot).await?;
        let catalog = self.catalog;
        let mut plan = Plan::new(catalog, snapshot, uploads);
        let made = self.plan(&mut plan).await?;
        if self.waiting.is_empty() {
            return Ok(());
        }
        let answers: Vec<_> =
            self.waiting.iter().zip(&made).map(|(waiter, id)| waiter.answered(*id)).collect();
        match plan.settle(&answers, attempts, &mut self.in_doubt).await? {
            Settled::Done => {
                self.line.remember(plan.take_reached());
                for (waiter, id) in self.waiting.drain(..).zip(made) {
                    catalog.tell_hooks(&waiter, id).await;
                    tell(waiter, Ok(id));
                }
                Ok(())
            }
            Settled::Outdated => Ok(()),
            Settled::Dirty(at) => Err(dirty(&at.branch)),
        }
    }

    /// A state of the store in which what the chain is going to need was read at once, as far as it can be guessed.
    async fn read(&self) -> Result<Arc<dyn Snapshot>> {
        let mut keys: Vec<Bytes> = self.waiting.iter().map(|waiter| waiter.job.request_key()).collect();
        keys.push(record::repository::key(&self.at.repository));
        if let Some(repository) = self.catalog.known_repository(&self.at.repository) {
            keys.push(record::branch::key(&repository.id, &self.at.branch));
            let read = self.waiting.iter().filter_map(|waiter| waiter.job.reads());
            let branches = read.filter_map(|reference| BranchName::new(reference.base()).ok());
            keys.extend(branches.map(|name| record::branch::key(&repository.id, &name)));
        }
        Ok(snapshot_ahead(self.catalog.snapshot().await?, &keys).await?)
    }

    /// Answers those that were done before, and those whose id belongs to another request.
    async fn answer_done(&mut self, snapshot: &Arc<dyn Snapshot>) -> Result<()> {
        let keys: Vec<Bytes> = self.waiting.iter().map(|waiter| waiter.job.request_key()).collect();
        let stored = snapshot.get_many(&keys).await?;
        for (waiter, stored) in std::mem::take(&mut self.waiting).into_iter().zip(stored) {
            match waiter.job.request().replayed(self.catalog, stored.as_ref()) {
                Ok(Some(Answer::Commit(id))) => {
                    // Made by this chain, unless by somebody else to whom the same request was sent.
                    if self.in_doubt {
                        self.catalog.tell_hooks(&waiter, id).await;
                    }
                    tell(waiter, Ok(id));
                }
                Ok(_) => self.waiting.push(waiter),
                Err(error) => tell(waiter, Err(error)),
            }
        }
        Ok(())
    }

    /// Asks the hooks. A job that they refuse is answered, and leaves.
    async fn ask_hooks(&mut self) {
        let (goes_on, refused) = self.catalog.ask_hooks(std::mem::take(&mut self.waiting)).await;
        self.waiting = goes_on;
        for (waiter, error) in refused {
            tell(waiter, Err(error));
        }
    }

    /// Before a commit, once: seals the open layer. What was acknowledged before the commit was asked for is in a sealed layer
    /// then. Gives the state to plan on, which sees what the layer holds.
    async fn seal(&mut self, snapshot: Arc<dyn Snapshot>) -> Result<Arc<dyn Snapshot>> {
        if self.sealed || !self.waiting.iter().any(|waiter| waiter.job.is_own()) {
            return Ok(snapshot);
        }
        let repository = load_writable(&snapshot, &self.at.repository).await?;
        self.catalog.seal(&repository, &self.at.branch).await?;
        self.sealed = true;
        self.catalog.snapshot().await
    }

    /// Plans the jobs in order and gives what each makes. One that fails is answered, and leaves; so does one whose caller went
    /// away.
    async fn plan(&mut self, plan: &mut Plan<'_>) -> Result<Vec<CommitId>> {
        let repository = plan.repository(&self.at.repository).await?;
        plan.know_reached(self.line.take_remembered());
        self.warm(plan, &repository).await;
        let mut made = Vec::with_capacity(self.waiting.len());
        for mut waiter in std::mem::take(&mut self.waiting) {
            let planned = tokio::select! {
                biased;
                () = waiter.answer.closed() => continue,
                planned = waiter.job.plan(plan, &repository) => planned,
            };
            match planned {
                Ok(id) => {
                    made.push(id);
                    self.waiting.push(waiter);
                }
                Err(error) => {
                    let error = self.doubted(error);
                    tell(waiter, Err(error));
                }
            }
        }
        Ok(made)
    }

    /// Reads what merges are going to read of their sources, side by side: planned one after the other, each would wait for its
    /// own. What fails here fails again where it counts.
    async fn warm(&self, plan: &Plan<'_>, repository: &RepositoryRecord) {
        let sources = self.waiting.iter().filter_map(|waiter| waiter.job.reads());
        let reads: Vec<BoxFuture<'_, Result<()>>> =
            sources.map(|source| self.warm_source(plan, repository, source).boxed()).collect();
        if reads.len() > 1 {
            let mut reads = stream::iter(reads).buffer_unordered(AHEAD);
            while reads.next().await.is_some() {}
        }
    }

    async fn warm_source(
        &self,
        plan: &Plan<'_>,
        repository: &RepositoryRecord,
        source: &RefExpression,
    ) -> Result<()> {
        let found = resolve(self.catalog, &plan.draft, repository, source).await?;
        let merged = self.catalog.load_commit(&plan.draft, repository, &found.commit).await?;
        // What it has in common with its parent, the base has as well, as a rule.
        let Some(parent) = merged.parents.first() else {
            return Ok(());
        };
        let parent = self.catalog.load_commit(&plan.draft, repository, parent).await?;
        let ranges = plan.ranges(repository).await?;
        Ok(braid_tree::warm(&*ranges, self.catalog.pool(), merged.metarange, parent.metarange).await?)
    }

    fn doubted(&self, error: Error) -> Error {
        if self.in_doubt { error.that_may_have_happened() } else { error }
    }
}

impl Waiter {
    fn answered(&self, id: CommitId) -> (Request<'_>, Answer) {
        (self.job.request(), Answer::Commit(id))
    }
}

/// Nobody listens any more to one whose caller went away.
fn tell(waiter: Waiter, answer: Result<CommitId>) {
    let _ = waiter.answer.send(answer);
}
