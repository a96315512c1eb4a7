//! Locks taken ahead of the writes.

use bytes::Bytes;

use super::row::Row;
use super::{Abort, Conflict, ConflictReason, Lock, LockKind, Mvcc, Refusal};

/// A request for locks. Keys come with whether they must be new.
#[derive(Clone, Debug, Default)]
pub(crate) struct PessimisticLock {
    pub(crate) keys: Vec<(Bytes, bool)>,
    pub(crate) primary: Bytes,
    pub(crate) start: u64,
    pub(crate) ttl: u64,
    pub(crate) for_update: u64,
    pub(crate) min_commit: u64,
    /// The answer's values, or at least which keys have one, are wanted.
    pub(crate) reads: bool,
    /// A key without a value is not locked; needs `reads`.
    pub(crate) only_if_exists: bool,
}

impl Mvcc {
    /// Locks keys, all or none, and returns their values as of `for_update`, in order.
    ///
    /// # Errors
    /// The first refusal. `Locked` may be waited out.
    pub(crate) fn lock_pessimistic(
        &mut self,
        request: &PessimisticLock,
        max_ts: &mut u64,
    ) -> Result<Vec<Option<Bytes>>, Refusal> {
        let mut values = Vec::with_capacity(request.keys.len());
        for (key, must_be_new) in &request.keys {
            if request.reads || *must_be_new {
                *max_ts = request.for_update.max(*max_ts);
            }
            values.push(self.check_pessimistic(request, key, *must_be_new)?);
        }
        for ((key, _), value) in request.keys.iter().zip(&values) {
            if !request.only_if_exists || value.is_some() {
                self.write_pessimistic(request, key);
            }
        }
        Ok(values)
    }

    fn check_pessimistic(
        &self,
        request: &PessimisticLock,
        key: &Bytes,
        must_be_new: bool,
    ) -> Result<Option<Bytes>, Refusal> {
        let start = request.start;
        if request.only_if_exists && !request.reads {
            return Err(Abort::LockIfExistsWithoutValue { key: key.clone() }.into());
        }
        let Some(row) = self.row(key) else {
            return Ok(None);
        };
        match &row.lock {
            Some(lock) if lock.start != start => return Err(Refusal::locked(key, lock)),
            Some(lock) if lock.kind != LockKind::Pessimistic => {
                return Err(Abort::LockTypeNotMatch { start, key: key.clone() }.into());
            }
            Some(_) => {}
            None => check_free(request, key, row)?,
        }
        let value = row.value(request.for_update);
        if must_be_new && value.is_some() {
            return Err(Refusal::AlreadyExists { key: key.clone() });
        }
        Ok(value.cloned())
    }

    fn write_pessimistic(&mut self, request: &PessimisticLock, key: &Bytes) {
        let row = self.row_mut(key);
        // Done again, it only moves forward.
        if row.lock.as_ref().is_some_and(|lock| lock.for_update >= request.for_update) {
            return;
        }
        row.lock = Some(Lock {
            primary: request.primary.clone(),
            start: request.start,
            ttl: request.ttl,
            kind: LockKind::Pessimistic,
            value: Bytes::new(),
            for_update: request.for_update,
            txn_size: 0,
            min_commit: request.min_commit,
            secondaries: None,
        });
    }
}

/// The rules for a key that nobody holds.
fn check_free(request: &PessimisticLock, key: &Bytes, row: &Row) -> Result<(), Refusal> {
    let start = request.start;
    let newer = row.newest().filter(|&(commit, _)| commit > request.for_update);
    if let Some((conflict_commit, write)) = newer {
        return Err(Conflict {
            start,
            conflict_start: write.start,
            conflict_commit,
            key: key.clone(),
            primary: request.primary.clone(),
            reason: ConflictReason::PessimisticRetry,
        }
        .into());
    }
    if row.rolled_back(start) {
        return Err(Abort::PessimisticLockRolledBack { start, key: key.clone() }.into());
    }
    Ok(())
}
