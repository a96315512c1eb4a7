//! Questions about transactions that others met, and what follows from the answers.

use bytes::Bytes;

use super::{Fate, Lock, LockKind, Mvcc, Refusal};

/// What was done by the way when a transaction's state was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TxnAction {
    None,
    /// The primary's time was over: rolled back.
    ExpireRollback,
    /// There was no lock: a rollback was recorded, so that none can come.
    MissingRollback,
    /// The transaction commits after the asker's timestamp.
    MinCommitPushed,
    /// The primary's pessimistic lock, whose time was over, was taken away.
    ExpirePessimisticRollback,
    /// There was no lock, and a pessimistic lock's fate does not depend on a record.
    MissingDoNothing,
}

/// A transaction's state, by its primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TxnStatus {
    Committed(u64),
    RolledBack(TxnAction),
    Locked(Box<Lock>, TxnAction),
}

/// A question for a transaction's state.
#[derive(Clone, Debug, Default)]
pub(crate) struct CheckTxn {
    pub(crate) primary: Bytes,
    pub(crate) start: u64,
    /// The asker's timestamp; 0: none.
    pub(crate) caller: u64,
    /// The time by which locks expire.
    pub(crate) current: u64,
    pub(crate) rollback_if_missing: bool,
    /// Treat an async commit as a plain one.
    pub(crate) force_sync_commit: bool,
    /// The asker met a pessimistic lock.
    pub(crate) resolving_pessimistic: bool,
    pub(crate) verify_primary: bool,
}

/// What a transaction's secondary keys say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Secondaries {
    Locked(Vec<(Bytes, Lock)>),
    Committed(u64),
    RolledBack,
}

impl Mvcc {
    /// The state of a transaction. An expired one is rolled back; one that lives is made to commit after the asker's
    /// timestamp, if it takes part in that (its `min_commit` is set).
    pub(crate) fn check_txn(&mut self, check: &CheckTxn) -> Result<TxnStatus, Refusal> {
        match self.lock(&check.primary).filter(|lock| lock.start == check.start).cloned() {
            Some(lock) if check.verify_primary && lock.primary != check.primary => {
                self.check_wrong_primary(check, lock)
            }
            Some(lock) => Ok(self.check_locked(check, lock)),
            None => self.check_missing(check),
        }
    }

    /// A stale pessimistic lock on a key that is not the primary any more says nothing of the transaction.
    fn check_wrong_primary(&mut self, check: &CheckTxn, lock: Lock) -> Result<TxnStatus, Refusal> {
        if lock.kind != LockKind::Pessimistic || check.resolving_pessimistic {
            return Err(Refusal::PrimaryMismatch { key: check.primary.clone(), lock: Box::new(lock) });
        }
        let status = self.check_missing(check)?;
        self.release(&check.primary, check.start);
        Ok(status)
    }

    fn check_locked(&mut self, check: &CheckTxn, mut lock: Lock) -> TxnStatus {
        if lock.secondaries.is_some() && !check.force_sync_commit {
            return TxnStatus::Locked(Box::new(lock), TxnAction::None);
        }
        if lock.expired(check.current) {
            return TxnStatus::RolledBack(self.expire(check, lock.kind));
        }
        let asks = check.caller != 0 && check.caller != u64::MAX;
        if asks && lock.min_commit != 0 && check.caller >= lock.min_commit {
            lock.min_commit = check.current.max(check.caller + 1);
            self.row_mut(&check.primary).lock = Some(lock.clone());
        }
        let pushed = check.caller == u64::MAX || (asks && lock.min_commit > check.caller);
        let action = if pushed { TxnAction::MinCommitPushed } else { TxnAction::None };
        TxnStatus::Locked(Box::new(lock), action)
    }

    fn expire(&mut self, check: &CheckTxn, kind: LockKind) -> TxnAction {
        if kind == LockKind::Pessimistic && check.resolving_pessimistic {
            self.release(&check.primary, check.start);
            return TxnAction::ExpirePessimisticRollback;
        }
        self.roll_back_key(&check.primary, check.start, false);
        TxnAction::ExpireRollback
    }

    fn check_missing(&mut self, check: &CheckTxn) -> Result<TxnStatus, Refusal> {
        match self.fate(&check.primary, check.start) {
            Fate::Committed(commit) => return Ok(TxnStatus::Committed(commit)),
            Fate::RolledBack => return Ok(TxnStatus::RolledBack(TxnAction::None)),
            Fate::Unknown => {}
        }
        if !check.rollback_if_missing {
            return Err(Refusal::TxnNotFound { start: check.start, primary: check.primary.clone() });
        }
        if check.resolving_pessimistic {
            return Ok(TxnStatus::RolledBack(TxnAction::MissingDoNothing));
        }
        self.row_mut(&check.primary).record_rollback(check.start, true);
        Ok(TxnStatus::RolledBack(TxnAction::MissingRollback))
    }

    /// The state of an async commit by some of its secondaries. A secondary without lock or record is rolled back, for
    /// good: from then on the transaction cannot commit.
    pub(crate) fn check_secondaries(&mut self, keys: &[Bytes], start: u64, max_ts: &mut u64) -> Secondaries {
        *max_ts = start.max(*max_ts);
        let mut locks = Vec::new();
        for key in keys {
            match self.lock(key).filter(|lock| lock.start == start) {
                Some(lock) if lock.kind != LockKind::Pessimistic => locks.push((key.clone(), lock.clone())),
                _ => return self.settle_secondary(key, start),
            }
        }
        Secondaries::Locked(locks)
    }

    fn settle_secondary(&mut self, key: &Bytes, start: u64) -> Secondaries {
        if let Fate::Committed(commit) = self.fate(key, start) {
            return Secondaries::Committed(commit);
        }
        self.roll_back_key(key, start, true);
        Secondaries::RolledBack
    }

    /// Lengthens the life of a transaction to at least `ttl` milliseconds from its start.
    ///
    /// # Errors
    /// `TxnNotFound` if its primary is not locked.
    pub(crate) fn heartbeat(&mut self, primary: &Bytes, start: u64, ttl: u64) -> Result<u64, Refusal> {
        let lock = self.rows.get_mut(primary).and_then(|row| row.lock.as_mut());
        let Some(lock) = lock.filter(|lock| lock.start == start) else {
            return Err(Refusal::TxnNotFound { start, primary: primary.clone() });
        };
        lock.ttl = lock.ttl.max(ttl);
        Ok(lock.ttl)
    }
}
