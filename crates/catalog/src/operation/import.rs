//! Imports: objects that are already in a bucket get paths on a branch, in place. No data is copied.
//!
//! | word | meaning |
//! |---|---|
//! | source | a prefix of addresses and the directory that it becomes, or one address and its path |
//! | run | one process' work on an import, under a lease that is part of the import's record |
//! | gathered | what the sources hold, as one tree of its own by the new paths |
//!
//! An import is asked for ([`Catalog::start_import`]) and then run ([`Catalog::run_import`]): the sources are listed, in parallel, into a
//! tree, and that is published in one transaction with the end of the import: all sources or none, and once. The directories that
//! prefixes go to are exactly what was listed afterwards; paths of single objects are put. Of two sources that give one path the later counts.
//!
//! A run that dies leaves the import to the next one, which lists from the start. Ranges that were written before are the same then
//! and are not written again: trees are canonical.

mod gather;
mod listing;
mod publish;
mod run;

use async_trait::async_trait;
use braid_kv::ScanOptions;
use braid_types::{
    BranchName, Code, Commit, Error, IdentityHasher, ImportId, RepositoryName, Result, Time, limits,
};

pub(super) use publish::ImportStep;
pub(crate) use publish::PlannedImport;

use super::move_objects::check_directory;
use crate::catalog::{Catalog, finish, load_branch, load_repository, load_writable};
use crate::mutation::{Attempts, Mutation};
use crate::page::{Page, PageRequest, PageStart};
use crate::protection::Touch;
use crate::record::import;
use crate::record::request::Answer;
use crate::record::{ImportCommit, ImportRecord, ImportSource, ImportState};

/// Where objects are that are to be imported.
#[async_trait]
pub trait ImportStore: Send + Sync + 'static {
    /// Refuses a source that is nowhere, or in `namespace`, the repository's own.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] names the source and the rule.
    fn check(&self, namespace: &str, source: &ImportSource) -> Result<()>;

    /// Objects whose addresses begin with `uri` and are greater than `after`, in order of their bytes. Answers as many as are easily had; none
    /// if there are no more.
    async fn list(&self, uri: &str, after: Option<&str>) -> Result<Vec<Importable>>;

    /// One object.
    async fn find(&self, uri: &str) -> Result<Importable>;
}

/// An object that can be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Importable {
    /// Its whole address, such as `s3://bucket/key`.
    pub address: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// Its MIME type; may be empty.
    pub content_type: String,
    /// When it was written.
    pub mtime: Time,
}

/// What is to be imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRequest {
    /// The branch.
    pub branch: BranchName,
    /// What goes where; at least one, at most [`limits::IMPORT_SOURCES`].
    pub sources: Vec<ImportSource>,
    /// The commit to make of it, on a branch without uncommitted changes. Without one it stays uncommitted.
    pub commit: Option<ImportCommit>,
}

impl Catalog {
    /// Writes down that objects are to be imported. Nothing is done before somebody [runs](Self::run_import) it.
    ///
    /// # Errors
    /// [`Code::InvalidArgument`] if a source cannot be imported, [`Code::LimitExceeded`] if there are too many.
    pub async fn start_import(
        &self,
        repository: &RepositoryName,
        import: &ImportRequest,
        store: &dyn ImportStore,
        mutation: &Mutation,
    ) -> Result<ImportId> {
        import.check()?;
        let id = id_of(mutation);
        let request = mutation.with(import.identity(repository));
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(id);
            }
            let repository = load_writable(&txn, repository).await?;
            load_branch(&txn, &repository, &import.branch).await?;
            let touch = if import.commit.is_some() { Touch::Commit } else { Touch::Write };
            repository.protection.check(&repository.name, &import.branch, touch)?;
            for source in &import.sources {
                store.check(&repository.storage_namespace, source)?;
            }
            txn.put(import::key(&repository.id, &id), self.new_import(id, import, mutation).encode());
            request.record(self, &mut *txn, Answer::Done);
            match finish(txn, import.branch.as_str()).await? {
                None => return Ok(id),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    fn new_import(&self, id: ImportId, import: &ImportRequest, mutation: &Mutation) -> ImportRecord {
        ImportRecord {
            id,
            branch: import.branch.clone(),
            sources: import.sources.clone(),
            commit: import.commit.clone(),
            by: mutation.clone(),
            started: self.now(),
            updated: self.now(),
            objects: 0,
            state: ImportState::Running,
            lease: None,
        }
    }

    /// An import as it is now.
    ///
    /// # Errors
    /// [`Code::ImportNotFound`].
    pub async fn import(&self, repository: &RepositoryName, id: ImportId) -> Result<ImportRecord> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let row = snapshot.get(&import::key(&repository.id, &id)).await?;
        ImportRecord::decode(id, &row.ok_or_else(|| no_import(id))?)
    }

