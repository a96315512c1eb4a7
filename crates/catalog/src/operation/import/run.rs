//! Running imports: whoever has an import's lease gathers what its sources hold and publishes it.
//!
//! Now and then the run writes down how far it is. That keeps the lease, and is where it finds out that the import was cancelled, or
//! that another run has it: then it stops. What keeps a run that does not find out from doing harm is its [`Claim`], which the
//! publishing transaction checks.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use braid_kv::ScanOptions;
use braid_tree::TreeError;
use braid_types::{Code, Error, ImportId, RepositoryId, RepositoryName, RequestId, Result, Time};
use bytes::Bytes;
use futures::StreamExt;

use super::gather::{Places, gather};
use super::publish::Gathered;
use super::{ImportStore, no_import};
use crate::catalog::{Catalog, finish, load_repository, load_writable};
use crate::lease;
use crate::mutation::{Attempts, lost_race};
use crate::record::lease::LeaseRecord;
use crate::record::{ImportRecord, ImportState, RepositoryRecord, import, repository};

/// For how long nobody else takes an import of which nothing is heard.
const LEASE: Duration = Duration::from_secs(30);

/// How long an import rests after a run failed that another may do better.
const AGAIN: Duration = Duration::from_secs(5);

/// How often an import is begun at most.
const RUNS: u64 = 10;

/// For how long an import that has ended can be asked about.
const REMEMBERED: Duration = Duration::from_secs(7 * 24 * 3600);

/// Imports looked at in one scan.
const BATCH: usize = 1000;

/// The number under which one run has an import.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    key: Bytes,
    id: ImportId,
    fence: u64,
}

impl Claim {
    pub(super) fn key(&self) -> &Bytes {
        &self.key
    }

    pub(super) fn subject(&self) -> String {
        self.id.to_hex()
    }

    /// The request that publishes it. Another run has another one: whether the last one published is in the import itself.
    pub(super) fn request(&self) -> RequestId {
        RequestId::new(format!("import-{}-{}", self.id, self.fence)).expect("ids and numbers are printable")
    }

    /// The import in a row, if this run still has it and it is not over.
    ///
    /// # Errors
    /// [`Code::ImportOver`] says that the run has to stop.
    pub(super) fn check(&self, row: Option<Bytes>) -> Result<ImportRecord> {
        let record = ImportRecord::decode(self.id, &row.ok_or_else(|| no_import(self.id))?)?;
        if record.is_running() && record.lease.is_some_and(|lease| lease.fence == self.fence) {
            return Ok(record);
        }
        let message = format!("import '{}' is over, or another node has taken it", self.id);
        Err(Error::new(Code::ImportOver, self.subject(), message))
    }

    /// The row of an import that ends so.
    pub(super) fn ended(&self, catalog: &Catalog, record: ImportRecord, state: ImportState) -> Bytes {
        ImportRecord { state, updated: catalog.now(), ..record }.encode()
    }
}

impl Catalog {
    /// Does an import, unless it is over or another node does it; says whether it did. How it ended is in
    /// [the import](Self::import).
    ///
    /// # Errors
    /// Those of the stores; what a later run may do better is left to it.
    pub async fn run_import(
        &self,
        repository: &RepositoryName,
        id: ImportId,
        store: &Arc<dyn ImportStore>,
    ) -> Result<bool> {
        let repository = load_repository(&self.snapshot().await?, repository).await?;
        let Some((claim, record)) = self.claim_import(&repository, id).await? else {
            return Ok(false);
        };
        let found = Arc::new(AtomicU64::new(0));
        let ended = tokio::select! {
            biased;
            done = self.do_import(&repository, &record, &claim, store, &found) => done,
            stopped = self.keep_import(&claim, &found) => Err(stopped),
        };
        let ended = match ended {
            Err(error) if !is_over(&error) => self.give_up(&claim, &found, error).await,
            ended => ended,
        };
        match ended {
            Err(error) if !is_over(&error) => Err(error),
            // Another has it, or nobody wants it.
            _ => Ok(true),
        }
    }

    /// Leaves an import to a later run if that may do better, or writes down that it failed.
    async fn give_up(&self, claim: &Claim, found: &AtomicU64, error: Error) -> Result<()> {
        if error.is_retryable() && claim.fence < RUNS {
            let release = |record: &mut ImportRecord| {
                record.lease = record.lease.map(|lease| lease_until(lease, self.now().plus(AGAIN)));
            };
            self.write_import(claim, found, release).await?;
            return Err(error);
        }
        let failed = ImportState::Failed(error);
        self.write_import(claim, found, |record| record.state = failed.clone()).await
    }

    /// Imports that nobody runs. Forgets those that ended long ago on the way.
    pub async fn imports_to_run(&self) -> Result<Vec<(RepositoryName, ImportId)>> {
        let snapshot = self.snapshot().await?;
        let (mut range, mut found) = (import::range(None), Vec::new());
        loop {
            let rows = snapshot.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else { break };
            range = range.after(last);
            for (key, row) in &rows {
                let (of, id) = import::parse_key(key)?;
                let record = ImportRecord::decode(id, row)?;
                if !record.is_running() {
                    self.forget_import(key, &record).await?;
                } else if record.lease.is_none_or(|lease| lease.expires <= self.now()) {
                    found.push((of, id));
                }
            }
        }
        self.named(found).await
    }

