//! Takes locks away that a transaction no longer needs.

use bytes::Bytes;

use crate::core::Core;
use crate::failure::Failure;
use crate::proto::kvrpcpb::{BatchRollbackRequest, PessimisticRollbackRequest};
use crate::spread::{Batch, Portion, spread};
use crate::store::Extras;
use crate::{Error, Timestamp};

/// How many keys one request takes.
const KEYS: usize = 512;

pub(super) fn portion(core: &Core) -> Portion {
    Portion { items: KEYS, bytes: usize::MAX, concurrency: core.settings.concurrency }
}

/// Gives back keys that were held, and leaves no mark.
pub(super) async fn release(core: &Core, start: Timestamp, for_update: Timestamp, keys: Vec<Bytes>) {
    let mut patience = core.cleanup_patience("release");
    let part = patience.part();
    let sent = |batch: Batch<Bytes>| {
        let part = part.part();
        async move {
            let request = PessimisticRollbackRequest {
                start_version: start.into(),
                for_update_ts: for_update.into(),
                keys: batch.items,
                ..PessimisticRollbackRequest::default()
            };
            let reply = core.sender.send(&batch.region, request, &part, Extras::default()).await?;
            done("KVPessimisticRollback", reply.errors.first())
        }
    };
    let released =
        spread(core.sender.directory(), keys, portion(core), &mut patience, |()| false, sent).await;
    if let Err(error) = released {
        tracing::debug!(%start, %error, "held keys are left to their time");
    }
}

/// Rolls keys back, and leaves marks: a write of the same transaction that arrives late is refused.
pub(super) async fn roll_back(core: &Core, start: Timestamp, keys: Vec<Bytes>) {
    let mut patience = core.cleanup_patience("rollback");
    let part = patience.part();
    let sent = |batch: Batch<Bytes>| {
        let part = part.part();
        async move {
            let request = BatchRollbackRequest {
                start_version: start.into(),
                keys: batch.items,
                ..BatchRollbackRequest::default()
            };
            let reply = core.sender.send(&batch.region, request, &part, Extras::default()).await?;
            done("KvBatchRollback", reply.error.as_ref())
        }
    };
    let rolled_back =
        spread(core.sender.directory(), keys, portion(core), &mut patience, |()| false, sent).await;
    if let Err(error) = rolled_back {
        tracing::debug!(%start, %error, "locks are left to their time");
    }
}

fn done(call: &'static str, error: Option<&crate::proto::kvrpcpb::KeyError>) -> Result<(), Failure> {
    match error {
        None => Ok(()),
        Some(error) => Err(Error::Refused { call, reason: format!("{error:?}") }.into()),
    }
}
