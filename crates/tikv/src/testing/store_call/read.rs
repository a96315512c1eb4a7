//! Reads.

use bytes::Bytes;

use super::{Site, StoreCall};
use crate::proto::kvrpcpb::{
    BatchGetRequest, BatchGetResponse, Context, GetRequest, GetResponse, KvPair, ScanRequest, ScanResponse,
};
use crate::testing::call::Call;
use crate::testing::convert::key_error;
use crate::testing::mvcc::{Refusal, Scan, View};
use crate::testing::regions::Region;

fn view(context: Option<&Context>, at: u64) -> View {
    let context = context.cloned().unwrap_or_default();
    View { at, resolved: context.resolved_locks, committed: context.committed_locks }
}

fn pair((key, value): (Bytes, Result<Bytes, Refusal>)) -> KvPair {
    match value {
        Ok(value) => KvPair { key, value, error: None },
        Err(refusal) => KvPair { key, value: Bytes::new(), error: Some(key_error(&refusal)) },
    }
}

impl StoreCall for GetRequest {
    const CALL: Call = Call::KvGet;
    type Answer = GetResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.key.clone()]
    }

    fn apply(self, site: &mut Site<'_>) -> GetResponse {
        site.saw(self.version);
        match site.mvcc().get(&self.key, &view(self.context.as_ref(), self.version)) {
            Ok(Some(value)) => GetResponse { value, ..Default::default() },
            Ok(None) => GetResponse { not_found: true, ..Default::default() },
            Err(refusal) => GetResponse { error: Some(key_error(&refusal)), ..Default::default() },
        }
    }
}

impl StoreCall for BatchGetRequest {
    const CALL: Call = Call::KvBatchGet;
    type Answer = BatchGetResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.keys.clone()
    }

    fn apply(self, site: &mut Site<'_>) -> BatchGetResponse {
        site.saw(self.version);
        let view = view(self.context.as_ref(), self.version);
        let read = |key: Bytes| site.mvcc().get(&key, &view).transpose().map(|value| pair((key, value)));
        BatchGetResponse { pairs: self.keys.into_iter().filter_map(read).collect(), ..Default::default() }
    }
}

impl StoreCall for ScanRequest {
    const CALL: Call = Call::KvScan;
    type Answer = ScanResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.start_key.clone()]
    }

    /// The walk begins at a key of the region, or at its end.
    fn misplaced(&self, region: &Region) -> Option<Bytes> {
        let at_end = !region.end.is_empty() && self.start_key == region.end;
        let fits = region.contains(&self.start_key) || at_end;
        (!fits).then(|| self.start_key.clone())
    }

    fn apply(self, site: &mut Site<'_>) -> ScanResponse {
        site.saw(self.version);
        // Backwards the empty key is no key above all others, but the least: nothing lies below it.
        if self.reverse && self.start_key.is_empty() {
            return ScanResponse::default();
        }
        let (start, end) =
            if self.reverse { (&self.end_key, &self.start_key) } else { (&self.start_key, &self.end_key) };
        let Some(range) = site.region.clip((start, end)) else {
            return ScanResponse::default();
        };
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let scan = Scan { range, limit, reverse: self.reverse, key_only: self.key_only };
        let pairs = site.state.mvcc.scan(scan, &view(self.context.as_ref(), self.version));
        ScanResponse { pairs: pairs.into_iter().map(pair).collect(), ..Default::default() }
    }
}