    async fn named(&self, imports: Vec<(RepositoryId, ImportId)>) -> Result<Vec<(RepositoryName, ImportId)>> {
        if imports.is_empty() {
            return Ok(Vec::new());
        }
        let snapshot = self.snapshot().await?;
        let (mut range, mut named) = (repository::range(""), Vec::new());
        loop {
            let rows = snapshot.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else { return Ok(named) };
            range = range.after(last);
            for (key, row) in &rows {
                let record = RepositoryRecord::decode(repository::parse_key(key)?, row)?;
                let ids = imports.iter().filter(|(of, _)| *of == record.id);
                named.extend(ids.map(|(_, id)| (record.name.clone(), *id)));
            }
        }
    }

    async fn forget_import(&self, key: &Bytes, record: &ImportRecord) -> Result<()> {
        if record.updated.plus(REMEMBERED) > self.now() {
            return Ok(());
        }
        let mut txn = self.begin().await?;
        txn.delete(key.clone());
        // Whoever came first has removed it.
        finish(txn, &record.id.to_hex()).await.map(drop)
    }

    /// Takes the lease of an import; `None` if it is over or another node has it.
    async fn claim_import(
        &self,
        repository: &RepositoryRecord,
        id: ImportId,
    ) -> Result<Option<(Claim, ImportRecord)>> {
        let key = import::key(&repository.id, &id);
        let mut txn = self.begin().await?;
        let mut record = ImportRecord::decode(id, &txn.get(&key).await?.ok_or_else(|| no_import(id))?)?;
        let Some(lease) = lease::taken(record.lease, self.holder(), self.now(), LEASE) else {
            return Ok(None);
        };
        if !record.is_running() {
            return Ok(None);
        }
        (record.lease, record.updated, record.objects) = (Some(lease), self.now(), 0);
        txn.put(key.clone(), record.encode());
        let lost = finish(txn, &id.to_hex()).await?;
        Ok(lost.is_none().then_some((Claim { key, id, fence: lease.fence }, record)))
    }

    async fn do_import(
        &self,
        repository: &RepositoryRecord,
        record: &ImportRecord,
        claim: &Claim,
        store: &Arc<dyn ImportStore>,
        found: &Arc<AtomicU64>,
    ) -> Result<()> {
        // Refused before anything is listed in vain.
        load_writable(&self.snapshot().await?, &repository.name).await?;
        let gathered = self.gather_import(repository, record, store, found).await?;
        let count = |record: &mut ImportRecord| record.updated = self.now();
        self.write_import(claim, found, count).await?;
        self.publish_import(&repository.name, record, claim, gathered).await
    }

    async fn gather_import(
        &self,
        repository: &RepositoryRecord,
        record: &ImportRecord,
        store: &Arc<dyn ImportStore>,
        found: &Arc<AtomicU64>,
    ) -> Result<Gathered> {
        let places = Places::of(&record.sources);
        let ranges = self.ranges(repository).await?;
        let records = gather(store, &record.sources, found).await?;
        let records = Box::pin(records.map(|record| record.map_err(TreeError::from)));
        let format = self.tree_format(repository)?;
        let tree = braid_tree::build(&ranges, self.pool(), &format, records).await?.tree;
        let mut beside = Vec::with_capacity(places.beside.len());
        for path in places.beside {
            let record = braid_tree::lookup(&*ranges, tree, &path).await?;
            beside.push((path, record.expect("what was just written is there").value));
        }
        Ok(Gathered { tree, replaced: places.replaced, beside })
    }

    /// Writes down now and then how far the import is; ends when the run has to.
    async fn keep_import(&self, claim: &Claim, found: &AtomicU64) -> Error {
        loop {
            tokio::time::sleep(self.settings.import_beat).await;
            let beat = |record: &mut ImportRecord| {
                record.lease = record.lease.map(|lease| lease_until(lease, self.now().plus(LEASE)));
            };
            match self.write_import(claim, found, beat).await {
                Ok(()) => {}
                // A store that cannot be reached now may be in a second; the lease ends by itself.
                Err(error) if error.is_retryable() => {}
                Err(error) => match self.is_published(claim).await {
                    // By this run, or to no effect on it: the publisher is about to be told.
                    Ok(true) => std::future::pending().await,
                    _ => return error,
                },
            }
        }
    }

    async fn is_published(&self, claim: &Claim) -> Result<bool> {
        let row = self.snapshot().await?.get(claim.key()).await?;
        let record = row.map(|row| ImportRecord::decode(claim.id, &row)).transpose()?;
        Ok(record.is_some_and(|record| matches!(record.state, ImportState::Finished { .. })))
    }

    /// Changes the row of an import that this run has.
    async fn write_import(
        &self,
        claim: &Claim,
        found: &AtomicU64,
        change: impl Fn(&mut ImportRecord) + Send + Sync,
    ) -> Result<()> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            let mut record = claim.check(txn.get(claim.key()).await?)?;
            (record.updated, record.objects) = (self.now(), found.load(Ordering::Relaxed));
            change(&mut record);
            txn.put(claim.key().clone(), record.encode());
            match finish(txn, &claim.subject()).await? {
                None => return Ok(()),
                Some(_) => attempts.again(self, lost_race(&claim.subject())).await?,
            }
        }
    }
}

fn lease_until(lease: LeaseRecord, expires: Time) -> LeaseRecord {
    LeaseRecord { expires, ..lease }
}

/// Whether an error says that there is nothing left to do.
fn is_over(error: &Error) -> bool {
    matches!(error.code(), Code::ImportOver | Code::ImportNotFound)
}