    /// Imports of a repository, in no order that means anything. Those that ended are forgotten some days later.
    pub async fn list_imports(
        &self,
        repository: &RepositoryName,
        request: &PageRequest,
    ) -> Result<Page<ImportRecord>> {
        let start = PageStart::open(self, request, &["imports", repository.as_str()]).await?;
        let repository = load_repository(&start.snapshot, repository).await?;
        let range =
            start.range(import::range(Some(&repository.id)), "", |_| unreachable!("no name is given"));
        let rows = start.snapshot.scan(&range, ScanOptions::first(request.limit() + 1)).await?;
        let more = rows.len() > request.limit();
        let shown = &rows[..rows.len().min(request.limit())];
        let next_token = match shown.last() {
            Some((last, _)) if more => start.token_after(last),
            _ => String::new(),
        };
        let decode = |key: &[u8], row: &[u8]| ImportRecord::decode(import::parse_key(key)?.1, row);
        let items = shown.iter().map(|(key, row)| decode(key, row)).collect::<Result<_>>()?;
        Ok(Page { items, next_token })
    }

    /// Ends an import before it changes anything. Cancelling it again does nothing.
    ///
    /// # Errors
    /// [`Code::ImportOver`] if it has finished or failed.
    pub async fn cancel_import(&self, repository: &RepositoryName, id: ImportId) -> Result<()> {
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            let repository = load_repository(&txn, repository).await?;
            let key = import::key(&repository.id, &id);
            let mut record = ImportRecord::decode(id, &txn.get(&key).await?.ok_or_else(|| no_import(id))?)?;
            match record.state {
                ImportState::Cancelled => return Ok(()),
                ImportState::Running => {}
                ImportState::Finished { .. } | ImportState::Failed(_) => return Err(over(id)),
            }
            (record.state, record.updated) = (ImportState::Cancelled, self.now());
            txn.put(key, record.encode());
            match finish(txn, &id.to_hex()).await {
                Ok(None) => return Ok(()),
                Ok(Some(lost)) => attempts.again(self, lost).await?,
                // The next look tells.
                Err(unknown) if unknown.code() == Code::OutcomeUnknown => {
                    attempts.again(self, unknown).await?
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl ImportRequest {
    fn check(&self) -> Result<()> {
        let (count, most) = (self.sources.len(), limits::IMPORT_SOURCES);
        if count == 0 || count > most {
            return Err(too_many(format!("an import has 1 to {most} sources, not {count}")));
        }
        let mut prefixes = 0;
        for source in &self.sources {
            if let ImportSource::Prefix { destination, .. } = source {
                prefixes += 1;
                if !destination.is_empty() {
                    check_directory(destination)?;
                }
            }
        }
        if prefixes > limits::IMPORT_PREFIXES {
            let most = limits::IMPORT_PREFIXES;
            return Err(too_many(format!(
                "an import has at most {most} sources that are prefixes, not {prefixes}"
            )));
        }
        match &self.commit {
            Some(commit) => Commit::check_limits(&commit.committer, &commit.message, &commit.metadata),
            None => Ok(()),
        }
    }

    fn identity(&self, repository: &RepositoryName) -> IdentityHasher {
        let mut hasher =
            IdentityHasher::new().strings(&["import", repository.as_str(), self.branch.as_str()]);
        for source in &self.sources {
            hasher = match source {
                ImportSource::Prefix { uri, destination } => {
                    hasher.strings(&["prefix", uri, destination.as_str()])
                }
                ImportSource::Object { uri, destination } => {
                    hasher.strings(&["object", uri, destination.as_str()])
                }
            };
        }
        match &self.commit {
            Some(commit) => hasher.strings(&[&commit.committer, &commit.message]).map(&commit.metadata),
            None => hasher,
        }
    }
}

/// The id of the import that a request asks for: a retry asks for the same.
fn id_of(mutation: &Mutation) -> ImportId {
    let hash =
        IdentityHasher::new().strings(&["import", &mutation.principal, mutation.request.as_str()]).finish();
    ImportId::from_slice(&hash[..16]).expect("sixteen bytes of a hash are sixteen bytes")
}

fn too_many(message: String) -> Error {
    Error::new(Code::LimitExceeded, "sources", message)
}

fn no_import(id: ImportId) -> Error {
    Error::new(Code::ImportNotFound, id.to_hex(), format!("there is no import '{id}'"))
}

fn over(id: ImportId) -> Error {
    Error::new(Code::ImportOver, id.to_hex(), format!("import '{id}' is over and cannot be cancelled"))
}
