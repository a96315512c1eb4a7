//! Fences: many writers in together, a sealer in alone.
//!
//! Snapshot isolation lets a writer that saw something open commit after another transaction closed it. A fence forbids
//! that. It is a row of *stripes*, one key per *lane*:
//!
//! * a writer passes through one lane ([`Fence::shared`]): it reads the stripe at its snapshot and puts it back with
//!   the counter advanced. Writers in different lanes never meet;
//! * a sealer holds every stripe ([`Fence::exclusive`]) and then **puts** every one ([`Held::seal`] or
//!   [`Held::keep_open`]). That put outlives the lock: a writer that read the stripe before and commits after, however
//!   late, conflicts; one that reads it after finds it sealed.
//!
//! Numbers handed out in one lane have no gaps: a number belongs to a transaction that commits, or it is given again.

mod lanes;
mod stripe;
#[cfg(test)]
pub(crate) mod tests;

pub use lanes::{LaneGuard, LanePool};

use crate::{KeyRange, KvError, ScanOptions, Snapshot, Transaction};
use bytes::{BufMut, Bytes, BytesMut};
use std::time::Duration;
use stripe::Stripe;
use tokio::time::Instant;

/// Where a fence's stripes lie: `prefix | lane as u16, big endian`. A fence has no state of its own and needs no
/// creation: a stripe that is not there is open and has given no number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fence {
    prefix: Bytes,
    lanes: u16,
}

/// That a transaction, if it commits, did so before the fence was sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    /// The lane that was passed.
    pub lane: u16,
    /// The lane's number for this transaction; the first of them when several were taken.
    pub number: u64,
}

/// Why a fence was not passed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FenceError {
    /// The fence was sealed, for good.
    #[error("the fence is sealed")]
    Sealed,
    /// What lies in a stripe is no stripe, or one of a newer format.
    #[error("the stripe '{}' cannot be read", key.escape_ascii())]
    Unreadable {
        /// The stripe's key.
        key: Bytes,
    },
    /// The store failed.
    #[error(transparent)]
    Kv(#[from] KvError),
}

impl Fence {
    /// The fence of `lanes` lanes under `prefix`; for a new one take [`Kv::lanes`](crate::Kv::lanes). The number must
    /// stay the same for the life of the fence.
    ///
    /// # Panics
    /// Without lanes.
    pub fn new(prefix: Bytes, lanes: u16) -> Self {
        assert!(lanes > 0, "a fence has at least one lane");
        Self { prefix, lanes }
    }

    /// How many lanes the fence has.
    pub fn lanes(&self) -> u16 {
        self.lanes
    }

    /// The key of a lane's stripe.
    pub fn key(&self, lane: u16) -> Bytes {
        let mut key = BytesMut::with_capacity(self.prefix.len() + 2);
        key.put_slice(&self.prefix);
        key.put_u16(lane);
        key.freeze()
    }

    /// Where the stripes lie.
    pub fn range(&self) -> KeyRange {
        KeyRange::prefix(&self.prefix)
    }

    /// Lets a transaction in beside others, and gives it the lane's next number. Called again in the same transaction
    /// it gives the number after.
    ///
    /// # Errors
    /// [`FenceError::Sealed`] when the fence was sealed.
    ///
    /// # Panics
    /// When the fence has no such lane.
    pub async fn shared(&self, txn: &mut dyn Transaction, lane: u16) -> Result<Pass, FenceError> {
        self.shared_many(txn, lane, 1).await
    }

    /// As [`shared`](Fence::shared), taking `count` numbers at once: [`Pass::number`] and those after it.
    pub async fn shared_many(
        &self,
        txn: &mut dyn Transaction,
        lane: u16,
        count: u64,
    ) -> Result<Pass, FenceError> {
        assert!(lane < self.lanes, "the fence has {} lanes, not a lane {lane}", self.lanes);
        let key = self.key(lane);
        let stripe = decode(&key, txn.get(&key).await?)?;
        if stripe.sealed {
            return Err(FenceError::Sealed);
        }
        txn.put(key, Stripe { next: stripe.next + count, ..stripe }.encode());
        Ok(Pass { lane, number: stripe.next })
    }

