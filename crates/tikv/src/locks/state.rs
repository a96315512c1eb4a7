//! What the key that decides about a transaction says of it.

use std::time::Duration;

use super::Met;
use crate::proto::kvrpcpb::{CheckTxnStatusResponse, KeyError, LockInfo};
use crate::{Error, Timestamp};

/// A transaction, seen from one of its locks.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum State {
    Committed(Timestamp),
    RolledBack,
    /// It may still commit.
    Alive {
        /// When it will be dead, unless it is heard of.
        left: Duration,
        /// It will not commit at or before this.
        floor: Timestamp,
    },
    /// An async commit whose client is dead: all its keys decide together.
    Abandoned(Box<LockInfo>),
}

/// The call that tells, for errors.
pub(super) const CALL: &str = "KvCheckTxnStatus";
/// How long a transaction is left alone whose lock does not tell when it ends.
const SHORTLY: Duration = Duration::from_millis(5);

/// Reads the answer to a question asked at `now` about the transaction of `lock`.
pub(super) fn read(reply: CheckTxnStatusResponse, lock: &Met, now: Timestamp) -> Result<State, Error> {
    if let Some(error) = reply.error {
        return read_error(&error, lock, now);
    }
    if reply.commit_version != 0 {
        return Ok(State::Committed(reply.commit_version.into()));
    }
    let Some(primary) = reply.lock_info else {
        return Ok(if reply.lock_ttl == 0 {
            State::RolledBack
        } else {
            alive(lock.start.left_of(reply.lock_ttl, now), 0)
        });
    };
    let left = lock.start.left_of(reply.lock_ttl.max(primary.lock_ttl), now);
    if primary.use_async_commit && left.is_none() {
        return Ok(State::Abandoned(Box::new(primary)));
    }
    Ok(alive(left, primary.min_commit_ts))
}

/// `min_commit_ts` is the first timestamp at which the transaction may commit; 0: it does not tell.
fn alive(left: Option<Duration>, min_commit_ts: u64) -> State {
    State::Alive { left: left.unwrap_or(SHORTLY), floor: min_commit_ts.saturating_sub(1).into() }
}

fn read_error(error: &KeyError, lock: &Met, now: Timestamp) -> Result<State, Error> {
    let left = lock.start.left_of(lock.ttl, now);
    // Its primary has not been written yet.
    if error.txn_not_found.is_some() {
        return Ok(alive(left, 0));
    }
    // A lock left over from when another key was to decide.
    if error.primary_mismatch.is_some() && lock.pessimistic {
        return Ok(if left.is_none() { State::RolledBack } else { alive(left, 0) });
    }
    Err(Error::Malformed { call: CALL, what: format!("{error:?}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::kvrpcpb::{PrimaryMismatch, TxnNotFound};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_parts(ms, 0).unwrap()
    }

    fn lock(pessimistic: bool) -> Met {
        let (key, primary) = ("k".into(), "p".into());
        Met { key, primary, start: at(1000), ttl: 100, for_update: Timestamp::default(), pessimistic }
    }

    fn failed(error: KeyError) -> CheckTxnStatusResponse {
        CheckTxnStatusResponse { error: Some(error), ..Default::default() }
    }

    #[test]
    fn the_primary_tells_what_became_of_a_transaction() {
        let told = |reply| read(reply, &lock(false), at(1040)).unwrap();
        let committed = CheckTxnStatusResponse { commit_version: 9, ..Default::default() };
        assert_eq!(told(committed), State::Committed(Timestamp::from(9)));
        assert_eq!(told(CheckTxnStatusResponse::default()), State::RolledBack);
        let primary = LockInfo { lock_ttl: 200, min_commit_ts: 8, ..Default::default() };
        let locked = CheckTxnStatusResponse { lock_ttl: 200, lock_info: Some(primary), ..Default::default() };
        let left = Duration::from_millis(161);
        assert_eq!(told(locked), State::Alive { left, floor: Timestamp::from(7) });
    }

    #[test]
    fn an_async_commit_is_abandoned_once_its_time_is_over() {
        let primary = LockInfo { lock_ttl: 50, use_async_commit: true, ..Default::default() };
        let reply =
            CheckTxnStatusResponse { lock_ttl: 50, lock_info: Some(primary.clone()), ..Default::default() };
        assert!(matches!(read(reply.clone(), &lock(false), at(1050)), Ok(State::Alive { .. })));
        assert_eq!(read(reply, &lock(false), at(1051)), Ok(State::Abandoned(Box::new(primary))));
    }

    #[test]
    fn a_primary_not_written_yet_is_waited_for() {
        let missing = failed(KeyError { txn_not_found: Some(TxnNotFound::default()), ..Default::default() });
        let alive = read(missing, &lock(false), at(1040));
        assert_eq!(alive, Ok(State::Alive { left: Duration::from_millis(61), floor: Timestamp::default() }));
    }

    #[test]
    fn a_lock_of_another_primary_dies_with_its_time_if_it_only_kept_others_out() {
        let mismatch =
            failed(KeyError { primary_mismatch: Some(PrimaryMismatch::default()), ..Default::default() });
        assert!(matches!(read(mismatch.clone(), &lock(true), at(1040)), Ok(State::Alive { .. })));
        assert_eq!(read(mismatch.clone(), &lock(true), at(1101)), Ok(State::RolledBack));
        assert!(matches!(read(mismatch, &lock(false), at(1101)), Err(Error::Malformed { .. })));
    }
}
