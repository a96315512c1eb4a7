//! The two phases of a commit, and its opposite.

use bytes::Bytes;

use super::{Answer, Site, StoreCall};
use crate::proto::kvrpcpb::prewrite_request::PessimisticAction;
use crate::proto::kvrpcpb::{
    Assertion, AssertionLevel, BatchRollbackRequest, BatchRollbackResponse, CommitRequest, CommitResponse,
    CommitRole, Context, KeyError, Mutation as Sent, Op, PrewriteRequest, PrewriteResponse,
    TxnHeartBeatRequest, TxnHeartBeatResponse,
};
use crate::testing::call::Call;
use crate::testing::convert::key_error;
use crate::testing::journal::Role;
use crate::testing::mvcc::{Abort, Check, Mutation, MutationKind, Prewrite};
use crate::testing::region_error;

/// Largest write that is replicated as one, in bytes: `raft-entry-max-size`.
const MAX_ENTRY: usize = 8 << 20;

impl StoreCall for PrewriteRequest {
    const CALL: Call = Call::KvPrewrite;
    type Answer = PrewriteResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.mutations.iter().map(|mutation| mutation.key.clone()).collect()
    }

    fn ends(&self) -> Option<(u64, Role)> {
        self.try_one_pc.then_some((self.start_version, Role::Decides))
    }

    fn tells_the_end(answer: &PrewriteResponse) -> bool {
        answer.one_pc_commit_ts != 0
    }

    fn apply(self, site: &mut Site<'_>) -> PrewriteResponse {
        let size = self.mutations.iter().map(|mutation| mutation.key.len() + mutation.value.len()).sum();
        if size > MAX_ENTRY {
            return PrewriteResponse::refused(region_error::raft_entry_too_large(site.region.id, size));
        }
        let request = match prewrite(self) {
            Ok(request) => request,
            Err(abort) => return failed(vec![key_error(&abort.into())]),
        };
        let (mvcc, max_ts) = site.mvcc_and_max_ts();
        match mvcc.prewrite(&request, max_ts) {
            Ok(done) => PrewriteResponse {
                min_commit_ts: done.min_commit,
                one_pc_commit_ts: done.one_phase_commit,
                ..Default::default()
            },
            Err(refusals) => failed(refusals.iter().map(key_error).collect()),
        }
    }
}

fn failed(errors: Vec<KeyError>) -> PrewriteResponse {
    PrewriteResponse { errors, ..Default::default() }
}

fn prewrite(request: PrewriteRequest) -> Result<Prewrite, Abort> {
    let (actions, mutations) = (request.pessimistic_actions.len(), request.mutations.len());
    // Other clients send those of all keys with each request. A store takes too few in silence, and leaves keys out.
    if actions != 0 && actions < mutations {
        return Err(Abort::UnevenActions { actions, mutations });
    }
    let checks = request.pessimistic_actions().map(check).chain(std::iter::repeat(Check::Skip));
    let asserts = request.assertion_level() != AssertionLevel::Off;
    let mutations = request.mutations.iter().zip(checks);
    let mutations =
        mutations.map(|(sent, check)| mutation(sent, check, asserts)).collect::<Result<_, _>>()?;
    Ok(Prewrite {
        mutations,
        start: request.start_version,
        ttl: request.lock_ttl,
        txn_size: request.txn_size,
        for_update: request.for_update_ts,
        min_commit: request.min_commit_ts,
        max_commit: request.max_commit_ts,
        secondaries: request.use_async_commit.then_some(request.secondaries),
        one_phase: request.try_one_pc,
        skip_checks: request.skip_constraint_check,
        retry: request.context.is_some_and(|context| context.is_retry_request),
        primary: request.primary_lock,
    })
}

fn check(action: PessimisticAction) -> Check {
    match action {
        PessimisticAction::SkipPessimisticCheck => Check::Skip,
        PessimisticAction::DoPessimisticCheck => Check::Locked,
        PessimisticAction::DoConstraintCheck => Check::Unchanged,
    }
}

fn mutation(sent: &Sent, check: Check, asserts: bool) -> Result<Mutation, Abort> {
    let kind = match sent.op() {
        Op::Put => MutationKind::Put,
        Op::Del => MutationKind::Delete,
        Op::Lock => MutationKind::Lock,
        Op::Insert => MutationKind::Insert,
        Op::CheckNotExists => MutationKind::CheckNotExists,
        Op::Rollback | Op::PessimisticLock => return Err(Abort::UnfitMutation { key: sent.key.clone() }),
    };
    let must_exist = match sent.assertion() {
        Assertion::Exist if asserts => Some(true),
        Assertion::NotExist if asserts => Some(false),
        _ => None,
    };
    Ok(Mutation { kind, key: sent.key.clone(), value: sent.value.clone(), must_exist, check })
}

impl StoreCall for CommitRequest {
    const CALL: Call = Call::KvCommit;
    type Answer = CommitResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.keys.clone()
    }

    fn ends(&self) -> Option<(u64, Role)> {
        (self.commit_role() == CommitRole::Primary).then_some((self.start_version, Role::Decides))
    }

    fn tells_the_end(answer: &CommitResponse) -> bool {
        answer.error.as_ref().is_none_or(|error| error.txn_lock_not_found.is_some())
    }

    fn apply(self, site: &mut Site<'_>) -> CommitResponse {
        match site.mvcc().commit(&self.keys, self.start_version, self.commit_version) {
            Ok(()) => CommitResponse { commit_version: self.commit_version, ..Default::default() },
            Err(refusal) => CommitResponse { error: Some(key_error(&refusal)), ..Default::default() },
        }
    }
}

impl StoreCall for BatchRollbackRequest {
    const CALL: Call = Call::KvBatchRollback;
    type Answer = BatchRollbackResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        self.keys.clone()
    }

    fn apply(self, site: &mut Site<'_>) -> BatchRollbackResponse {
        let error = site.mvcc().roll_back(&self.keys, self.start_version).err();
        BatchRollbackResponse { error: error.as_ref().map(key_error), ..Default::default() }
    }
}

impl StoreCall for TxnHeartBeatRequest {
    const CALL: Call = Call::KvTxnHeartBeat;
    type Answer = TxnHeartBeatResponse;

    fn context(&self) -> Option<&Context> {
        self.context.as_ref()
    }

    fn keys(&self) -> Vec<Bytes> {
        vec![self.primary_lock.clone()]
    }

    fn apply(self, site: &mut Site<'_>) -> TxnHeartBeatResponse {
        match site.mvcc().heartbeat(&self.primary_lock, self.start_version, self.advise_lock_ttl) {
            Ok(lock_ttl) => TxnHeartBeatResponse { lock_ttl, ..Default::default() },
            Err(refusal) => TxnHeartBeatResponse { error: Some(key_error(&refusal)), ..Default::default() },
        }
    }
}
