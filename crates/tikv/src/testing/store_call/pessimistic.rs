//! Locks ahead of writes.

use bytes::Bytes;

use super::{Site, StoreCall};
use crate::proto::kvrpcpb::{
    Assertion, Context, KeyError, Op, PessimisticLockRequest, PessimisticLockResponse,
    PessimisticRollbackRequest, PessimisticRollbackResponse,
};
use crate::testing::call::Call;
use crate::testing::convert::key_error;
use crate::testing::deadlock::Wait;
use crate::testing::mvcc::{Abort, PessimisticLock, Refusal};

/// What came of a request for locks.
pub(in crate::testing) enum LockAttempt {
    Done(PessimisticLockResponse),
    /// Somebody holds a key. The wait is one that may be begun; the refusal is what to answer without it.
    Busy(Wait, KeyError),
}

impl LockAttempt {
    pub(in crate::testing) fn refused(error: KeyError) -> PessimisticLockResponse {
        PessimisticLockResponse { errors: vec![error], ..Default::default() }
    }
}

/// Tries to lock, without waiting.
pub(in crate::testing) fn attempt(request: &PessimisticLockRequest, site: &mut Site<'_>) -> LockAttempt {
    let wants = match wants(request) {
        Ok(wants) => wants,
        Err(abort) => return LockAttempt::Done(LockAttempt::refused(key_error(&abort.into()))),
    };
    let (mvcc, max_ts) = site.mvcc_and_max_ts();
    match mvcc.lock_pessimistic(&wants, max_ts) {
        Ok(values) => LockAttempt::Done(locked(request, values)),
        Err(refusal) => {
            let error = key_error(&refusal);
            match refusal {
                Refusal::Locked { key, lock } => {
                    LockAttempt::Busy(Wait { waiter: wants.start, holder: lock.start, key }, error)
                }
                _ => LockAttempt::Done(LockAttempt::refused(error)),
            }
        }
    }
}

fn wants(request: &PessimisticLockRequest) -> Result<PessimisticLock, Abort> {
    let mut keys = Vec::with_capacity(request.mutations.len());
    for mutation in &request.mutations {
        if mutation.op() != Op::PessimisticLock {
            return Err(Abort::UnfitMutation { key: mutation.key.clone() });
        }
        keys.push((mutation.key.clone(), mutation.assertion() == Assertion::NotExist));
    }
    Ok(PessimisticLock {
        keys,
        primary: request.primary_lock.clone(),
        start: request.start_version,
        ttl: request.lock_ttl,
        for_update: request.for_update_ts,
        min_commit: request.min_commit_ts,
        reads: request.return_values || request.check_existence,
        only_if_exists: request.lock_only_if_exists,
    })
}

fn locked(request: &PessimisticLockRequest, values: Vec<Option<Bytes>>) -> PessimisticLockResponse {
    let reads = request.return_values || request.check_existence;
    let not_founds = values.iter().filter(|_| reads).map(Option::is_none).collect();
    let values = values.into_iter().filter(|_| request.return_values).map(Option::unwrap_or_default);
    PessimisticLockResponse { values: values.collect(), not_founds, ..Default::default() }
}

impl StoreCall for PessimisticRollbackRequest {
    const CALL: Call = Call::KvPessimisticRollback;
    type Answer = PessimisticRollbackResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.keys.clone()
    }

    fn apply(self, site: &mut Site<'_>) -> PessimisticRollbackResponse {
        site.mvcc().roll_back_pessimistic(&self.keys, self.start_version, self.for_update_ts);
        PessimisticRollbackResponse::default()
    }
}
