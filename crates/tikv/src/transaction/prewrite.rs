//! The first phase: every key is checked and locked, or, in one phase, written.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::time::Instant;

use super::heart::time_to_live;
use crate::core::Core;
use crate::failure::Failure;
use crate::locks::Met;
use crate::outcome::{Conflict, ConflictReason};
use crate::patience::Patience;
use crate::proto::kvrpcpb::prewrite_request::PessimisticAction;
use crate::proto::kvrpcpb::write_conflict::Reason;
use crate::proto::kvrpcpb::{KeyError, Mutation, PrewriteRequest, PrewriteResponse};
use crate::snapshot::Obstacle;
use crate::spread::{Batch, Portion, spread};
use crate::store::Extras;
use crate::{Error, Timestamp};

const CALL: &str = "KvPrewrite";

/// The first phase of one transaction.
pub(super) struct Prewrite<'a> {
    pub(super) core: &'a Core,
    pub(super) start: Timestamp,
    pub(super) begun: Instant,
    pub(super) primary: &'a Bytes,
    /// Of a pessimistic transaction, all of whose keys are held.
    pub(super) for_update: Option<Timestamp>,
    /// The transaction may not be committed before this, nor in one phase before the timestamp of that moment, where the
    /// settings say so.
    pub(super) min_commit: Timestamp,
    /// Whether one phase may do.
    pub(super) one_phase: bool,
    /// Set when a request that may have committed the transaction was not answered.
    pub(super) unsure: AtomicBool,
    /// How many requests may have left locks.
    pub(super) marks: AtomicUsize,
}

/// Every key was accepted.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Accepted {
    /// They are locked.
    Locked,
    /// They are written: the transaction is committed.
    Committed(Timestamp),
}

/// The transaction cannot be committed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    Conflict(Conflict),
    Refused(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}

/// What a store answered.
#[derive(Debug, PartialEq)]
enum Answer {
    Accepted(Accepted),
    /// Others have locked some of these keys.
    Blocked(Vec<Mutation>, Vec<Met>),
    Conflict(Conflict),
}

