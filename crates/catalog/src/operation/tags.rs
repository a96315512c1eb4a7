//! Creating, reading, listing and deleting tags.

use braid_kv::ScanOptions;
use braid_types::{BranchName, Code, CommitId, Error, RefExpression, RepositoryName, Result, TagName};

use super::branches::{name_taken, refuse_commit_id};
use super::repositories::page_of;
use crate::catalog::{Catalog, finish, load_repository, load_writable};
use crate::mutation::{Attempts, Mutation, Request, lost_race};
use crate::page::{Names, Page, PageRequest, PageStart};
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::{self, RepositoryRecord};
use crate::resolve::resolve;
use crate::view::Reads;

/// A tag as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagInfo {
    /// Its name.
    pub name: TagName,
    /// The commit that it names.
    pub commit: CommitId,
}

impl Catalog {
    /// Creates a tag for the commit that `target` names.
    pub async fn create_tag(
        &self,
        repository: &RepositoryName,
        name: &TagName,
        target: &RefExpression,
        mutation: &Mutation,
    ) -> Result<TagInfo> {
        let request = mutation.of("create tag", &[repository.as_str(), name.as_str(), target.text()]);
        let mut attempts = Attempts::new(self);
        loop {
            match self.try_create_tag(repository, name, target, &request).await? {
                Ok(commit) => return Ok(TagInfo { name: name.clone(), commit }),
                Err(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    async fn try_create_tag(
        &self,
        repository: &RepositoryName,
        name: &TagName,
        target: &RefExpression,
        request: &Request<'_>,
    ) -> Result<Result<CommitId, Error>> {
        let expected = load_repository(&self.snapshot().await?, repository).await?;
        let lane = self.lanes(expected.id.as_bytes(), expected.fence_lanes).acquire().await;
        let mut txn = self.begin().await?;
        if let Some(Answer::Commit(commit)) = request.replay(self, &*txn).await? {
            return Ok(Ok(commit));
        }
        let repository = load_writable(&txn, repository).await?;
        if repository.id != expected.id {
            return Ok(Err(lost_race(repository.name.as_str())));
        }
        repository.fence().shared(&mut *txn, lane.lane()).await?;
        let commit = resolve(self, &txn, &repository, target).await?.committed(target)?.commit;
        refuse_taken_name(&txn, &repository, name).await?;
        if let Ok(branch) = BranchName::new(name.as_str()) {
            txn.lock(record::branch::key(&repository.id, &branch));
        }
        txn.insert(record::tag::key(&repository.id, name), record::tag::encode(&commit));
        let what = RefMove::new(RefEvent::TagCreated, name.as_str(), None, Some(commit));
        request.log(self, &mut *txn, &repository.id, what);
        request.record(self, &mut *txn, Answer::Commit(commit));
        Ok(finish(txn, name.as_str()).await?.map_or(Ok(commit), Err))
    }

    /// The tag of this name.
    pub async fn tag(&self, repository: &RepositoryName, name: &TagName) -> Result<TagInfo> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let bytes = snapshot.get(&record::tag::key(&repository.id, name)).await?;
        let commit = record::tag::decode(&bytes.ok_or_else(|| no_tag(&repository, name))?)?;
        Ok(TagInfo { name: name.clone(), commit })
    }

    /// Tags whose names begin with `prefix`, by name.
    pub async fn list_tags(
        &self,
        repository: &RepositoryName,
        names: impl Into<Names<'_>> + Send,
        page: &PageRequest,
    ) -> Result<Page<TagInfo>> {
        let names = names.into();
        let start = PageStart::open(self, page, &["tags", repository.as_str(), names.prefix]).await?;
        let repository = load_repository(&start.snapshot, repository).await?;
        let all = record::tag::range(&repository.id, names.prefix);
        let range = start.range(all, names.after, |name| record::tag::key_of(&repository.id, name));
        let rows = start.snapshot.scan(&range, ScanOptions::first(page.limit() + 1)).await?;
        page_of(&start, rows, page.limit(), |key, value| {
            let name = record::tag::parse_key(&repository.id, key)?;
            Ok(TagInfo { name, commit: record::tag::decode(value)? })
        })
    }

    /// Deletes a tag. Its commit stays.
    pub async fn delete_tag(
        &self,
        repository: &RepositoryName,
        name: &TagName,
        mutation: &Mutation,
    ) -> Result<()> {
        let request = mutation.of("delete tag", &[repository.as_str(), name.as_str()]);
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(());
            }
            let repository = load_writable(&txn, repository).await?;
            let key = record::tag::key(&repository.id, name);
            let found = txn.get(&key).await?.ok_or_else(|| no_tag(&repository, name))?;
            txn.delete(key);
            let commit = record::tag::decode(&found)?;
            let what = RefMove::new(RefEvent::TagDeleted, name.as_str(), Some(commit), None);
            request.log(self, &mut *txn, &repository.id, what);
            request.record(self, &mut *txn, Answer::Done);
            match finish(txn, name.as_str()).await? {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}

fn no_tag(repository: &RepositoryRecord, name: &TagName) -> Error {
    Error::new(
        Code::TagNotFound,
        name.as_str(),
        format!("repository '{}' has no tag '{name}'", repository.name),
    )
}

async fn refuse_taken_name(reads: &dyn Reads, repository: &RepositoryRecord, name: &TagName) -> Result<()> {
    if reads.get(&record::tag::key(&repository.id, name)).await?.is_some() {
        let message = format!("repository '{}' has a tag '{name}' already", repository.name);
        return Err(Error::new(Code::TagExists, name.as_str(), message));
    }
    if let Ok(branch) = BranchName::new(name.as_str())
        && reads.get(&record::branch::key(&repository.id, &branch)).await?.is_some()
    {
        return Err(name_taken(name.as_str(), "branch"));
    }
    refuse_commit_id(reads, repository, name.as_str()).await
}
