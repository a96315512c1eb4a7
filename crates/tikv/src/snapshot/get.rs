//! The values of keys.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::Obstacle;
use crate::core::Core;
use crate::failure::Failure;
use crate::locks::{Met, Seeker};
use crate::patience::Patience;
use crate::proto::kvrpcpb::{BatchGetRequest, BatchGetResponse, GetRequest, KeyError};
use crate::spread::{Batch, Portion, spread};
use crate::store::Extras;
use crate::{Error, Timestamp};

/// The value of a key.
pub(super) async fn get(core: &Core, at: Timestamp, key: Bytes) -> Result<Option<Bytes>, Error> {
    let mut patience = core.read_patience("get");
    let mut obstacle = Obstacle::new(Seeker::Reader(at));
    loop {
        let region = core.sender.directory().region(&key, &mut patience).await?;
        let request = GetRequest { key: key.clone(), version: at.into(), ..GetRequest::default() };
        let reply = match core.sender.send(&region, request, &patience, obstacle.extras()).await {
            Ok(reply) => reply,
            Err(failure) => {
                patience.after(failure).await?;
                continue;
            }
        };
        match reply.error {
            None => return Ok((!reply.not_found).then_some(reply.value)),
            Some(error) => {
                let lock = lock_of("KvGet", error)?;
                obstacle.clear(core, vec![lock], &mut patience).await?;
            }
        }
    }
}

/// The values of those keys that have one.
pub(super) async fn batch_get(
    core: &Arc<Core>,
    at: Timestamp,
    mut keys: Vec<Bytes>,
) -> Result<HashMap<Bytes, Bytes>, Error> {
    let mut patience = core.read_patience("batch_get");
    let mut obstacle = Obstacle::new(Seeker::Reader(at));
    let mut values = HashMap::with_capacity(keys.len());
    let portion =
        Portion { items: core.settings.get_batch, bytes: usize::MAX, concurrency: core.settings.concurrency };
    keys.sort_unstable();
    keys.dedup();
    while !keys.is_empty() {
        let part = patience.part();
        let send = |batch| get_batch(core, at, batch, part.part(), obstacle.extras());
        let answers = spread(core.sender.directory(), keys, portion, &mut patience, |_| false, send).await?;
        let mut locks = Vec::new();
        for answer in answers {
            values.extend(answer.values);
            locks.extend(answer.locks);
        }
        keys = locks.iter().map(|lock: &Met| lock.key.clone()).collect();
        if !locks.is_empty() {
            obstacle.clear(core, locks, &mut patience).await?;
        }
    }
    Ok(values)
}

/// What one request read.
struct Answer {
    values: Vec<(Bytes, Bytes)>,
    /// Locks of the keys that could not be read.
    locks: Vec<Met>,
}

async fn get_batch(
    core: &Core,
    at: Timestamp,
    batch: Batch<Bytes>,
    patience: Patience,
    extras: Extras,
) -> Result<Answer, Failure> {
    let request =
        BatchGetRequest { keys: batch.items.clone(), version: at.into(), ..BatchGetRequest::default() };
    let reply = core.sender.send(&batch.region, request, &patience, extras).await?;
    Ok(read(reply, &batch.items)?)
}

/// Takes an answer apart. An error of the whole answer is about one key, but says nothing of the others.
fn read(reply: BatchGetResponse, asked: &[Bytes]) -> Result<Answer, Error> {
    const CALL: &str = "KvBatchGet";
    let mut answer = Answer { values: Vec::with_capacity(reply.pairs.len()), locks: Vec::new() };
    if let Some(error) = reply.error {
        let lock = lock_of(CALL, error)?;
        answer.locks = asked.iter().map(|key| Met { key: key.clone(), ..lock.clone() }).collect();
        return Ok(answer);
    }
    for pair in reply.pairs {
        match pair.error {
            None => answer.values.push((pair.key, pair.value)),
            Some(error) => answer.locks.push(lock_of(CALL, error)?),
        }
    }
    Ok(answer)
}

/// The lock that an error of a key is about: reads meet no other errors.
pub(super) fn lock_of(call: &'static str, error: KeyError) -> Result<Met, Error> {
    match error.locked {
        Some(lock) => Ok(lock.into()),
        None => Err(Error::Refused { call, reason: format!("{error:?}") }),
    }
}