    /// How many numbers all lanes together had given in a state of the store.
    ///
    /// # Errors
    /// [`FenceError::Unreadable`], and those of the store.
    pub async fn numbers_given(&self, snapshot: &dyn Snapshot) -> Result<u64, FenceError> {
        let mut sum = 0;
        for (key, value) in snapshot.scan(&self.range(), ScanOptions::first(usize::from(u16::MAX))).await? {
            sum += decode(&key, Some(value))?.next;
        }
        Ok(sum)
    }

    /// Lets a pessimistic transaction in alone: locks every stripe, one after another in order, all within `wait`.
    /// What the transaction reads from here on is the state of the last lock: every writer that passed has either
    /// committed, and is seen, or will conflict once [`Held::seal`] or [`Held::keep_open`] is committed. One of the
    /// two must be called.
    ///
    /// # Errors
    /// [`KvError::LockTimeout`] or [`KvError::Deadlock`] as of [`Transaction::lock_for_update`].
    pub async fn exclusive(&self, txn: &mut dyn Transaction, wait: Duration) -> Result<Held, FenceError> {
        let deadline = Instant::now() + wait;
        let mut stripes = Vec::with_capacity(usize::from(self.lanes));
        for lane in 0..self.lanes {
            let key = self.key(lane);
            let left = deadline.saturating_duration_since(Instant::now());
            let value = txn.lock_for_update(&key, left).await?;
            stripes.push(decode(&key, value)?);
        }
        Ok(Held { fence: self.clone(), stripes })
    }
}

/// Every stripe of a fence, held by one transaction.
#[derive(Debug)]
#[must_use = "the stripes must be put again, or a writer that read them before may still commit"]
pub struct Held {
    fence: Fence,
    stripes: Vec<Stripe>,
}

impl Held {
    /// Whether any stripe had been sealed before.
    pub fn was_sealed(&self) -> bool {
        self.stripes.iter().any(|stripe| stripe.sealed)
    }

    /// How many numbers all lanes together have given.
    pub fn numbers_given(&self) -> u64 {
        self.stripes.iter().map(|stripe| stripe.next).sum()
    }

    /// Gives the transaction that holds the fence numbers of a lane, as [`Fence::shared_many`] gives them to one that
    /// passes it: `count` of them, from [`Pass::number`] on.
    ///
    /// # Panics
    /// When the fence has no such lane.
    pub fn take_numbers(&mut self, lane: u16, count: u64) -> Pass {
        let stripe = &mut self.stripes[usize::from(lane)];
        let number = stripe.next;
        stripe.next += count;
        Pass { lane, number }
    }

    /// Seals the fence for good.
    pub fn seal(self, txn: &mut dyn Transaction) {
        self.put_all(txn, |stripe| Stripe { sealed: true, ..stripe });
    }

    /// Leaves the fence as it was, yet puts every stripe: a paused writer that read one before this transaction
    /// conflicts. The lanes' numbers stay, so they keep having no gaps.
    pub fn keep_open(self, txn: &mut dyn Transaction) {
        self.put_all(txn, |stripe| Stripe { epoch: stripe.epoch + 1, ..stripe });
    }

    fn put_all(self, txn: &mut dyn Transaction, change: impl Fn(Stripe) -> Stripe) {
        for (lane, stripe) in (0..self.fence.lanes).zip(self.stripes) {
            txn.put(self.fence.key(lane), change(stripe).encode());
        }
    }
}

fn decode(key: &Bytes, value: Option<Bytes>) -> Result<Stripe, FenceError> {
    match value {
        None => Ok(Stripe::default()),
        Some(value) => Stripe::decode(&value).ok_or_else(|| FenceError::Unreadable { key: key.clone() }),
    }
}
