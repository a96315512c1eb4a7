//! Signs of life, so that nobody takes a transaction for dead that takes its time.

use std::sync::Arc;

use bytes::Bytes;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

use crate::Timestamp;
use crate::core::Core;
use crate::proto::kvrpcpb::TxnHeartBeatRequest;

/// How many signs of life a lock's time holds.
const BEATS: u32 = 3;

/// Beats in a task of its own until it is dropped.
#[derive(Debug)]
pub(super) struct Heart(AbortHandle);

impl Heart {
    pub(super) fn start(core: Arc<Core>, primary: Bytes, start: Timestamp, begun: Instant) -> Self {
        let runtime = core.runtime.clone();
        Self(runtime.spawn(async move { beat(&core, &primary, start, begun).await }).abort_handle())
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How long locks taken now shall live, in milliseconds from the transaction's start, which was at `begun` or later.
pub(super) fn time_to_live(core: &Core, begun: Instant) -> u64 {
    let ttl = begun.elapsed() + core.settings.lock_ttl;
    u64::try_from(ttl.as_millis()).unwrap_or(u64::MAX)
}

/// Prolongs the lock of a primary again and again, while the transaction is young enough to be committed. Ends when the
/// lock is gone.
pub(super) async fn beat(core: &Core, primary: &Bytes, start: Timestamp, begun: Instant) {
    while begun.elapsed() < core.settings.transaction_age {
        sleep(core.settings.lock_ttl / BEATS).await;
        let request = TxnHeartBeatRequest {
            primary_lock: primary.clone(),
            start_version: start.into(),
            advise_lock_ttl: time_to_live(core, begun),
            ..TxnHeartBeatRequest::default()
        };
        let mut patience = core.pace.patience("heartbeat", core.settings.lock_ttl / BEATS);
        match core.sender.call(primary, request, &mut patience).await {
            // The primary may just not have been written yet.
            Ok(reply) if reply.error.is_some() => tracing::debug!(%start, "no lock to prolong"),
            Ok(_) => {}
            Err(error) => tracing::debug!(%start, %error, "a sign of life was lost"),
        }
    }
}
