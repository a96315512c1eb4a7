//! Locks keys before the commit, to keep others out.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::heart::time_to_live;
use super::rollback;
use crate::core::Core;
use crate::failure::Failure;
use crate::locks::Met;
use crate::outcome::ConflictReason;
use crate::patience::Patience;
use crate::proto::kvrpcpb::{Assertion, KeyError, Mutation, Op, PessimisticLockRequest};
use crate::region::Region;
use crate::snapshot::Obstacle;
use crate::spread::{Batch, Keyed};
use crate::store::Extras;
use crate::{Error, Timestamp};

const CALL: &str = "KvPessimisticLock";

/// A transaction that locks keys.
#[derive(Clone, Copy)]
pub(super) struct Holder<'a> {
    pub(super) core: &'a Core,
    pub(super) start: Timestamp,
    pub(super) begun: Instant,
}

/// A key that was locked.
pub(super) struct Held {
    pub(super) value: Option<Bytes>,
    /// The key is locked as of this timestamp, and this was its value then.
    pub(super) at: Timestamp,
    /// Somebody wrote the key after this transaction did, in its buffer.
    pub(super) written_since: bool,
}

/// A key to lock.
#[derive(Clone, Debug)]
pub(super) struct Wish {
    pub(super) key: Bytes,
    /// It must have no value.
    pub(super) absent: bool,
}

impl Keyed for Wish {
    fn key(&self) -> &Bytes {
        &self.key
    }
}

/// What a store answered.
pub(super) enum Answer {
    /// The keys are held; their values in order, if they were asked for.
    Held(Vec<Option<Bytes>>),
    /// Others hold some of these keys.
    Blocked(Vec<Wish>, Vec<Met>),
    Conflict(Bytes, ConflictReason),
    Deadlock,
}