impl Prewrite<'_> {
    /// Has every mutation accepted.
    pub(super) async fn run(
        &self,
        mutations: &[Mutation],
        patience: &mut Patience,
    ) -> Result<Accepted, Stopped> {
        let settings = &self.core.settings;
        let mut obstacle = Obstacle::of_writer(self.core.pace.patience("commit", settings.commit_lock_wait));
        let mut left = mutations.to_vec();
        loop {
            let part = patience.part();
            let send = |batch| self.send(batch, mutations.len(), part.part());
            let stops = |answer: &Answer| matches!(answer, Answer::Conflict(_));
            let directory = self.core.sender.directory();
            let answers = spread(directory, left, self.portion(), patience, stops, send).await?;
            left = Vec::new();
            let mut locks = Vec::new();
            for answer in answers {
                match answer {
                    Answer::Accepted(Accepted::Locked) => {}
                    Answer::Accepted(committed) => return Ok(committed),
                    Answer::Conflict(conflict) => return Err(Stopped::Conflict(conflict)),
                    Answer::Blocked(mutations, met) => {
                        left.extend(mutations);
                        locks.extend(met);
                    }
                }
            }
            if left.is_empty() {
                return Ok(Accepted::Locked);
            }
            obstacle.clear(self.core, locks, patience).await.map_err(held)?;
        }
    }

    fn portion(&self) -> Portion {
        let settings = &self.core.settings;
        Portion { items: usize::MAX, bytes: settings.write_batch_bytes, concurrency: settings.concurrency }
    }

    /// Sends one batch of the transaction's `count` mutations.
    async fn send(
        &self,
        batch: Batch<Mutation>,
        count: usize,
        patience: Patience,
    ) -> Result<Answer, Failure> {
        let (age, limit) = (self.begun.elapsed(), self.core.settings.transaction_age);
        if age > limit {
            return Err(Error::TooOld { start: self.start, age, limit }.into());
        }
        let one_phase = self.one_phase && batch.items.len() == count;
        let min_commit = match one_phase && self.core.settings.one_phase_in_real_time {
            true => self.core.pd.timestamp(&patience).await?.next(),
            false => self.min_commit,
        };
        let request = self.request(&batch.items, one_phase, min_commit);
        // Before the answer, which may never come to be looked at.
        self.marks.fetch_add(1, Ordering::Relaxed);
        let sent = self.core.sender.send(&batch.region, request, &patience, Extras::default()).await;
        if one_phase && sent.as_ref().is_err_and(Failure::is_unsure) {
            self.unsure.store(true, Ordering::Relaxed);
        }
        let answer = match sent {
            Ok(reply) => self.read(reply, batch.items, one_phase).map_err(Failure::from),
            Err(failure) => Err(failure),
        };
        let left_nothing = match &answer {
            Ok(Answer::Conflict(_)) => true,
            Err(failure) => !failure.is_unsure(),
            Ok(_) => false,
        };
        if left_nothing {
            self.marks.fetch_sub(1, Ordering::Relaxed);
        }
        answer
    }

    fn request(&self, mutations: &[Mutation], one_phase: bool, min_commit: Timestamp) -> PrewriteRequest {
        let actions = match self.for_update {
            Some(_) => vec![PessimisticAction::DoPessimisticCheck.into(); mutations.len()],
            None => Vec::new(),
        };
        PrewriteRequest {
            mutations: mutations.to_vec(),
            primary_lock: self.primary.clone(),
            start_version: self.start.into(),
            lock_ttl: time_to_live(self.core, self.begun),
            pessimistic_actions: actions,
            txn_size: mutations.len() as u64,
            for_update_ts: self.for_update.unwrap_or_default().into(),
            min_commit_ts: min_commit.into(),
            try_one_pc: one_phase,
            ..PrewriteRequest::default()
        }
    }

    fn read(
        &self,
        reply: PrewriteResponse,
        mutations: Vec<Mutation>,
        one_phase: bool,
    ) -> Result<Answer, Error> {
        if reply.errors.is_empty() {
            // Zero: the store could not do it in one phase, and has locked the keys.
            let committed = one_phase && reply.one_pc_commit_ts != 0;
            return Ok(Answer::Accepted(match committed {
                true => Accepted::Committed(reply.one_pc_commit_ts.into()),
                false => Accepted::Locked,
            }));
        }
        let mut locks = Vec::new();
        for error in reply.errors {
            match error.locked {
                Some(lock) => locks.push(lock.into()),
                None => return self.stop(error).map(Answer::Conflict),
            }
        }
        Ok(Answer::Blocked(mutations, locks))
    }

    /// The conflict that an error is about.
    fn stop(&self, error: KeyError) -> Result<Conflict, Error> {
        let (key, reason) = match error {
            KeyError { conflict: Some(conflict), .. } => match conflict.reason() {
                Reason::SelfRolledBack => (conflict.key, ConflictReason::RolledBack),
                _ => (conflict.key, ConflictReason::Written),
            },
            KeyError { already_exist: Some(exists), .. } => (exists.key, ConflictReason::Exists),
            // A key that was held is not any more.
            KeyError { abort, .. } if self.for_update.is_some() && !abort.is_empty() => {
                (self.primary.clone(), ConflictReason::RolledBack)
            }
            other => return Err(Error::Refused { call: CALL, reason: format!("{other:?}") }),
        };
        Ok(Conflict { key: self.core.keyspace.leave(&key), reason })
    }
}

/// A lock that was waited for in vain is a conflict.
pub(super) fn held(error: Error) -> Stopped {
    match error {
        Error::Locked { key, .. } => Stopped::Conflict(Conflict { key, reason: ConflictReason::Held }),
        other => Stopped::Refused(other),
    }
}
