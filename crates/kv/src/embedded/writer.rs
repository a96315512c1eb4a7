//! The one thread that writes: takes all that waits, writes it together, syncs once, answers.

use super::{
    format::{self, DATA, failure},
    job::{CommitJob, DestroyJob, Job},
    record,
    shared::Shared,
    view::View,
};
use crate::{
    Conflict, ConflictReason, KvError, Outcome, Timestamp,
    writes::{Change, Writes},
};
use redb::{Database, ReadableTable, StorageError, Table};
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

/// At most so many jobs share a sync, so that the first is not kept waiting for the last.
const BATCH: usize = 1024;
/// At most so many keys of a destroyed range go with one sync, so that commits are not kept waiting.
const DESTROYED_AT_ONCE: usize = 4096;

type Data<'a> = Table<'a, &'static [u8], &'static [u8]>;

pub(super) struct Writer {
    database: Database,
    shared: Arc<Shared>,
    queue: mpsc::Receiver<Job>,
}

/// A commit or a destruction.
enum Work {
    Commit(CommitJob),
    Destroy(DestroyJob),
}

/// What the file's transaction makes of one piece of work.
enum Fate {
    Given(Timestamp),
    Conflict(Conflict),
    Destroyed { more: bool },
}

/// Why a batch was not written.
enum Failure {
    /// Before anything could count: nothing of it is there, nor will be.
    Certain(KvError),
    /// In the commit itself: it may be there.
    Uncertain(KvError),
}

impl Writer {
    pub(super) fn new(database: Database, shared: Arc<Shared>, queue: mpsc::Receiver<Job>) -> Self {
        Self { database, shared, queue }
    }

    /// Works until told to stop, or until nobody is left who could.
    pub(super) fn run(self) {
        let _halting = HaltOnPanic(&self.shared);
        let mut stop = None;
        while stop.is_none()
            && let Ok(first) = self.queue.recv()
        {
            let mut batch = Vec::new();
            stop = self.gather(first, &mut batch);
            if !batch.is_empty() {
                self.process(batch);
            }
        }
        // Snapshots may outlive the last handle.
        self.shared.close();
        drop(self.database);
        if let Some(Some(stopped)) = stop {
            // Nobody may be waiting any more.
            let _ = stopped.send(());
        }
    }

    /// Takes all that waits; returns the order to stop if it came to that.
    fn gather(&self, first: Job, batch: &mut Vec<Work>) -> Option<Option<oneshot::Sender<()>>> {
        let mut next = Some(first);
        while let Some(job) = next {
            match job {
                Job::Commit(commit) => batch.push(Work::Commit(commit)),
                Job::Destroy(destroy) => batch.push(Work::Destroy(destroy)),
                Job::Stop(stopped) => return Some(stopped),
            }
            next = if batch.len() < BATCH { self.queue.try_recv().ok() } else { None };
        }
        None
    }

    fn process(&self, mut batch: Vec<Work>) {
        if let Err(halted) = self.shared.not_halted() {
            return batch.into_iter().for_each(|work| work.refuse(&halted));
        }
        batch.iter_mut().for_each(Work::take_up);
        let mut fates = Vec::with_capacity(batch.len());
        match self.write(&batch, &mut fates) {
            Ok(()) => {
                batch.into_iter().zip(fates).for_each(|(work, fate)| work.finish(fate));
            }
            Err(Failure::Certain(error)) => {
                self.shared.halt(error.to_string());
                batch.into_iter().for_each(|work| work.refuse(&error));
            }
            Err(Failure::Uncertain(error)) => {
                self.shared.halt(error.to_string());
                batch.into_iter().zip(fates).for_each(|(work, fate)| work.leave_open(fate, &error));
            }
        }
    }

    /// Writes what passes, durably, and publishes it. Fills in `fates`, one for each work as far as it came.
    fn write(&self, batch: &[Work], fates: &mut Vec<Fate>) -> Result<(), Failure> {
        let certain = |error: redb::Error| Failure::Certain(failure("write", error));
        let write = format::begin(&self.database).map_err(certain)?;
        {
            let mut data = write.open_table(DATA).map_err(|error| certain(error.into()))?;
            for work in batch {
                fates.push(self.apply(work, &mut data).map_err(|error| certain(error.into()))?);
            }
        }
        if fates.iter().all(Fate::is_conflict) {
            return write.abort().map_err(|error| certain(error.into()));
        }
        format::put_last(&write, self.shared.given()).map_err(certain)?;
        write.commit().map_err(|error| Failure::Uncertain(failure("commit", error)))?;
        self.shared.publish(View::newest(&self.database));
        Ok(())
    }

