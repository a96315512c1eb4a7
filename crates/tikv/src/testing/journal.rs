//! What the cluster writes down of the calls that end a transaction, or tell how it ended: so that a test can say what its
//! client could know.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::proto::errorpb;

/// What a call has to do with the end of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It commits the transaction: the commit of its primary, or a prewrite that may do all of it in one phase.
    Decides,
    /// It asks for the end, and makes one if there was none.
    Settles,
}

/// Such a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndingCall {
    /// What it has to do with the end.
    pub role: Role,
    /// When it came in.
    pub came: Instant,
    /// When it was answered, and how; `None`: not at all, or so that the caller saw its connection break.
    pub answered: Option<(Instant, Said)>,
}

/// What an answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// How the transaction ended.
    TheEnd,
    /// Something else.
    Other {
        /// Whether the call may have been carried out all the same.
        in_doubt: bool,
    },
}

impl Said {
    /// What a region error says.
    pub(super) fn by(error: &errorpb::Error) -> Self {
        let unclear = [
            error.region_not_found.is_some(),
            error.stale_command.is_some(),
            error.undetermined_result.is_some(),
        ];
        Self::Other { in_doubt: unclear.contains(&true) }
    }
}

/// Which entry a call has; none if nothing is written down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    transaction: u64,
    number: usize,
}

#[derive(Debug, Default)]
struct Book {
    calls: BTreeMap<u64, Vec<EndingCall>>,
    lost_look_ups: Vec<Instant>,
}

/// The journal of a cluster; `None`: it keeps none.
#[derive(Debug)]
pub(super) struct Journal(Option<Mutex<Book>>);

impl Journal {
    pub(super) fn new(kept: bool) -> Self {
        Self(kept.then(Mutex::default))
    }

    /// Writes down that a call came in.
    pub(super) fn enter(&self, transaction: u64, role: Role) -> Option<Place> {
        let mut book = self.0.as_ref()?.lock();
        let calls = book.calls.entry(transaction).or_default();
        calls.push(EndingCall { role, came: Instant::now(), answered: None });
        Some(Place { transaction, number: calls.len() - 1 })
    }

    /// Writes down what a call was answered.
    pub(super) fn answer(&self, place: Option<Place>, said: Said) {
        let (Some(book), Some(place)) = (&self.0, place) else { return };
        let calls = &mut book.lock().calls;
        let call = calls.get_mut(&place.transaction).and_then(|calls| calls.get_mut(place.number));
        call.expect("it was entered").answered = Some((Instant::now(), said));
    }

    /// Writes down that PD was asked in vain.
    pub(super) fn lose_look_up(&self) {
        if let Some(book) = &self.0 {
            book.lock().lost_look_ups.push(Instant::now());
        }
    }

    /// The calls about the end of a transaction, in the order in which they came in.
    pub(super) fn of(&self, transaction: u64) -> Vec<EndingCall> {
        let calls = self.0.as_ref().and_then(|book| book.lock().calls.get(&transaction).cloned());
        calls.unwrap_or_default()
    }

    /// How often PD was asked in vain since a moment.
    pub(super) fn lost_look_ups_since(&self, since: Instant) -> usize {
        let count = |book: &Mutex<Book>| book.lock().lost_look_ups.iter().filter(|&&at| at >= since).count();
        self.0.as_ref().map_or(0, count)
    }
}
