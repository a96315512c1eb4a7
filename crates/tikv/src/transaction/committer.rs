//! Commits a transaction: in one phase where one request holds everything, in two phases otherwise.
//!
//! What is known decides about the [`Outcome`]. Before the primary's commit was sent nothing can have happened, except in
//! one phase, where the first request is the commit. Once such a request is lost, only the primary itself can tell; while
//! it cannot be asked, the outcome is unknown.
//!
//! An asynchronous commit would begin here as well: it is decided when every key is locked, so `Accepted::Locked` would
//! carry the timestamp, and the rest would follow in the background. Every lock tells already when its transaction may be
//! committed at the earliest.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::time::Instant;

use super::buffer::{Buffer, Change, Write};
use super::finish::Finish;
use super::heart::beat;
use super::hold::{self, Holder, Wish};
use super::holding::Holding;
use super::prewrite::{Accepted, Prewrite, Stopped, held};
use super::rollback;
use crate::core::Core;
use crate::outcome::{Conflict, ConflictReason, Outcome};
use crate::patience::Patience;
use crate::proto::kvrpcpb::{Mutation, Op};
use crate::snapshot::{Obstacle, Snapshot};
use crate::spread::{Portion, spread};
use crate::{Timestamp, meters};

/// A commit under way.
pub(super) struct Committer {
    core: Arc<Core>,
    start: Timestamp,
    begun: Instant,
    /// By the cluster's keys.
    writes: BTreeMap<Bytes, Write>,
    /// The key that decides.
    primary: Bytes,
    holding: Option<Holding>,
}

impl Committer {
    /// The commit of a transaction that writes something.
    pub(super) fn new(
        core: Arc<Core>,
        start: Timestamp,
        begun: Instant,
        buffer: Buffer,
        holding: Option<Holding>,
    ) -> Self {
        let writes = buffer.into_writes().into_iter();
        let mut writes: BTreeMap<Bytes, Write> =
            writes.map(|(key, write)| (core.keyspace.enter(&key), write)).collect();
        let primary = match &holding {
            // Its lock names the primary to all who meet the others, so it stays the primary, and is written.
            Some(holding) => {
                let mark = Write { change: Change::Lock, insert: false, since: holding.for_update() };
                writes.entry(holding.primary().clone()).or_insert(mark);
                holding.primary().clone()
            }
            None => writes.keys().next().expect("the transaction writes something").clone(),
        };
        Self { core, start, begun, writes, primary, holding }
    }

    /// Commits, and leaves the rest to tasks in the background.
    pub(super) async fn run(self) -> Outcome {
        let began = Instant::now();
        let mut patience = self.core.pace.patience("commit", self.core.settings.commit_deadline);
        let mut phases = "two";
        let outcome = {
            let decided = Box::pin(self.decide(&mut patience, &mut phases));
            match self.holding {
                // It has a heart.
                Some(_) => decided.await,
                None => self.alive(decided).await,
            }
        };
        metrics::histogram!(meters::COMMIT_SECONDS, "phases" => phases).record(began.elapsed());
        if let Outcome::Unknown(cause) = &outcome {
            tracing::warn!(start = %self.start, cause, "it is not known whether a transaction was committed");
        }
        outcome
    }

    /// Gives signs of life until it is decided.
    async fn alive(&self, decided: impl Future<Output = Outcome>) -> Outcome {
        let beating = beat(&self.core, &self.primary, self.start, self.begun);
        tokio::pin!(decided);
        tokio::select! {
            biased;
            outcome = &mut decided => outcome,
            // The transaction has become too old to live on; what it has begun it ends.
            () = beating => decided.await,
        }
    }

    async fn decide(&self, patience: &mut Patience, phases: &mut &'static str) -> Outcome {
        let prewrite = match self.prepare(patience).await {
            Ok(prewrite) => prewrite,
            Err(stopped) => {
                if self.holding.is_some() {
                    self.clean_up();
                }
                return self.stopped(stopped);
            }
        };
        let accepted = prewrite.run(&self.mutations(), patience).await;
        let unsure = prewrite.unsure.load(Ordering::Relaxed);
        match accepted {
            Ok(Accepted::Committed(commit)) => {
                *phases = "one";
                Outcome::Committed(commit)
            }
            Ok(Accepted::Locked) => self.finish(patience).await,
            Err(stopped) if unsure => {
                let settled = self.settle(stopped).await;
                if matches!(settled, Outcome::Conflict(_) | Outcome::Refused(_)) {
                    self.clean_up();
                }
                settled
            }
            Err(stopped) => {
                if self.holding.is_some() || prewrite.marks.load(Ordering::Relaxed) > 0 {
                    self.clean_up();
                }
                self.stopped(stopped)
            }
        }
    }

