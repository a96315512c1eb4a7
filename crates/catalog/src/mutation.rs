//! Mutations: who asks, under which request id, and how often an attempt may lose.
//!
//! Every mutation is a loop of attempts. An attempt begins a transaction, looks whether the request was done before
//! ([`Request::replay`]), decides, records its answer ([`Request::record`]) and commits. A lost race starts the next
//! attempt; an unknown outcome ends the loop and is resolved by the caller's retry with the same request id.

use std::time::Duration;

use braid_kv::Transaction;
use braid_types::{Code, Error, IdentityHasher, RequestId, Result};

use crate::catalog::Catalog;
use crate::record::request::{self, Answer, RequestRecord};

/// Who asks for a change, and under which id.
#[derive(Debug, Clone)]
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
        Request { mutation: self, fingerprint: hasher.finish() }
    }
}

impl Request<'_> {
    /// What this request answered if it was done before.
    ///
    /// # Errors
    /// [`Code::RequestIdReused`] if its id came with another request.
    pub(crate) async fn replay(&self, catalog: &Catalog, txn: &dyn Transaction) -> Result<Option<Answer>> {
        let Some(bytes) = txn.get(&self.key()).await? else {
            return Ok(None);
        };
        let found = RequestRecord::decode(&bytes)?;
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
        let expires = catalog.now().plus(catalog.settings.request_lifetime);
        txn.put(self.key(), RequestRecord { fingerprint: self.fingerprint, answer, expires }.encode());
    }

    /// Where the answer is kept.
    pub(crate) fn key(&self) -> bytes::Bytes {
        request::key(&self.mutation.principal, &self.mutation.request)
    }
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
