//! From the engine's words to the protocol's.

use bytes::Bytes;

use super::deadlock::Wait;
use super::mvcc::{Conflict, ConflictReason, Lock, LockKind, Refusal, TxnAction};
use super::regions::{Address, Peer, Region};
use crate::memcomparable;
use crate::proto::kvrpcpb::{
    Action, AlreadyExist, Assertion, AssertionFailed, CommitTsExpired, Context, Deadlock, KeyError, LockInfo,
    Op, PrimaryMismatch, TxnLockNotFound, TxnNotFound, WriteConflict, write_conflict,
};
use crate::proto::{deadlock, metapb};

/// A region as the protocol shows it, with encoded bounds; no bound stays empty.
pub(super) fn region(region: &Region) -> metapb::Region {
    metapb::Region {
        id: region.id,
        start_key: bound(&region.start),
        end_key: bound(&region.end),
        region_epoch: Some(metapb::RegionEpoch { conf_ver: region.conf_version, version: region.version }),
        peers: region.peers.iter().copied().map(peer).collect(),
    }
}

pub(super) fn bound(key: &[u8]) -> Bytes {
    if key.is_empty() { Bytes::new() } else { memcomparable::encode(key).into() }
}

pub(super) fn peer(peer: Peer) -> metapb::Peer {
    metapb::Peer { id: peer.id, store_id: peer.store, ..Default::default() }
}

/// How a context addresses a region; nothing, if it does not.
pub(super) fn address(context: Option<&Context>) -> Address {
    let context = context.cloned().unwrap_or_default();
    let epoch = context.region_epoch.unwrap_or_default();
    let peer = context.peer.unwrap_or_default();
    Address { region: context.region_id, version: epoch.version, peer: peer.id, store: peer.store_id }
}

pub(super) fn lock_info(key: &Bytes, lock: &Lock) -> LockInfo {
    let lock_type = match lock.kind {
        LockKind::Put => Op::Put,
        LockKind::Delete => Op::Del,
        LockKind::Lock => Op::Lock,
        LockKind::Pessimistic => Op::PessimisticLock,
    };
    LockInfo {
        primary_lock: lock.primary.clone(),
        lock_version: lock.start,
        key: key.clone(),
        lock_ttl: lock.ttl,
        txn_size: lock.txn_size,
        lock_type: lock_type.into(),
        lock_for_update_ts: lock.for_update,
        use_async_commit: lock.secondaries.is_some(),
        min_commit_ts: lock.min_commit,
        secondaries: lock.secondaries.clone().unwrap_or_default(),
    }
}

pub(super) fn key_error(refusal: &Refusal) -> KeyError {
    let words = refusal.to_string();
    let error = KeyError::default();
    match refusal {
        Refusal::Locked { key, lock } => KeyError { locked: Some(lock_info(key, lock)), ..error },
        Refusal::WriteConflict(conflict) => {
            KeyError { conflict: Some(write_conflict(conflict)), retryable: words, ..error }
        }
        Refusal::AlreadyExists { key } => {
            KeyError { already_exist: Some(AlreadyExist { key: key.clone() }), ..error }
        }
        &Refusal::CommitExpired { start, attempted, ref key, min_commit } => {
            let expired = CommitTsExpired {
                start_ts: start,
                attempted_commit_ts: attempted,
                key: key.clone(),
                min_commit_ts: min_commit,
            };
            KeyError { commit_ts_expired: Some(expired), ..error }
        }
        Refusal::TxnNotFound { start, primary } => {
            let not_found = TxnNotFound { start_ts: *start, primary_key: primary.clone() };
            KeyError { txn_not_found: Some(not_found), ..error }
        }
        Refusal::TxnLockNotFound { key, .. } => {
            let not_found = TxnLockNotFound { key: key.clone() };
            KeyError { txn_lock_not_found: Some(not_found), retryable: words, ..error }
        }
        Refusal::AssertionFailed { start, key, must_exist, existing } => {
            let assertion = if *must_exist { Assertion::Exist } else { Assertion::NotExist };
            let (existing_start_ts, existing_commit_ts) = existing.unwrap_or_default();
            let failed = AssertionFailed {
                start_ts: *start,
                key: key.clone(),
                assertion: assertion.into(),
                existing_start_ts,
                existing_commit_ts,
            };
            KeyError { assertion_failed: Some(failed), ..error }
        }
        Refusal::PrimaryMismatch { key, lock } => {
            let mismatch = PrimaryMismatch { lock_info: Some(lock_info(key, lock)) };
            KeyError { primary_mismatch: Some(mismatch), ..error }
        }
        Refusal::Abort(_) => KeyError { abort: words, ..error },
    }
}

fn write_conflict(conflict: &Conflict) -> WriteConflict {
    let reason = match conflict.reason {
        ConflictReason::Optimistic => write_conflict::Reason::Optimistic,
        ConflictReason::PessimisticRetry => write_conflict::Reason::PessimisticRetry,
        ConflictReason::SelfRolledBack => write_conflict::Reason::SelfRolledBack,
        ConflictReason::LazyUniquenessCheck => write_conflict::Reason::LazyUniquenessCheck,
    };
    WriteConflict {
        start_ts: conflict.start,
        conflict_ts: conflict.conflict_start,
        key: conflict.key.clone(),
        primary: conflict.primary.clone(),
        conflict_commit_ts: conflict.conflict_commit,
        reason: reason.into(),
    }
}

/// The error for a wait that closes a cycle.
pub(super) fn deadlock_error(wait: &Wait, chain: &[Wait]) -> KeyError {
    let entry = |wait: &Wait| deadlock::WaitForEntry {
        txn: wait.waiter,
        wait_for_txn: wait.holder,
        key: wait.key.clone(),
        ..Default::default()
    };
    let deadlock = Deadlock {
        lock_ts: wait.holder,
        lock_key: wait.key.clone(),
        wait_chain: chain.iter().map(entry).collect(),
        deadlock_key: wait.key.clone(),
        ..Default::default()
    };
    KeyError { deadlock: Some(deadlock), ..Default::default() }
}

pub(super) fn action(action: TxnAction) -> Action {
    match action {
        TxnAction::None => Action::NoAction,
        TxnAction::ExpireRollback => Action::TtlExpireRollback,
        TxnAction::MissingRollback => Action::LockNotExistRollback,
        TxnAction::MinCommitPushed => Action::MinCommitTsPushed,
        TxnAction::ExpirePessimisticRollback => Action::TtlExpirePessimisticRollback,
        TxnAction::MissingDoNothing => Action::LockNotExistDoNothing,
    }
}
