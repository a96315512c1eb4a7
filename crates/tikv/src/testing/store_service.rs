//! A store's gRPC service: each call goes through its faults to its region, and back.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tonic::{Request, Response, Status};

use super::call::Call;
use super::convert;
use super::deadlock::Wait;
use super::fault::RegionFault;
use super::journal::Said;
use super::mvcc::{Conflict, ConflictReason, Fate, Refusal};
use super::region_error;
use super::regions::Address;
use super::shared::{Shared, Visit, lost};
use super::state::State;
use super::store_call::{Answer, LockAttempt, Site, StoreCall, attempt};
use crate::proto::errorpb;
use crate::proto::kvrpcpb::{
    BatchGetRequest, BatchGetResponse, BatchRollbackRequest, BatchRollbackResponse,
    CheckSecondaryLocksRequest, CheckSecondaryLocksResponse, CheckTxnStatusRequest, CheckTxnStatusResponse,
    CleanupRequest, CleanupResponse, CommitRequest, CommitResponse, DeleteRangeRequest, DeleteRangeResponse,
    GcRequest, GcResponse, GetRequest, GetResponse, KeyError, PessimisticLockRequest,
    PessimisticLockResponse, PessimisticRollbackRequest, PessimisticRollbackResponse, PrewriteRequest,
    PrewriteResponse, ResolveLockRequest, ResolveLockResponse, ScanLockRequest, ScanLockResponse,
    ScanRequest, ScanResponse, TxnHeartBeatRequest, TxnHeartBeatResponse, UnsafeDestroyRangeRequest,
    UnsafeDestroyRangeResponse,
};
use crate::proto::tikvpb::tikv_server::Tikv;

/// Boxed: most answers hold none, and it is large.
type RegionError = Box<errorpb::Error>;

/// One store.
#[derive(Clone, Debug)]
pub(super) struct StoreService {
    shared: Arc<Shared>,
    id: u64,
}

impl StoreService {
    pub(super) fn new(shared: Arc<Shared>, id: u64) -> Self {
        Self { shared, id }
    }

    async fn serve<R: StoreCall>(&self, request: Request<R>) -> Result<Response<R::Answer>, Status> {
        let request = request.into_inner();
        let address = convert::address(request.context());
        let keys = request.keys();
        let journal = &self.shared.journal;
        let entry = request.ends().and_then(|(transaction, role)| journal.enter(transaction, role));
        let visit = self.arrive(R::CALL, &keys).await?;
        if let Some(error) = self.injected(&visit, address, &keys) {
            journal.answer(entry, Said::by(&error));
            return Ok(Response::new(R::Answer::refused(*error)));
        }
        let done = self.at_region(address, |site| match request.misplaced(&site.region) {
            Some(key) => Err(region_error::key_not_in_region(&key, &site.region).into()),
            None => Ok(request.apply(site)),
        })?;
        let grown = R::CALL == Call::KvCommit || R::CALL == Call::KvPrewrite;
        self.shared.changed(keys.first().map_or(&[], |key| &key[..]), grown);
        let answer = self.undetermined(&visit, address, &keys).map_or(done, Err);
        visit.leave().await?;
        journal.answer(
            entry,
            match &answer {
                Ok(answer) if R::tells_the_end(answer) => Said::TheEnd,
                Ok(_) => Said::Other { in_doubt: false },
                Err(error) => Said::by(error),
            },
        );
        Ok(Response::new(answer.unwrap_or_else(|error| R::Answer::refused(*error))))
    }

    async fn arrive(&self, call: Call, keys: &[Bytes]) -> Result<Visit, Status> {
        let visit = self.shared.arrive(call, Some(self.id), keys).await?;
        match &visit.fails {
            Some(message) => Err(Status::internal(message.clone())),
            None => Ok(visit),
        }
    }

    /// Does work at the region of a request, if this store leads it.
    fn at_region<T>(
        &self,
        address: Address,
        work: impl FnOnce(&mut Site<'_>) -> Result<T, RegionError>,
    ) -> Result<Result<T, RegionError>, Status> {
        let mut state = self.state_if_up()?;
        Ok(match state.regions.route(self.id, address).cloned() {
            Ok(region) => work(&mut Site { state: &mut state, store: self.id, region }),
            Err(misaddressed) => Err(region_error::of_map(misaddressed, self.id, address).into()),
        })
    }

    /// A call that was held while its store went down finds nobody.
    fn state_if_up(&self) -> Result<parking_lot::MutexGuard<'_, State>, Status> {
        let state = self.shared.state();
        let up = state.stores.get(&self.id).is_some_and(|store| store.up);
        if up { Ok(state) } else { Err(lost()) }
    }

