//! Mutations: who asks, under which request id, and how often an attempt may lose.
//!
//! Every mutation is a loop of attempts. An attempt begins a transaction, looks whether the request was done before
//! ([`Request::replay`]), decides, records its answer ([`Request::record`]) and commits. A lost race starts the next
//! attempt; an unknown outcome ends the loop and is resolved by the caller's retry with the same request id.

use std::time::Duration;

use braid_kv::Transaction;
use braid_types::{Code, Error, IdentityHasher, RepositoryId, RequestId, Result};
use bytes::Bytes;

use crate::catalog::Catalog;
use crate::record::ref_change::{self, RefChange, RefMove};
use crate::record::request::{self, Answer, RequestRecord};

/// Who asks for a change, and under which id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mutation {
    /// Who asks: the key id or name of a user. Holds no NUL.
    pub principal: String,
    /// The id of the request: the same for every retry of it.
    pub request: RequestId,
}

/// A mutation whose content is known.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    mutation: &'a Mutation,
    fingerprint: [u8; 32],
}

impl Mutation {
    /// The mutation that does `operation` with these arguments.
    pub(crate) fn of<'a>(&'a self, operation: &str, arguments: &[&str]) -> Request<'a> {
        self.with(IdentityHasher::new().string(operation).strings(arguments))
    }

    /// The mutation whose content `hasher` has taken in.
    pub(crate) fn with(&self, hasher: IdentityHasher) -> Request<'_> {
        self.known_as(hasher.finish())
    }

    /// The mutation whose content has this hash.
    pub(crate) fn known_as(&self, fingerprint: [u8; 32]) -> Request<'_> {
        Request { mutation: self, fingerprint }
    }
}

impl Request<'_> {
    /// Who asks.
    pub(crate) fn by(&self) -> &Mutation {
        self.mutation
    }

    /// What this request answered if it was done before.
    ///
    /// # Errors
    /// [`Code::RequestIdReused`] if its id came with another request.
    pub(crate) async fn replay(&self, catalog: &Catalog, txn: &dyn Transaction) -> Result<Option<Answer>> {
        self.replayed(catalog, txn.get(&self.key()).await?.as_ref())
    }

    /// The same, from what is stored under [`Request::key`].
    pub(crate) fn replayed(&self, catalog: &Catalog, stored: Option<&Bytes>) -> Result<Option<Answer>> {
        let Some(bytes) = stored else {
            return Ok(None);
        };
        let found = RequestRecord::decode(bytes)?;
        if found.expires <= catalog.now() {
            return Ok(None);
        }
        if found.fingerprint != self.fingerprint {
            let id = &self.mutation.request;
            let message = format!("request id '{id}' was used before for another request");
            return Err(Error::new(Code::RequestIdReused, id.as_str(), message));
        }
        Ok(Some(found.answer))
    }

    /// Writes the answer in the transaction that does the work. The put conflicts with any other attempt of the same
    /// request, so the work is done once.
    pub(crate) fn record(&self, catalog: &Catalog, txn: &mut dyn Transaction, answer: Answer) {
        txn.put(self.key(), self.answered(catalog, answer));
    }

    /// What [`Request::record`] stores.
    pub(crate) fn answered(&self, catalog: &Catalog, answer: Answer) -> Bytes {
        let expires = catalog.now().plus(catalog.settings.request_lifetime);
        RequestRecord { fingerprint: self.fingerprint, answer, expires }.encode()
    }

    /// Writes what the request did to a ref into the repository's change log, in the transaction that does it.
    /// Called when the transaction has read all that it will.
    pub(crate) fn log(
        &self,
        catalog: &Catalog,
        txn: &mut dyn Transaction,
        repository: &RepositoryId,
        what: RefMove,
    ) {
        let change = RefChange { time: catalog.now(), by: self.mutation.clone(), what };
        log_ref(catalog, txn, repository, 0, &change);
    }

    /// The same request once more.
    pub(crate) fn again(&self) -> Request<'_> {
        self.mutation.known_as(self.fingerprint)
    }

    /// Where the answer is kept.
    pub(crate) fn key(&self) -> Bytes {
        request::key(&self.mutation.principal, &self.mutation.request)
    }
}

/// Writes a change into a repository's change log, as the one at this place in its transaction. Called when the transaction
/// has read all that it will.
pub(crate) fn log_ref(
    catalog: &Catalog,
    txn: &mut dyn Transaction,
    repository: &RepositoryId,
    place: u16,
    change: &RefChange,
) {
    let key = ref_change::key(repository, txn.timestamp(), place, catalog.random().bytes());
    txn.put(key, change.encode());
}

/// The attempts of one operation.
#[derive(Debug)]
pub(crate) struct Attempts {
    left: u32,
    made: u32,
}

impl Attempts {
    pub(crate) fn new(catalog: &Catalog) -> Self {
        Self { left: catalog.settings.attempts, made: 0 }
    }

    /// Called after a lost race: waits a little, or gives up with what was lost to.
    pub(crate) async fn again(&mut self, catalog: &Catalog, lost: Error) -> Result<()> {
        if self.left == 0 {
            return Err(lost);
        }
        self.left -= 1;
        self.made += 1;
        tokio::time::sleep(self.pause(catalog)).await;
        Ok(())
    }

    /// Up to twice as long each time, from 1 ms to 128 ms, with jitter so that losers spread.
    fn pause(&self, catalog: &Catalog) -> Duration {
        let most = 1_000u64 << self.made.min(7);
        let jitter = u64::from(u32::from_be_bytes(catalog.random().bytes()));
        Duration::from_micros(most * jitter / u64::from(u32::MAX))
    }
}

/// The error of an operation that another one came before.
pub(crate) fn lost_race(subject: &str) -> Error {
    Error::new(
        Code::Conflict,
        subject,
        format!("'{subject}' was changed by another request at the same time"),
    )
}
