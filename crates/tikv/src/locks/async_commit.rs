//! Async commits of other clients: committed once every key is locked, so whoever finds one abandoned asks every key.
//!
//! This client writes none; it shares clusters with clients that do.

use crate::failure::Failure;
use crate::patience::Patience;
use crate::proto::kvrpcpb::{CheckSecondaryLocksRequest, CheckSecondaryLocksResponse, LockInfo};
use crate::spread::{Batch, Portion, spread};
use crate::store::{Extras, Sender};
use crate::{Error, Timestamp};

/// What the keys of an abandoned async commit say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// It was committed then, or never will be.
    Ended(Option<Timestamp>),
    /// A store has turned it into an ordinary commit: the primary decides alone.
    Ordinary,
}

/// Asks every secondary key of the transaction of a primary's lock. A key that was never locked can not be any more after
/// that.
pub(super) async fn recover(
    sender: &Sender,
    primary: &LockInfo,
    portion: Portion,
    patience: &mut Patience,
) -> Result<Found, Error> {
    let part = patience.part();
    let asked = |batch: Batch<_>| {
        let part = part.part();
        async move {
            let request = CheckSecondaryLocksRequest {
                keys: batch.items.clone(),
                start_version: primary.lock_version,
                ..CheckSecondaryLocksRequest::default()
            };
            let reply = sender.send(&batch.region, request, &part, Extras::default()).await?;
            if let Some(error) = &reply.error {
                let reason = format!("{error:?}");
                return Err(Failure::Never(Error::Refused { call: "KvCheckSecondaryLocks", reason }));
            }
            Ok((batch.items.len(), reply))
        }
    };
    let keys = primary.secondaries.clone();
    let replies = spread(sender.directory(), keys, portion, patience, |_| false, asked).await?;
    Ok(conclude(primary, &replies))
}

/// Concludes from the answers of all secondaries: how many keys each was asked for, and what was said.
fn conclude(primary: &LockInfo, replies: &[(usize, CheckSecondaryLocksResponse)]) -> Found {
    let committed = replies.iter().map(|(_, reply)| reply.commit_ts).find(|&commit| commit != 0);
    if let Some(commit) = committed {
        return Found::Ended(Some(commit.into()));
    }
    if replies.iter().any(|(keys, reply)| reply.locks.len() < *keys) {
        return Found::Ended(None);
    }
    let mut locks = replies.iter().flat_map(|(_, reply)| &reply.locks);
    if locks.clone().any(|lock| !lock.use_async_commit) {
        return Found::Ordinary;
    }
    let commit = locks.by_ref().map(|lock| lock.min_commit_ts).max().unwrap_or(0);
    Found::Ended(Some(commit.max(primary.min_commit_ts).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(min_commit_ts: u64, use_async_commit: bool) -> LockInfo {
        LockInfo { min_commit_ts, use_async_commit, ..Default::default() }
    }

    fn reply(keys: usize, locks: Vec<LockInfo>, commit_ts: u64) -> (usize, CheckSecondaryLocksResponse) {
        (keys, CheckSecondaryLocksResponse { locks, commit_ts, ..Default::default() })
    }

    #[test]
    fn all_keys_locked_is_committed_at_the_latest_of_their_timestamps() {
        let replies = [reply(1, vec![lock(9, true)], 0), reply(1, vec![lock(7, true)], 0)];
        assert_eq!(conclude(&lock(8, true), &replies), Found::Ended(Some(Timestamp::from(9))));
        assert_eq!(conclude(&lock(8, true), &[]), Found::Ended(Some(Timestamp::from(8))));
    }

    #[test]
    fn one_key_decides_if_it_is_committed_or_missing() {
        let replies = [reply(2, vec![lock(9, true), lock(9, true)], 0), reply(1, Vec::new(), 6)];
        assert_eq!(conclude(&lock(8, true), &replies), Found::Ended(Some(Timestamp::from(6))));
        let replies = [reply(2, vec![lock(9, true)], 0)];
        assert_eq!(conclude(&lock(8, true), &replies), Found::Ended(None));
    }

    #[test]
    fn an_ordinary_lock_leaves_it_to_the_primary() {
        let replies = [reply(2, vec![lock(9, true), lock(0, false)], 0)];
        assert_eq!(conclude(&lock(8, true), &replies), Found::Ordinary);
    }
}