    /// The region error that a test wants in place of the call's work.
    fn injected(&self, visit: &Visit, address: Address, keys: &[Bytes]) -> Option<RegionError> {
        let fault = visit.region.as_ref()?;
        let applied = *fault == RegionFault::UndeterminedResult { applied: true };
        (!applied).then(|| self.region_error(fault, address, keys))
    }

    /// The region error that a test wants in place of the call's answer.
    fn undetermined(&self, visit: &Visit, address: Address, keys: &[Bytes]) -> Option<RegionError> {
        visit.region.as_ref().map(|fault| self.region_error(fault, address, keys))
    }

    fn region_error(&self, fault: &RegionFault, address: Address, keys: &[Bytes]) -> RegionError {
        let key = keys.first().cloned().unwrap_or_default();
        region_error::of_fault(fault, &self.shared.state().regions, self.id, address, &key).into()
    }

    async fn lock(&self, request: PessimisticLockRequest) -> Result<PessimisticLockResponse, Status> {
        let address = convert::address(request.context.as_ref());
        let keys: Vec<Bytes> = request.mutations.iter().map(|mutation| mutation.key.clone()).collect();
        let visit = self.arrive(Call::KvPessimisticLock, &keys).await?;
        if let Some(error) = self.injected(&visit, address, &keys) {
            return Ok(PessimisticLockResponse::refused(*error));
        }
        let attempted =
            self.at_region(address, |site| match keys.iter().find(|key| !site.region.contains(key)) {
                Some(key) => Err(region_error::key_not_in_region(key, &site.region).into()),
                None => Ok(attempt(&request, site)),
            })?;
        self.shared.changed(&[], false);
        let answer = match attempted {
            Ok(LockAttempt::Done(answer)) => Ok(answer),
            Ok(LockAttempt::Busy(wait, busy)) => {
                Ok(LockAttempt::refused(self.wait(&request, wait, busy).await))
            }
            Err(error) => Err(error),
        };
        let answer = self.undetermined(&visit, address, &keys).map_or(answer, Err);
        visit.leave().await?;
        Ok(answer.unwrap_or_else(|error| Answer::refused(*error)))
    }

    /// Waits until a key is free. That is answered as a conflict: the client tries again, and then sees what became of
    /// the one who held the key.
    async fn wait(&self, request: &PessimisticLockRequest, wait: Wait, busy: KeyError) -> KeyError {
        let Some(time) = wait_time(request.wait_timeout, self.shared.lock_wait) else {
            return busy;
        };
        let begun = self.shared.state().waits.begin(wait.clone());
        if let Err(chain) = begun {
            return convert::deadlock_error(&wait, &chain);
        }
        self.shared.changed(&[], false);
        let _waiting = Waiting { shared: &self.shared, waiter: wait.waiter };
        if tokio::time::timeout(time, self.released(&wait)).await.is_err() {
            return busy;
        }
        let fate = self.shared.state().mvcc.fate(&wait.key, wait.holder);
        let conflict_commit = if let Fate::Committed(commit) = fate { commit } else { 0 };
        convert::key_error(&Refusal::from(Conflict {
            start: wait.waiter,
            conflict_start: wait.holder,
            conflict_commit,
            key: wait.key.clone(),
            primary: request.primary_lock.clone(),
            reason: ConflictReason::PessimisticRetry,
        }))
    }

    async fn released(&self, wait: &Wait) {
        let mut changes = self.shared.changes();
        while self.shared.state().mvcc.holder(&wait.key) == Some(wait.holder) {
            let changed = changes.changed().await.is_ok();
            assert!(changed, "the sender is borrowed here, so it is not gone");
        }
    }

    async fn destroy(
        &self,
        request: UnsafeDestroyRangeRequest,
    ) -> Result<UnsafeDestroyRangeResponse, Status> {
        let visit = self.arrive(Call::UnsafeDestroyRange, std::slice::from_ref(&request.start_key)).await?;
        self.destroy_what_is_led(&request)?;
        self.shared.changed(&[], false);
        visit.leave().await?;
        Ok(UnsafeDestroyRangeResponse::default())
    }

