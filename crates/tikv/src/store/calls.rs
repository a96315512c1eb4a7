//! The calls of a store that are addressed to a region, in one shape.

use tonic::transport::Channel;
use tonic::{Request, Response, Status};

use crate::proto::errorpb;
use crate::proto::kvrpcpb::{self as kv, Context};
use crate::proto::tikvpb::tikv_client::TikvClient;

/// A request to one region.
pub(crate) trait RegionRequest: Clone + Send + Sync + 'static {
    /// What is answered.
    type Reply: RegionReply;
    /// The call's name in errors and metrics.
    const CALL: &'static str;

    /// Addresses the request.
    fn address(&mut self, context: Context);

    /// Sends it.
    fn send(
        request: Request<Self>,
        client: &mut TikvClient<Channel>,
    ) -> impl Future<Output = Result<Response<Self::Reply>, Status>> + Send;
}

/// An answer of a region.
pub(crate) trait RegionReply: Send + 'static {
    /// Takes out why the region could not serve the request, if so.
    fn take_region_error(&mut self) -> Option<errorpb::Error>;
}

macro_rules! calls {
    ($($name:literal $call:ident: $request:ident -> $reply:ident),* $(,)?) => {
        $(
            impl RegionRequest for kv::$request {
                type Reply = kv::$reply;
                const CALL: &'static str = $name;

                fn address(&mut self, context: Context) {
                    self.context = Some(context);
                }

                async fn send(
                    request: Request<Self>,
                    client: &mut TikvClient<Channel>,
                ) -> Result<Response<Self::Reply>, Status> {
                    client.$call(request).await
                }
            }

            impl RegionReply for kv::$reply {
                fn take_region_error(&mut self) -> Option<errorpb::Error> {
                    self.region_error.take()
                }
            }
        )*
    };
}

calls!(
    "KvGet" kv_get: GetRequest -> GetResponse,
    "KvBatchGet" kv_batch_get: BatchGetRequest -> BatchGetResponse,
    "KvScan" kv_scan: ScanRequest -> ScanResponse,
    "KvPrewrite" kv_prewrite: PrewriteRequest -> PrewriteResponse,
    "KvCommit" kv_commit: CommitRequest -> CommitResponse,
    "KvBatchRollback" kv_batch_rollback: BatchRollbackRequest -> BatchRollbackResponse,
    "KvPessimisticLock" kv_pessimistic_lock: PessimisticLockRequest -> PessimisticLockResponse,
    "KVPessimisticRollback" kv_pessimistic_rollback: PessimisticRollbackRequest -> PessimisticRollbackResponse,
    "KvTxnHeartBeat" kv_txn_heart_beat: TxnHeartBeatRequest -> TxnHeartBeatResponse,
    "KvCheckTxnStatus" kv_check_txn_status: CheckTxnStatusRequest -> CheckTxnStatusResponse,
    "KvCheckSecondaryLocks" kv_check_secondary_locks: CheckSecondaryLocksRequest -> CheckSecondaryLocksResponse,
    "KvResolveLock" kv_resolve_lock: ResolveLockRequest -> ResolveLockResponse,
    "KvScanLock" kv_scan_lock: ScanLockRequest -> ScanLockResponse,
);