impl Holder<'_> {
    /// Locks a key as of now and returns its value, waiting for others up to `wait`. `written`: as of when this
    /// transaction has written the key already.
    pub(super) async fn hold(
        &self,
        primary: &Bytes,
        key: &Bytes,
        written: Option<Timestamp>,
        wait: Duration,
    ) -> Result<Held, Error> {
        let held = self.hold_until_known(primary, key, written, wait).await;
        if matches!(held, Err(Error::Deadline { .. })) {
            // A lost request may yet lock the key.
            rollback::release(self.core, self.start, Timestamp::MAX, vec![key.clone()]).await;
        }
        held
    }

    async fn hold_until_known(
        &self,
        primary: &Bytes,
        key: &Bytes,
        written: Option<Timestamp>,
        wait: Duration,
    ) -> Result<Held, Error> {
        let settings = &self.core.settings;
        let mut patience = self.core.pace.patience("lock_for_update", wait + settings.read_deadline);
        let waits = self.core.pace.patience("lock_for_update", wait);
        let ends = Instant::now() + wait;
        let mut obstacle = Obstacle::of_writer(waits);
        let (mut written, mut written_since) = (written, false);
        let wish = Wish { key: key.clone(), absent: false };
        loop {
            self.check_age()?;
            let at = match written {
                Some(since) => since,
                None => self.core.pd.timestamp(&patience).await?,
            };
            let region = self.core.sender.directory().region(key, &mut patience).await?;
            let left = ends.saturating_duration_since(Instant::now());
            let answer = self.ask(&region, primary, vec![wish.clone()], at, left, true, &patience).await;
            match answer {
                Err(failure) => patience.after(failure).await?,
                // Nobody wrote it since this transaction did: now that it is held, nobody will.
                Ok(Answer::Held(_)) if written.is_some() => written = None,
                Ok(Answer::Held(mut values)) => {
                    let value = values.pop().ok_or_else(|| malformed("it has no value"))?;
                    return Ok(Held { value, at, written_since });
                }
                Ok(Answer::Conflict(..)) if written.take().is_some() => written_since = true,
                // Somebody wrote it after `at`: lock it as of later.
                Ok(Answer::Conflict(..)) => {}
                Ok(Answer::Deadlock) => return Err(Error::Deadlock { key: self.core.keyspace.leave(key) }),
                Ok(Answer::Blocked(_, locks)) => obstacle.clear(self.core, locks, &mut patience).await?,
            }
        }
    }

    /// Asks a region once for keys as of `at`. The store waits for other transactions up to `wait`, not much longer than a
    /// call may take.
    #[expect(clippy::too_many_arguments, reason = "all of it is one request")]
    async fn ask(
        &self,
        region: &Region,
        primary: &Bytes,
        wishes: Vec<Wish>,
        at: Timestamp,
        wait: Duration,
        values: bool,
        patience: &Patience,
    ) -> Result<Answer, Failure> {
        let waits = wait.min(self.core.settings.call_timeout);
        let request = PessimisticLockRequest {
            mutations: wishes.iter().map(mutation).collect(),
            primary_lock: primary.clone(),
            start_version: self.start.into(),
            lock_ttl: time_to_live(self.core, self.begun),
            for_update_ts: at.into(),
            is_first_lock: false,
            // Zero would mean the store's default.
            wait_timeout: i64::try_from(waits.as_millis()).ok().filter(|&wait| wait > 0).unwrap_or(-1),
            return_values: values,
            min_commit_ts: at.next().into(),
            ..PessimisticLockRequest::default()
        };
        let extras = Extras { waits, ..Extras::default() };
        let reply = self.core.sender.send(region, request, patience, extras).await?;
        if !reply.errors.is_empty() {
            return Ok(read_errors(wishes, reply.errors)?);
        }
        if values && reply.values.len() != wishes.len() {
            return Err(malformed("it has not as many values as keys").into());
        }
        let missing = |place: usize, value: &Bytes| match reply.not_founds.get(place) {
            Some(missing) => *missing,
            None => value.is_empty(),
        };
        let values = reply.values.iter().enumerate();
        Ok(Answer::Held(
            values.map(|(place, value)| (!missing(place, value)).then(|| value.clone())).collect(),
        ))
    }

    /// As [`ask`](Self::ask), for the keys of a batch, without values and without waiting: as of when they were written.
    pub(super) async fn ask_batch(
        &self,
        primary: &Bytes,
        batch: Batch<Wish>,
        at: Timestamp,
        patience: &Patience,
    ) -> Result<Answer, Failure> {
        self.check_age()?;
        self.ask(&batch.region, primary, batch.items, at, Duration::ZERO, false, patience).await
    }

    /// # Errors
    /// [`Error::TooOld`] once no write may be sent for the transaction any more.
    pub(super) fn check_age(&self) -> Result<(), Error> {
        let (age, limit) = (self.begun.elapsed(), self.core.settings.transaction_age);
        if age > limit {
            return Err(Error::TooOld { start: self.start, age, limit });
        }
        Ok(())
    }
}

fn mutation(wish: &Wish) -> Mutation {
    let assertion = if wish.absent { Assertion::NotExist } else { Assertion::None };
    Mutation {
        op: Op::PessimisticLock.into(),
        key: wish.key.clone(),
        value: Bytes::new(),
        assertion: assertion.into(),
    }
}

fn read_errors(wishes: Vec<Wish>, errors: Vec<KeyError>) -> Result<Answer, Error> {
    let mut locks = Vec::new();
    for error in errors {
        if let Some(lock) = error.locked {
            locks.push(lock.into());
        } else if let Some(conflict) = error.conflict {
            return Ok(Answer::Conflict(conflict.key, ConflictReason::Written));
        } else if let Some(exists) = error.already_exist {
            return Ok(Answer::Conflict(exists.key, ConflictReason::Exists));
        } else if error.deadlock.is_some() {
            return Ok(Answer::Deadlock);
        } else {
            return Err(Error::Refused { call: CALL, reason: format!("{error:?}") });
        }
    }
    Ok(Answer::Blocked(wishes, locks))
}

fn malformed(what: &str) -> Error {
    Error::Malformed { call: CALL, what: what.to_owned() }
}
