//! Collecting garbage: no server does it in a cluster without a database on top.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use crate::core::Core;
use crate::locks::{Met, Seeker};
use crate::patience::Patience;
use crate::proto::kvrpcpb::{ScanLockRequest, ScanLockResponse};
use crate::range::{KeyRange, after, lesser_end};
use crate::store::Extras;
use crate::{Error, Timestamp};

/// How many locks one request finds.
const LOCKS: u32 = 1024;

/// Ends every transaction that began at `before` or earlier and still has a lock in a range of the cluster's keys: those
/// that have not committed are rolled back. Returns how many locks were found.
pub(crate) async fn resolve_locks(core: &Core, range: KeyRange, before: Timestamp) -> Result<u64, Error> {
    let mut left = range;
    let mut found = 0;
    while !left.is_empty() {
        // Each step has time of its own: the cluster may have any number of regions.
        let mut patience = core.cleanup_patience("resolve_locks");
        let Found { part, locks } = find(core, &left, before, &mut patience).await?;
        found += locks.len() as u64;
        let last = locks.last().map(|lock| lock.key.clone());
        let full = locks.len() >= LOCKS as usize;
        resolve(core, locks, &patience).await?;
        left.start = match last {
            Some(last) if full => after(&last),
            _ if part.end.is_empty() => break,
            _ => part.end,
        };
    }
    Ok(found)
}

/// The first locks of a part that lies in one region.
struct Found {
    part: KeyRange,
    locks: Vec<Met>,
}

async fn find(
    core: &Core,
    left: &KeyRange,
    before: Timestamp,
    patience: &mut Patience,
) -> Result<Found, Error> {
    loop {
        let region = core.sender.directory().region(&left.start, patience).await?;
        let part = KeyRange { start: left.start.clone(), end: lesser_end(&left.end, &region.end) };
        let request = ScanLockRequest {
            max_version: before.into(),
            start_key: part.start.clone(),
            end_key: part.end.clone(),
            limit: LOCKS,
            ..ScanLockRequest::default()
        };
        match core.sender.send(&region, request, patience, Extras::default()).await {
            Ok(reply) => return Ok(Found { part, locks: read(reply)? }),
            Err(failure) => patience.after(failure).await?,
        }
    }
}

fn read(reply: ScanLockResponse) -> Result<Vec<Met>, Error> {
    match reply.error {
        None => Ok(reply.locks.into_iter().map(Met::from).collect()),
        Some(error) => Err(Error::Refused { call: "KvScanLock", reason: format!("{error:?}") }),
    }
}

async fn resolve(core: &Core, locks: Vec<Met>, patience: &Patience) -> Result<(), Error> {
    if locks.is_empty() {
        return Ok(());
    }
    let resolution = core.resolver.resolve(locks, Seeker::Sweeper, patience).await?;
    match resolution.held {
        None => Ok(()),
        Some(held) => {
            let (key, holder) = (core.keyspace.leave(&held.key), held.holder);
            Err(Error::Locked { key, holder, waited: Duration::ZERO })
        }
    }
}

/// Lets stores forget what no state of the last [`retention`](crate::Settings::retention) needs. Returns the safe point:
/// nothing older may be read.
pub(crate) async fn collect(core: &Core) -> Result<Timestamp, Error> {
    let wanted = core.timestamp().await?.before(core.settings.retention);
    let mut patience = core.cleanup_patience("collect_garbage");
    let agreed = core.pd.agreed_safe_point(wanted, &mut patience).await?;
    resolve_locks(core, core.keyspace.everybodys(), agreed).await?;
    core.pd.move_safe_point(agreed, &mut core.cleanup_patience("collect_garbage")).await
}

/// Has every store drop what it holds of a range.
pub(crate) async fn destroy(core: &Arc<Core>, range: KeyRange) -> Result<(), Error> {
    if range.is_empty() {
        return Ok(());
    }
    let mut patience = core.cleanup_patience("destroy_range");
    let stores = core.pd.stores(&mut patience).await?;
    let part = patience.part();
    let destroyed = stores.into_iter().map(|store| {
        let (mut patience, range) = (part.part(), &range);
        async move {
            loop {
                match core.sender.destroy(&store, range, &patience).await {
                    Ok(()) => return Ok(()),
                    Err(failure) => patience.after(failure).await?,
                }
            }
        }
    });
    let destroyed = futures::stream::iter(destroyed).buffer_unordered(core.settings.concurrency);
    destroyed.try_for_each(|()| std::future::ready(Ok(()))).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::kvrpcpb::KeyError;

    #[test]
    fn an_error_is_no_empty_list_of_locks() {
        let reply = ScanLockResponse { error: Some(KeyError::default()), ..Default::default() };
        assert!(matches!(read(reply), Err(Error::Refused { .. })));
        assert_eq!(read(ScanLockResponse::default()), Ok(Vec::new()));
    }
}