    /// A store drops what it has. Rows are shared by all replicas here, so each counts for the leader's store: who does
    /// not ask every store leaves something.
    fn destroy_what_is_led(&self, request: &UnsafeDestroyRangeRequest) -> Result<(), Status> {
        let mut state = self.state_if_up()?;
        let State { mvcc, regions, .. } = &mut *state;
        let range = (&request.start_key[..], &request.end_key[..]);
        let led = regions.iter().filter(|region| region.leader == Some(self.id));
        led.filter_map(|region| region.clip(range)).for_each(|range| mvcc.destroy(range));
        Ok(())
    }
}

/// How long to wait; `None`: not at all.
fn wait_time(asked: i64, most: Duration) -> Option<Duration> {
    match u64::try_from(asked) {
        Err(_) => None,
        Ok(0) => Some(most),
        Ok(milliseconds) => Some(most.min(Duration::from_millis(milliseconds))),
    }
}

/// Keeps a wait known until it ends, also if its caller goes away.
struct Waiting<'a> {
    shared: &'a Shared,
    waiter: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.shared.state().waits.end(self.waiter);
        self.shared.changed(&[], false);
    }
}

type Reply<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl Tikv for StoreService {
    async fn kv_get(&self, request: Request<GetRequest>) -> Reply<GetResponse> {
        self.serve(request).await
    }

    async fn kv_scan(&self, request: Request<ScanRequest>) -> Reply<ScanResponse> {
        self.serve(request).await
    }

    async fn kv_prewrite(&self, request: Request<PrewriteRequest>) -> Reply<PrewriteResponse> {
        self.serve(request).await
    }

    async fn kv_pessimistic_lock(
        &self,
        request: Request<PessimisticLockRequest>,
    ) -> Reply<PessimisticLockResponse> {
        self.lock(request.into_inner()).await.map(Response::new)
    }

    async fn kv_pessimistic_rollback(
        &self,
        request: Request<PessimisticRollbackRequest>,
    ) -> Reply<PessimisticRollbackResponse> {
        self.serve(request).await
    }

    async fn kv_txn_heart_beat(&self, request: Request<TxnHeartBeatRequest>) -> Reply<TxnHeartBeatResponse> {
        self.serve(request).await
    }

    async fn kv_check_txn_status(
        &self,
        request: Request<CheckTxnStatusRequest>,
    ) -> Reply<CheckTxnStatusResponse> {
        self.serve(request).await
    }

    async fn kv_check_secondary_locks(
        &self,
        request: Request<CheckSecondaryLocksRequest>,
    ) -> Reply<CheckSecondaryLocksResponse> {
        self.serve(request).await
    }

    async fn kv_commit(&self, request: Request<CommitRequest>) -> Reply<CommitResponse> {
        self.serve(request).await
    }

    async fn kv_cleanup(&self, request: Request<CleanupRequest>) -> Reply<CleanupResponse> {
        self.serve(request).await
    }

    async fn kv_batch_get(&self, request: Request<BatchGetRequest>) -> Reply<BatchGetResponse> {
        self.serve(request).await
    }

    async fn kv_batch_rollback(
        &self,
        request: Request<BatchRollbackRequest>,
    ) -> Reply<BatchRollbackResponse> {
        self.serve(request).await
    }

    async fn kv_scan_lock(&self, request: Request<ScanLockRequest>) -> Reply<ScanLockResponse> {
        self.serve(request).await
    }

    async fn kv_resolve_lock(&self, request: Request<ResolveLockRequest>) -> Reply<ResolveLockResponse> {
        self.serve(request).await
    }

    async fn kv_gc(&self, request: Request<GcRequest>) -> Reply<GcResponse> {
        self.serve(request).await
    }

    async fn kv_delete_range(&self, request: Request<DeleteRangeRequest>) -> Reply<DeleteRangeResponse> {
        self.serve(request).await
    }

    async fn unsafe_destroy_range(
        &self,
        request: Request<UnsafeDestroyRangeRequest>,
    ) -> Reply<UnsafeDestroyRangeResponse> {
        self.destroy(request.into_inner()).await.map(Response::new)
    }
}
