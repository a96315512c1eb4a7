//! Creating, reading, listing and deleting repositories.

use std::collections::BTreeMap;

use braid_kv::{ScanOptions, Transaction};
use braid_types::{
    BranchName, COMMIT_VERSION, Code, Commit, Error, Incarnation, RepositoryId, RepositoryName, Result,
    limits,
};

use crate::catalog::{Catalog, FORMAT_VERSION, finish, load_repository, no_branch};
use crate::mutation::{Attempts, Mutation};
use crate::page::{Names, Page, PageRequest, PageStart};
use crate::protection::Protection;
use crate::record::dropped::{self, Dropped};
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::{self, BranchRecord, RepositoryRecord, RepositoryState};
use crate::view::Reads;

/// What to create.
#[derive(Debug, Clone)]
pub struct CreateRepository {
    /// Its name.
    pub name: RepositoryName,
    /// Where its data is to live.
    pub storage_namespace: String,
    /// Its first branch.
    pub default_branch: BranchName,
}

impl Catalog {
    /// Creates a repository with an empty first commit on its default branch.
    pub async fn create_repository(
        &self,
        create: CreateRepository,
        mutation: &Mutation,
    ) -> Result<RepositoryRecord> {
        check_namespace(&create.storage_namespace)?;
        let request = mutation.of(
            "create repository",
            &[create.name.as_str(), &create.storage_namespace, create.default_branch.as_str()],
        );
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            if request.replay(self, &*txn).await?.is_some() {
                return load_repository(&txn, &create.name).await;
            }
            refuse_taken(&txn, &create.name, &create.storage_namespace).await?;
            self.parts.storage.claim(&create.storage_namespace).await?;
            let repository = self.insert_repository(&mut *txn, &create, &mutation.principal);
            let what = RefMove::new(RefEvent::RepositoryCreated, create.name.as_str(), None, None);
            request.log(self, &mut *txn, &repository.id, what);
            request.record(self, &mut *txn, Answer::Done);
            match finish(txn, create.name.as_str()).await? {
                None => return Ok(repository),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    fn insert_repository(
        &self,
        txn: &mut dyn Transaction,
        create: &CreateRepository,
        committer: &str,
    ) -> RepositoryRecord {
        let repository = RepositoryRecord {
            id: RepositoryId::random(self.random()),
            name: create.name.clone(),
            storage_namespace: create.storage_namespace.as_str().into(),
            default_branch: create.default_branch.clone(),
            created: self.now(),
            state: RepositoryState::Active,
            format_version: FORMAT_VERSION,
            fence_lanes: self.parts.kv.lanes(),
            protection: Protection::default(),
        };
        let first = Commit {
            parents: Vec::new(),
            metarange: None,
            committer: committer.to_owned(),
            message: "Repository created".to_owned(),
            metadata: BTreeMap::new(),
            time: repository.created.whole_seconds(),
            generation: 1,
            version: COMMIT_VERSION,
        };
        let branch = BranchRecord {
            incarnation: Incarnation::random(self.random()),
            head: first.id(),
            base: None,
            sealed: Vec::new(),
            open: self.fresh_layer(),
            hidden: false,
        };
        let id = &repository.id;
        txn.insert(record::repository::key(&create.name), repository.encode());
        txn.insert(
            record::repository::namespace_key(&create.storage_namespace),
            id.as_bytes().to_vec().into(),
        );
        txn.put(record::commit::key(id, &first.id()), record::commit::encode(&first));
        txn.put(record::branch::key(id, &create.default_branch), branch.encode());
        repository
    }

    /// The repository of this name.
    pub async fn repository(&self, name: &RepositoryName) -> Result<RepositoryRecord> {
        load_repository(&self.snapshot().await?, name).await
    }

    /// Repositories whose names begin with `prefix`, by name.
    pub async fn list_repositories(
        &self,
        names: impl Into<Names<'_>> + Send,
        page: &PageRequest,
    ) -> Result<Page<RepositoryRecord>> {
        let names = names.into();
        let start = PageStart::open(self, page, &["repositories", names.prefix]).await?;
        let range =
            start.range(record::repository::range(names.prefix), names.after, record::repository::key_of);
        let rows = start.snapshot.scan(&range, ScanOptions::first(page.limit() + 1)).await?;
        page_of(&start, rows, page.limit(), |key, value| {
            RepositoryRecord::decode(record::repository::parse_key(key)?, value)
        })
    }

    /// Deletes a repository. Its data stays in its storage namespace; its refs and commits are cleaned up later.
    pub async fn delete_repository(&self, name: &RepositoryName, mutation: &Mutation) -> Result<()> {
        let request = mutation.of("delete repository", &[name.as_str()]);
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin_exclusive().await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(());
            }
            txn.lock_for_update(&record::repository::key(name), self.settings.lock_wait).await?;
            let repository = load_repository(&txn, name).await?;
            // Alone in the fence: no branch or tag is made from here on.
            let held = repository.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
            held.seal(&mut *txn);
            txn.delete(record::repository::key(name));
            txn.delete(record::repository::namespace_key(&repository.storage_namespace));
            txn.put(Dropped::Repository(repository.id).key(), dropped::encode(self.now()));
            let what = RefMove::new(RefEvent::RepositoryDeleted, name.as_str(), None, None);
            request.log(self, &mut *txn, &repository.id, what);
            request.record(self, &mut *txn, Answer::Done);
            match finish(txn, name.as_str()).await? {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}

/// A page from rows, of which one more than `limit` was asked for.
pub(crate) fn page_of<T>(
    start: &PageStart,
    mut rows: Vec<(bytes::Bytes, bytes::Bytes)>,
    limit: usize,
    decode: impl Fn(&[u8], &[u8]) -> Result<T>,
) -> Result<Page<T>> {
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_token = match rows.last() {
        Some((key, _)) if more => start.token_after(key),
        _ => String::new(),
    };
    let items = rows.iter().map(|(key, value)| decode(key, value)).collect::<Result<_>>()?;
    Ok(Page { items, next_token })
}

/// Refuses the name of a repository that is there, and a storage namespace that one holds.
pub(super) async fn refuse_taken(reads: &dyn Reads, name: &RepositoryName, namespace: &str) -> Result<()> {
    if reads.get(&record::repository::key(name)).await?.is_some() {
        let message = format!("repository '{name}' exists already");
        return Err(Error::new(Code::RepositoryExists, name.as_str(), message));
    }
    if reads.get(&record::repository::namespace_key(namespace)).await?.is_some() {
        let message = format!("storage namespace '{namespace}' is in use by another repository");
        return Err(Error::new(Code::NamespaceInUse, namespace, message));
    }
    Ok(())
}

pub(super) fn check_namespace(namespace: &str) -> Result<()> {
    if namespace.is_empty() || namespace.len() > limits::STORAGE_NAMESPACE_BYTES {
        let message = format!(
            "a storage namespace has 1 to {} bytes, not {}",
            limits::STORAGE_NAMESPACE_BYTES,
            namespace.len()
        );
        return Err(Error::new(Code::InvalidArgument, namespace, message));
    }
    Ok(())
}

/// Refuses to touch a repository's default branch.
pub(crate) fn refuse_default_branch(repository: &RepositoryRecord, branch: &BranchName) -> Result<()> {
    if repository.default_branch != *branch {
        return Ok(());
    }
    let message =
        format!("'{branch}' is the default branch of repository '{}' and cannot be deleted", repository.name);
    Err(Error::new(Code::DefaultBranch, branch.as_str(), message))
}

/// The record of a branch, locked for update.
pub(crate) async fn lock_branch(
    catalog: &Catalog,
    txn: &mut dyn Transaction,
    repository: &RepositoryRecord,
    name: &BranchName,
) -> Result<BranchRecord> {
    let key = record::branch::key(&repository.id, name);
    let value = txn.lock_for_update(&key, catalog.settings.lock_wait).await?;
    BranchRecord::decode(&value.ok_or_else(|| no_branch(repository, name))?)
}
