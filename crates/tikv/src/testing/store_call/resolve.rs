//! What readers do about transactions they meet.

use bytes::Bytes;

use super::{Site, StoreCall};
use crate::proto::kvrpcpb::{
    CheckSecondaryLocksRequest, CheckSecondaryLocksResponse, CheckTxnStatusRequest, CheckTxnStatusResponse,
    CleanupRequest, CleanupResponse, Context, ResolveLockRequest, ResolveLockResponse,
};
use crate::testing::call::Call;
use crate::testing::convert::{action, key_error, lock_info};
use crate::testing::journal::Role;
use crate::testing::mvcc::{Abort, CheckTxn, Refusal, Secondaries, TxnStatus};

impl StoreCall for CheckTxnStatusRequest {
    const CALL: Call = Call::KvCheckTxnStatus;
    type Answer = CheckTxnStatusResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.primary_key.clone()]
    }

    /// At the greatest of all times every transaction is over.
    fn ends(&self) -> Option<(u64, Role)> {
        (self.current_ts == u64::MAX).then_some((self.lock_ts, Role::Settles))
    }

    fn tells_the_end(answer: &CheckTxnStatusResponse) -> bool {
        answer.error.is_none() && answer.lock_ttl == 0
    }

    fn apply(self, site: &mut Site<'_>) -> CheckTxnStatusResponse {
        let check = CheckTxn {
            primary: self.primary_key,
            start: self.lock_ts,
            caller: self.caller_start_ts,
            current: self.current_ts,
            rollback_if_missing: self.rollback_if_not_exist,
            force_sync_commit: self.force_sync_commit,
            resolving_pessimistic: self.resolving_pessimistic_lock,
            verify_primary: self.verify_is_primary,
        };
        for seen in [check.start, check.caller, check.current] {
            site.saw(seen);
        }
        let answer = CheckTxnStatusResponse::default();
        match site.mvcc().check_txn(&check) {
            Ok(TxnStatus::Committed(commit_version)) => CheckTxnStatusResponse { commit_version, ..answer },
            Ok(TxnStatus::RolledBack(done)) => {
                CheckTxnStatusResponse { action: action(done).into(), ..answer }
            }
            Ok(TxnStatus::Locked(lock, done)) => CheckTxnStatusResponse {
                lock_ttl: lock.ttl,
                action: action(done).into(),
                lock_info: Some(lock_info(&check.primary, &lock)),
                ..answer
            },
            Err(refusal) => CheckTxnStatusResponse { error: Some(key_error(&refusal)), ..answer },
        }
    }
}

impl StoreCall for CheckSecondaryLocksRequest {
    const CALL: Call = Call::KvCheckSecondaryLocks;
    type Answer = CheckSecondaryLocksResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.keys.clone()
    }

    fn apply(self, site: &mut Site<'_>) -> CheckSecondaryLocksResponse {
        let (mvcc, max_ts) = site.mvcc_and_max_ts();
        let answer = CheckSecondaryLocksResponse::default();
        match mvcc.check_secondaries(&self.keys, self.start_version, max_ts) {
            Secondaries::Locked(locks) => CheckSecondaryLocksResponse {
                locks: locks.iter().map(|(key, lock)| lock_info(key, lock)).collect(),
                ..answer
            },
            Secondaries::Committed(commit_ts) => CheckSecondaryLocksResponse { commit_ts, ..answer },
            Secondaries::RolledBack => answer,
        }
    }
}

impl StoreCall for CleanupRequest {
    const CALL: Call = Call::KvCleanup;
    type Answer = CleanupResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.key.clone()]
    }

    fn apply(self, site: &mut Site<'_>) -> CleanupResponse {
        match site.mvcc().clean_up(&self.key, self.start_version, self.current_ts) {
            Ok(()) => CleanupResponse::default(),
            Err(Refusal::Abort(Abort::Committed { commit, .. })) => {
                CleanupResponse { commit_version: commit, ..Default::default() }
            }
            Err(refusal) => CleanupResponse { error: Some(key_error(&refusal)), ..Default::default() },
        }
    }
}

impl StoreCall for ResolveLockRequest {
    const CALL: Call = Call::KvResolveLock;
    type Answer = ResolveLockResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.keys.clone()
    }

    fn apply(self, site: &mut Site<'_>) -> ResolveLockResponse {
        let error = resolve(&self, site).err();
        ResolveLockResponse { error: error.as_ref().map(key_error), ..Default::default() }
    }
}

fn resolve(request: &ResolveLockRequest, site: &mut Site<'_>) -> Result<(), Refusal> {
    let region = site.region.clone();
    let range = (&region.start[..], &region.end[..]);
    if !request.txn_infos.is_empty() {
        let mut txns = request.txn_infos.iter();
        return txns.try_for_each(|txn| site.mvcc().resolve_range(range, txn.txn, txn.status));
    }
    if request.keys.is_empty() {
        return site.mvcc().resolve_range(range, request.start_version, request.commit_version);
    }
    site.mvcc().resolve(&request.keys, request.start_version, request.commit_version)
}
