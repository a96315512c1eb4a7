//! What garbage collection asks of a store.

use bytes::Bytes;

use super::{Site, StoreCall};
use crate::proto::kvrpcpb::{
    Context, DeleteRangeRequest, DeleteRangeResponse, GcRequest, GcResponse, ScanLockRequest,
    ScanLockResponse,
};
use crate::testing::call::Call;
use crate::testing::convert::lock_info;
use crate::testing::regions::Region;

/// Where a walk begins, if it is outside of the region; with the empty key it begins wherever the region does.
fn misplaced_start(start: &Bytes, region: &Region) -> Option<Bytes> {
    let fits = start.is_empty() || region.contains(start);
    (!fits).then(|| start.clone())
}

impl StoreCall for ScanLockRequest {
    const CALL: Call = Call::KvScanLock;
    type Answer = ScanLockResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.start_key.clone()]
    }

    fn misplaced(&self, region: &Region) -> Option<Bytes> {
        misplaced_start(&self.start_key, region)
    }

    fn apply(self, site: &mut Site<'_>) -> ScanLockResponse {
        site.saw(self.max_version);
        let Some(range) = site.region.clip((&self.start_key, &self.end_key)) else {
            return ScanLockResponse::default();
        };
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let locks = site.state.mvcc.scan_locks(range, self.max_version, limit);
        let locks = locks.iter().map(|(key, lock)| lock_info(key, lock)).collect();
        ScanLockResponse { locks, ..Default::default() }
    }
}

impl StoreCall for GcRequest {
    const CALL: Call = Call::KvGc;
    type Answer = GcResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        Vec::new()
    }

    fn apply(self, site: &mut Site<'_>) -> GcResponse {
        let range = (&site.region.start[..], &site.region.end[..]);
        site.state.mvcc.collect_garbage(range, self.safe_point);
        GcResponse::default()
    }
}

impl StoreCall for DeleteRangeRequest {
    const CALL: Call = Call::KvDeleteRange;
    type Answer = DeleteRangeResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.start_key.clone()]
    }

    fn misplaced(&self, region: &Region) -> Option<Bytes> {
        misplaced_start(&self.start_key, region)
    }

    fn apply(self, site: &mut Site<'_>) -> DeleteRangeResponse {
        let range = site.region.clip((&self.start_key, &self.end_key)).filter(|_| !self.notify_only);
        if let Some(range) = range {
            site.state.mvcc.destroy(range);
        }
        DeleteRangeResponse::default()
    }
}