    fn apply(&self, work: &Work, data: &mut Data<'_>) -> Result<Fate, StorageError> {
        let commit = match work {
            Work::Commit(commit) => commit,
            Work::Destroy(destroy) => return remove_some(destroy, data),
        };
        // Whoever inserts the same key in this batch is found here as well: only this thread writes.
        if let Some(conflict) = existing(&commit.writes, data)? {
            return Ok(Fate::Conflict(conflict));
        }
        match self.shared.admit(&commit.writes, &commit.owner) {
            Ok(timestamp) => {
                put_all(&commit.writes, data)?;
                Ok(Fate::Given(timestamp))
            }
            Err(conflict) => Ok(Fate::Conflict(conflict)),
        }
    }
}

/// The first key that was to be inserted and exists.
fn existing(writes: &Writes, data: &Data<'_>) -> Result<Option<Conflict>, StorageError> {
    for (key, _) in writes.iter().filter(|(_, write)| write.insert) {
        if data.get(&key[..])?.is_some() {
            return Ok(Some(Conflict { key: key.clone(), reason: ConflictReason::Exists }));
        }
    }
    Ok(None)
}

fn put_all(writes: &Writes, data: &mut Data<'_>) -> Result<(), StorageError> {
    for (key, write) in writes.iter() {
        match &write.change {
            Change::Put(value) => drop(data.insert(&key[..], &record::seal(key, value)[..])?),
            Change::Delete => drop(data.remove(&key[..])?),
            Change::Lock => {}
        }
    }
    Ok(())
}

fn remove_some(destroy: &DestroyJob, data: &mut Data<'_>) -> Result<Fate, StorageError> {
    if destroy.range.is_empty() {
        return Ok(Fate::Destroyed { more: false });
    }
    let mut keys = Vec::new();
    for pair in data.range::<&[u8]>(destroy.range.bounds())?.take(DESTROYED_AT_ONCE) {
        keys.push(pair?.0.value().to_vec());
    }
    for key in &keys {
        data.remove(&key[..])?;
    }
    Ok(Fate::Destroyed { more: keys.len() == DESTROYED_AT_ONCE })
}

impl Work {
    fn take_up(&mut self) {
        if let Self::Commit(commit) = self {
            commit.reply.take_up();
        }
    }

    fn finish(self, fate: Fate) {
        match (self, fate) {
            (Self::Commit(commit), Fate::Given(timestamp)) => commit.finish(Outcome::Committed(timestamp)),
            (Self::Commit(commit), Fate::Conflict(conflict)) => commit.finish(Outcome::Conflict(conflict)),
            (Self::Destroy(destroy), Fate::Destroyed { more }) => {
                // Nobody may be waiting any more.
                let _ = destroy.reply.send(Ok(more));
            }
            _ => unreachable!("a fate is of its work's kind"),
        }
    }

    /// Nothing of it happened.
    fn refuse(self, error: &KvError) {
        match self {
            Self::Commit(commit) => commit.finish(Outcome::Refused(error.clone())),
            Self::Destroy(destroy) => {
                let _ = destroy.reply.send(Err(error.clone()));
            }
        }
    }

    /// Nobody knows whether it happened, unless it was to be nothing.
    fn leave_open(self, fate: Fate, error: &KvError) {
        match (self, fate) {
            (Self::Commit(commit), Fate::Given(_)) => commit.finish(Outcome::Unknown(error.to_string())),
            (Self::Destroy(destroy), _) => {
                let _ = destroy.reply.send(Err(error.clone()));
            }
            (work, fate) => work.finish(fate),
        }
    }
}

impl Fate {
    fn is_conflict(&self) -> bool {
        matches!(self, Self::Conflict(_))
    }
}

struct HaltOnPanic<'a>(&'a Shared);

impl Drop for HaltOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.halt("the writer panicked".to_owned());
        }
    }
}
