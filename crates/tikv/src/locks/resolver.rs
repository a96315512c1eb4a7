//! Clears away the locks of transactions that have ended, and says which of the others must be waited for.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};

use super::outcomes::Outcomes;
use super::state::{self, State};
use super::{Met, async_commit};
use crate::failure::Failure;
use crate::patience::Patience;
use crate::pd::Pd;
use crate::proto::kvrpcpb::{
    CheckTxnStatusRequest, KeyError, PessimisticRollbackRequest, ResolveLockRequest,
};
use crate::spread::{Batch, Portion, spread};
use crate::store::{Extras, Sender};
use crate::{Error, Settings, Timestamp, meters};

/// How many keys one request clears.
const KEYS: usize = 256;

/// Who meets locks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seeker {
    /// Reads at a timestamp. A transaction that has not chosen when to commit is made to commit later than that, and its
    /// locks are read past.
    Reader(Timestamp),
    /// Wants the key for itself.
    Writer,
    /// Wants all locks gone: whoever has not committed is rolled back, alive or not.
    Sweeper,
}

/// What is left of the locks that were met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Resolution {
    /// Transactions that will not have committed at the reader's timestamp.
    pub(crate) read_past: Vec<u64>,
    /// The lock that ends first, of those that must be waited for.
    pub(crate) held: Option<Held>,
}

/// A lock of a transaction that is alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) key: Bytes,
    pub(crate) holder: Timestamp,
    /// When the lock ends, unless its transaction is heard of.
    pub(crate) left: Duration,
}

/// Finds out about transactions, and clears away what is left of them.
#[derive(Debug)]
pub(crate) struct Resolver {
    pd: Arc<Pd>,
    sender: Arc<Sender>,
    outcomes: Outcomes,
    concurrency: usize,
}

impl Resolver {
    pub(crate) fn new(pd: Arc<Pd>, sender: Arc<Sender>, settings: &Settings) -> Self {
        Self { pd, sender, outcomes: Outcomes::default(), concurrency: settings.concurrency }
    }

    /// Clears away those of `locks` whose transactions have ended.
    pub(crate) async fn resolve(
        &self,
        locks: Vec<Met>,
        seeker: Seeker,
        patience: &Patience,
    ) -> Result<Resolution, Error> {
        let now = self.pd.timestamp(patience).await?;
        let mut transactions: BTreeMap<Timestamp, Vec<Met>> = BTreeMap::new();
        for lock in locks {
            transactions.entry(lock.start).or_default().push(lock);
        }
        let looked =
            transactions.into_values().map(|locks| self.resolve_one(locks, seeker, now, patience.part()));
        let mut looked = futures::stream::iter(looked).buffer_unordered(self.concurrency);
        let mut resolution = Resolution::default();
        while let Some(left) = looked.try_next().await? {
            match left {
                Left::Nothing => {}
                Left::Pushed(start) => resolution.read_past.push(start.into()),
                Left::Held(held) => {
                    let earlier = resolution.held.take().filter(|known| known.left <= held.left);
                    resolution.held = Some(earlier.unwrap_or(held));
                }
            }
        }
        Ok(resolution)
    }

    /// As [`resolve`](Self::resolve), of locks of one transaction.
    async fn resolve_one(
        &self,
        locks: Vec<Met>,
        seeker: Seeker,
        now: Timestamp,
        mut patience: Patience,
    ) -> Result<Left, Error> {
        // A prewritten lock says more than one that only keeps others out.
        let lock = locks.iter().find(|lock| !lock.pessimistic).unwrap_or(&locks[0]);
        let commit = match self.look(lock, seeker, now, &mut patience).await? {
            State::Committed(commit) => Some(commit),
            State::RolledBack => None,
            State::Alive { left, floor } => {
                met("alive");
                return Ok(match seeker {
                    Seeker::Reader(at) if floor >= at => Left::Pushed(lock.start),
                    _ => Left::Held(Held { key: lock.key.clone(), holder: lock.start, left }),
                });
            }
            State::Abandoned(primary) => {
                let found =
                    async_commit::recover(&self.sender, &primary, self.portion(), &mut patience).await?;
                match found {
                    async_commit::Found::Ended(commit) => commit,
                    async_commit::Found::Ordinary => self.end_ordinary(lock, now, &mut patience).await?,
                }
            }
        };
        met(if commit.is_some() { "committed" } else { "rolled_back" });
        self.clear(lock.start, commit, locks, &mut patience).await?;
        Ok(Left::Nothing)
    }

    /// What became of the transaction of `lock`, seen from its primary.
    async fn look(
        &self,
        lock: &Met,
        seeker: Seeker,
        now: Timestamp,
        patience: &mut Patience,
    ) -> Result<State, Error> {
        if let Some(ended) = self.outcomes.get(lock.start) {
            return Ok(ended.map_or(State::RolledBack, State::Committed));
        }
        let at_once = lock.ttl == 0 || seeker == Seeker::Sweeper;
        let request = CheckTxnStatusRequest {
            caller_start_ts: match seeker {
                Seeker::Reader(at) => at.into(),
                Seeker::Writer | Seeker::Sweeper => 0,
            },
            current_ts: if at_once { u64::MAX } else { now.into() },
            rollback_if_not_exist: at_once || lock.start.left_of(lock.ttl, now).is_none(),
            ..question(lock)
        };
        let as_of = if at_once { Timestamp::MAX } else { now };
        let state = state::read(self.sender.call(&lock.primary, request, patience).await?, lock, as_of)?;
        self.learn(lock, &state);
        Ok(state)
    }

