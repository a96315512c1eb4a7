//! The calls of a store: where each is addressed, and what it does there.

mod pessimistic;
mod read;
mod resolve;
mod sweep;
mod write;

use bytes::Bytes;

use super::call::Call;
use super::journal::Role;
use super::mvcc::Mvcc;
use super::regions::Region;
use super::state::State;
use crate::proto::errorpb;
use crate::proto::kvrpcpb::{
    BatchGetResponse, BatchRollbackResponse, CheckSecondaryLocksResponse, CheckTxnStatusResponse,
    CleanupResponse, CommitResponse, Context, DeleteRangeResponse, GcResponse, GetResponse,
    PessimisticLockResponse, PessimisticRollbackResponse, PrewriteResponse, ResolveLockResponse,
    ScanLockResponse, ScanResponse, TxnHeartBeatResponse, UnsafeDestroyRangeResponse,
};

pub(super) use pessimistic::{LockAttempt, attempt};

/// The place of a call's work: a region, on the store that leads it.
pub(super) struct Site<'a> {
    pub(super) state: &'a mut State,
    pub(super) store: u64,
    pub(super) region: Region,
}

impl Site<'_> {
    fn mvcc(&mut self) -> &mut Mvcc {
        &mut self.state.mvcc
    }

    /// The engine, and the greatest timestamp that the store has seen.
    fn mvcc_and_max_ts(&mut self) -> (&mut Mvcc, &mut u64) {
        let store = self.state.stores.get_mut(&self.store).expect("a store that answers is known");
        (&mut self.state.mvcc, &mut store.max_ts)
    }

    /// Somebody reads at a timestamp: whatever commits by a timestamp of the store's choice does so after it.
    fn saw(&mut self, at: u64) {
        let (_, max_ts) = self.mvcc_and_max_ts();
        // The greatest of all is no timestamp, but the wish to read what is newest.
        if at != u64::MAX {
            *max_ts = at.max(*max_ts);
        }
    }
}

/// A request to a region.
pub(super) trait StoreCall: Send {
    const CALL: Call;
    type Answer: Answer;

    fn context(&self) -> Option<&Context>;

    /// The keys it is about, for filters; of a range, where it begins.
    fn keys(&self) -> Vec<Bytes>;

    /// A key that it is about and that does not lie in the region.
    fn misplaced(&self, region: &Region) -> Option<Bytes> {
        self.keys().into_iter().find(|key| !region.contains(key))
    }

    /// The transaction whose end it makes or asks for, if it does.
    fn ends(&self) -> Option<(u64, Role)> {
        None
    }

    /// Whether such a call's answer tells the end.
    fn tells_the_end(_answer: &Self::Answer) -> bool {
        false
    }

    fn apply(self, site: &mut Site<'_>) -> Self::Answer;
}

/// An answer that can be a region error.
pub(super) trait Answer: Default + Send {
    /// The answer that nothing else is in.
    fn refused(error: errorpb::Error) -> Self;
}

macro_rules! answers {
    ($($answer:ident),* $(,)?) => {
        $(impl Answer for $answer {
            fn refused(error: errorpb::Error) -> Self {
                Self { region_error: Some(error), ..Self::default() }
            }
        })*
    };
}

answers!(
    BatchGetResponse,
    BatchRollbackResponse,
    CheckSecondaryLocksResponse,
    CheckTxnStatusResponse,
    CleanupResponse,
    CommitResponse,
    DeleteRangeResponse,
    GcResponse,
    GetResponse,
    PessimisticLockResponse,
    PessimisticRollbackResponse,
    PrewriteResponse,
    ResolveLockResponse,
    ScanLockResponse,
    ScanResponse,
    TxnHeartBeatResponse,
    UnsafeDestroyRangeResponse,
);