    /// Checks what the first phase does not, and makes that ready.
    async fn prepare(&self, patience: &mut Patience) -> Result<Prewrite<'_>, Stopped> {
        match &self.holding {
            Some(holding) => self.hold_rest(holding, patience).await?,
            None => self.check_inserted_and_deleted().await?,
        }
        let settings = &self.core.settings;
        let for_update = self.holding.as_ref().map(Holding::for_update);
        let one_phase = settings.one_phase && for_update.is_none();
        let min_commit = for_update.unwrap_or(self.start).next();
        Ok(Prewrite {
            core: &self.core,
            start: self.start,
            begun: self.begun,
            primary: &self.primary,
            for_update,
            min_commit,
            one_phase,
            unsure: AtomicBool::new(false),
            marks: AtomicUsize::new(0),
        })
    }

    /// A key that was inserted and then deleted is deleted like any other, so it is read here whether it was absent.
    async fn check_inserted_and_deleted(&self) -> Result<(), Stopped> {
        let both = self.writes.iter().filter(|(_, write)| write.insert && write.change == Change::Delete);
        let keys: Vec<Bytes> = both.map(|(key, _)| self.core.keyspace.leave(key)).collect();
        if keys.is_empty() {
            return Ok(());
        }
        let values = Snapshot::new(Arc::clone(&self.core), self.start).batch_get(&keys).await?;
        let present = keys.into_iter().zip(values).find(|(_, value)| value.is_some());
        present.map_or(Ok(()), |(key, _)| Err(conflict(key, ConflictReason::Exists)))
    }

    /// Has a pessimistic transaction hold every key that it writes, each as of when it was written: nobody may have
    /// written it since.
    async fn hold_rest(&self, holding: &Holding, patience: &mut Patience) -> Result<(), Stopped> {
        let mut wishes: BTreeMap<Timestamp, Vec<Wish>> = BTreeMap::new();
        for (key, write) in &self.writes {
            match holding.exists(key) {
                Some(true) if write.insert => {
                    return Err(conflict(self.core.keyspace.leave(key), ConflictReason::Exists));
                }
                Some(_) => {}
                None => {
                    let wish = Wish { key: key.clone(), absent: write.insert };
                    wishes.entry(write.since).or_default().push(wish);
                }
            }
        }
        for (since, wishes) in wishes {
            self.hold_as_of(since, wishes, patience).await?;
        }
        Ok(())
    }

    async fn hold_as_of(
        &self,
        since: Timestamp,
        mut wishes: Vec<Wish>,
        patience: &mut Patience,
    ) -> Result<(), Stopped> {
        let holder = Holder { core: &self.core, start: self.start, begun: self.begun };
        let settings = &self.core.settings;
        let mut obstacle = Obstacle::of_writer(self.core.pace.patience("commit", settings.commit_lock_wait));
        let bytes = settings.write_batch_bytes;
        let portion = Portion { items: usize::MAX, bytes, concurrency: settings.concurrency };
        while !wishes.is_empty() {
            let part = patience.part();
            let ask = |batch| {
                let part = part.part();
                async move { holder.ask_batch(&self.primary, batch, since, &part).await }
            };
            let stops =
                |answer: &hold::Answer| matches!(answer, hold::Answer::Conflict(..) | hold::Answer::Deadlock);
            let asked = std::mem::take(&mut wishes);
            let answers = spread(self.core.sender.directory(), asked, portion, patience, stops, ask).await?;
            let mut locks = Vec::new();
            for answer in answers {
                match answer {
                    hold::Answer::Held(_) => {}
                    hold::Answer::Conflict(key, reason) => {
                        return Err(conflict(self.core.keyspace.leave(&key), reason));
                    }
                    hold::Answer::Deadlock => {
                        return Err(conflict(self.core.keyspace.leave(&self.primary), ConflictReason::Held));
                    }
                    hold::Answer::Blocked(again, met) => {
                        wishes.extend(again);
                        locks.extend(met);
                    }
                }
            }
            if !locks.is_empty() {
                obstacle.clear(&self.core, locks, patience).await.map_err(held)?;
            }
        }
        Ok(())
    }

    /// The writes as stores take them; the primary's is the first.
    fn mutations(&self) -> Vec<Mutation> {
        let optimistic = self.holding.is_none();
        let mutation = |key: &Bytes, write: &Write| {
            let (op, value) = match &write.change {
                // The keys that a pessimistic transaction inserts were locked only because they are absent.
                Change::Put(value) if write.insert && optimistic => (Op::Insert, value.clone()),
                Change::Put(value) => (Op::Put, value.clone()),
                Change::Delete => (Op::Del, Bytes::new()),
                Change::Lock => (Op::Lock, Bytes::new()),
            };
            Mutation { op: op.into(), key: key.clone(), value, ..Mutation::default() }
        };
        let primary = &self.writes[&self.primary];
        let others = self.writes.iter().filter(|(key, _)| **key != self.primary);
        let first = mutation(&self.primary, primary);
        std::iter::once(first).chain(others.map(|(key, write)| mutation(key, write))).collect()
    }

    async fn finish(&self, patience: &mut Patience) -> Outcome {
        let keys = self.mutations().into_iter().map(|mutation| mutation.key);
        let keys: Vec<Bytes> = keys.collect();
        let finish = Finish { core: &self.core, start: self.start, primary: &self.primary, keys: &keys };
        let outcome = match finish.run(patience).await {
            Ok(outcome) => outcome,
            Err(error) => {
                let settled = self.settle(Stopped::Refused(error)).await;
                if let Outcome::Committed(commit) = settled {
                    finish.follow(std::slice::from_ref(&self.primary), commit);
                }
                settled
            }
        };
        match &outcome {
            Outcome::Committed(_) => self.release_unwritten(),
            Outcome::Conflict(_) | Outcome::Refused(_) => self.clean_up(),
            // Rolling back now could undo nothing, but would race with a commit that is still on its way.
            Outcome::Unknown(_) => {}
        }
        outcome
    }

    /// Asks the primary what became of a commit whose request was lost; if nothing, then nothing ever will.
    async fn settle(&self, stopped: Stopped) -> Outcome {
        let mut patience = self.core.pace.patience("settle", self.core.settings.call_timeout * 2);
        match self.core.resolver.settle(&self.primary, self.start, &mut patience).await {
            Ok(Some(commit)) => Outcome::Committed(commit),
            Ok(None) => self.stopped(stopped),
            Err(error) => Outcome::Unknown(match stopped {
                Stopped::Conflict(conflict) => format!("{error}; before that, {conflict}"),
                Stopped::Refused(before) => format!("{error}; before that, {before}"),
            }),
        }
    }

    fn stopped(&self, stopped: Stopped) -> Outcome {
        match stopped {
            Stopped::Conflict(conflict) => Outcome::Conflict(conflict),
            Stopped::Refused(error) => Outcome::Refused(error),
        }
    }

    /// Takes all locks away, in the background.
    fn clean_up(&self) {
        let held = self.holding.iter().flat_map(Holding::keys);
        let keys: std::collections::BTreeSet<Bytes> = self.writes.keys().chain(held).cloned().collect();
        let (core, start) = (Arc::clone(&self.core), self.start);
        self.core.tasks.spawn(async move {
            rollback::roll_back(&core, start, keys.into_iter().collect()).await;
        });
    }

    /// Gives back, in the background, the keys that were held and not written.
    fn release_unwritten(&self) {
        let Some(holding) = &self.holding else {
            return;
        };
        let keys: Vec<Bytes> =
            holding.keys().filter(|key| !self.writes.contains_key(*key)).cloned().collect();
        if keys.is_empty() {
            return;
        }
        let (core, start, for_update) = (Arc::clone(&self.core), self.start, holding.for_update());
        self.core.tasks.spawn(async move { rollback::release(&core, start, for_update, keys).await });
    }
}

fn conflict(key: Bytes, reason: ConflictReason) -> Stopped {
    Stopped::Conflict(Conflict { key, reason })
}