    /// Ends the abandoned transaction of `lock`, an async commit that a store turned into an ordinary one.
    async fn end_ordinary(
        &self,
        lock: &Met,
        now: Timestamp,
        patience: &mut Patience,
    ) -> Result<Option<Timestamp>, Error> {
        let request = CheckTxnStatusRequest {
            current_ts: now.into(),
            rollback_if_not_exist: true,
            force_sync_commit: true,
            ..question(lock)
        };
        let reply = self.sender.call(&lock.primary, request, patience).await?;
        match state::read(reply, lock, now)? {
            State::Committed(commit) => Ok(Some(commit)),
            State::RolledBack => Ok(None),
            state => Err(Error::Malformed { call: state::CALL, what: format!("{state:?} of what is over") }),
        }
    }

    fn learn(&self, lock: &Met, state: &State) {
        match state {
            State::Committed(commit) => self.outcomes.learn(lock.start, Some(*commit)),
            // A lock that only keeps others out can be gone while its transaction lives on.
            State::RolledBack if !lock.pessimistic => self.outcomes.learn(lock.start, None),
            _ => {}
        }
    }

    /// When the transaction of a primary committed; `None`: it did not, and never will.
    pub(crate) async fn settle(
        &self,
        primary: &Bytes,
        start: Timestamp,
        patience: &mut Patience,
    ) -> Result<Option<Timestamp>, Error> {
        let lock = Met {
            key: primary.clone(),
            primary: primary.clone(),
            start,
            ttl: 0,
            for_update: start,
            pessimistic: false,
        };
        match self.look(&lock, Seeker::Sweeper, Timestamp::MAX, patience).await? {
            State::Committed(commit) => Ok(Some(commit)),
            State::RolledBack => Ok(None),
            state => Err(Error::Malformed { call: state::CALL, what: format!("{state:?} of what is over") }),
        }
    }

    /// Clears away locks of one transaction that has ended.
    async fn clear(
        &self,
        start: Timestamp,
        commit: Option<Timestamp>,
        locks: Vec<Met>,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        let (pessimistic, prewritten): (Vec<Met>, Vec<Met>) =
            locks.into_iter().partition(|lock| lock.pessimistic);
        let (directory, portion) = (self.sender.directory(), self.portion());
        let sent = |batch| self.clear_batch(start, commit, batch, patience.part());
        spread(directory, prewritten, portion, &mut patience.part(), |()| false, sent).await?;
        let sent = |batch| self.release_batch(start, batch, patience.part());
        spread(directory, pessimistic, portion, &mut patience.part(), |()| false, sent).await?;
        Ok(())
    }

    async fn clear_batch(
        &self,
        start: Timestamp,
        commit: Option<Timestamp>,
        batch: Batch<Met>,
        patience: Patience,
    ) -> Result<(), Failure> {
        let request = ResolveLockRequest {
            start_version: start.into(),
            commit_version: commit.unwrap_or_default().into(),
            keys: batch.items.into_iter().map(|lock| lock.key).collect(),
            ..ResolveLockRequest::default()
        };
        let reply = self.sender.send(&batch.region, request, &patience, Extras::default()).await?;
        reply.error.map_or(Ok(()), |error| Err(refused("KvResolveLock", &error).into()))
    }

    async fn release_batch(
        &self,
        start: Timestamp,
        batch: Batch<Met>,
        patience: Patience,
    ) -> Result<(), Failure> {
        let for_update = batch.items.iter().map(|lock| lock.for_update).max().unwrap_or_default();
        let request = PessimisticRollbackRequest {
            start_version: start.into(),
            for_update_ts: for_update.into(),
            keys: batch.items.into_iter().map(|lock| lock.key).collect(),
            ..PessimisticRollbackRequest::default()
        };
        let reply = self.sender.send(&batch.region, request, &patience, Extras::default()).await?;
        reply.errors.first().map_or(Ok(()), |error| Err(refused("KVPessimisticRollback", error).into()))
    }

    fn portion(&self) -> Portion {
        Portion { items: KEYS, bytes: usize::MAX, concurrency: self.concurrency }
    }
}

/// What became of one transaction's locks.
enum Left {
    Nothing,
    Pushed(Timestamp),
    Held(Held),
}

fn question(lock: &Met) -> CheckTxnStatusRequest {
    CheckTxnStatusRequest {
        primary_key: lock.primary.clone(),
        lock_ts: lock.start.into(),
        resolving_pessimistic_lock: lock.pessimistic,
        verify_is_primary: true,
        ..CheckTxnStatusRequest::default()
    }
}

fn refused(call: &'static str, error: &KeyError) -> Error {
    Error::Refused { call, reason: format!("{error:?}") }
}

fn met(state: &'static str) {
    metrics::counter!(meters::LOCKS_MET, "state" => state).increment(1);
}
