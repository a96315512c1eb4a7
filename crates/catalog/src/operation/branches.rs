//! Creating, reading, listing and deleting branches.

use braid_kv::{KeyRange, ScanOptions};
use braid_types::{
    BranchName, Code, CommitId, Error, Incarnation, RefExpression, RepositoryName, Result, TagName,
};
use bytes::Bytes;

use super::clean_up::drop_tokens;
use super::repositories::{lock_branch, page_of, refuse_default_branch};
use crate::catalog::{Catalog, finish, load_branch, load_repository, load_writable};
use crate::mutation::{Attempts, Mutation, Request};
use crate::page::{Names, Page, PageRequest, PageStart};
use crate::record::ref_change::{RefEvent, RefMove};
use crate::record::request::Answer;
use crate::record::{self, BranchRecord, RepositoryRecord};
use crate::resolve::resolve;
use crate::view::Reads;

/// A branch as a caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BranchInfo {
    /// Its name.
    pub name: BranchName,
    /// Its newest commit.
    pub head: CommitId,
}

impl Catalog {
    /// Creates a branch at the commit that `source` names.
    pub async fn create_branch(
        &self,
        repository: &RepositoryName,
        name: &BranchName,
        source: &RefExpression,
        mutation: &Mutation,
    ) -> Result<BranchInfo> {
        self.make_branch(repository, name, source, false, mutation).await
    }

    /// The same; a `hidden` branch is left out of lists that do not ask for such.
    pub async fn make_branch(
        &self,
        repository: &RepositoryName,
        name: &BranchName,
        source: &RefExpression,
        hidden: bool,
        mutation: &Mutation,
    ) -> Result<BranchInfo> {
        let what = if hidden { "create hidden branch" } else { "create branch" };
        let request = mutation.of(what, &[repository.as_str(), name.as_str(), source.text()]);
        let mut attempts = Attempts::new(self);
        loop {
            match self.try_create_branch(repository, name, source, hidden, &request).await? {
                Ok(head) => return Ok(BranchInfo { name: name.clone(), head }),
                Err(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    async fn try_create_branch(
        &self,
        repository: &RepositoryName,
        name: &BranchName,
        source: &RefExpression,
        hidden: bool,
        request: &Request<'_>,
    ) -> Result<Result<CommitId, Error>> {
        let expected = load_repository(&self.snapshot().await?, repository).await?;
        let lane = self.lanes(expected.id.as_bytes(), expected.fence_lanes).acquire().await;
        let mut txn = self.begin().await?;
        if let Some(Answer::Commit(head)) = request.replay(self, &*txn).await? {
            return Ok(Ok(head));
        }
        let repository = load_writable(&txn, repository).await?;
        if repository.id != expected.id {
            return Ok(Err(crate::mutation::lost_race(repository.name.as_str())));
        }
        repository.fence().shared(&mut *txn, lane.lane()).await?;
        // The commit needs no lock: commits go only with their repository, and that takes the fence.
        let head = resolve(self, &txn, &repository, source).await?.committed(source)?.commit;
        refuse_taken_name(&txn, &repository, name).await?;
        // Whoever makes a tag of this name meanwhile locks the branch's key, so one of the two conflicts.
        let record = BranchRecord { hidden, ..self.new_branch(&txn, &repository, head).await? };
        txn.insert(record::branch::key(&repository.id, name), record.encode());
        let what = RefMove::new(RefEvent::BranchCreated, name.as_str(), None, Some(head));
        request.log(self, &mut *txn, &repository.id, what);
        request.record(self, &mut *txn, Answer::Commit(head));
        Ok(finish(txn, name.as_str()).await?.map_or(Ok(head), Err))
    }

    async fn new_branch(
        &self,
        reads: &dyn Reads,
        repository: &RepositoryRecord,
        head: CommitId,
    ) -> Result<BranchRecord> {
        let commit = self.load_commit(reads, repository, &head).await?;
        Ok(BranchRecord {
            incarnation: Incarnation::random(self.random()),
            head,
            base: commit.metarange,
            sealed: Vec::new(),
            open: self.fresh_layer(),
            hidden: false,
        })
    }

    /// The branch of this name.
    pub async fn branch(&self, repository: &RepositoryName, name: &BranchName) -> Result<BranchInfo> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        let branch = load_branch(&snapshot, &repository, name).await?;
        Ok(BranchInfo { name: name.clone(), head: branch.head })
    }

    /// Branches whose names begin with `prefix`, by name.
    pub async fn list_branches(
        &self,
        repository: &RepositoryName,
        names: impl Into<Names<'_>> + Send,
        page: &PageRequest,
    ) -> Result<Page<BranchInfo>> {
        let names = names.into();
        let start = PageStart::open(self, page, &["branches", repository.as_str(), names.prefix]).await?;
        let repository = load_repository(&start.snapshot, repository).await?;
        let all = record::branch::range(&repository.id, names.prefix);
        let range = start.range(all, names.after, |name| record::branch::key_of(&repository.id, name));
        let rows = shown_rows(&start, range, page.limit() + 1, names.hidden).await?;
        page_of(&start, rows, page.limit(), |key, value| {
            let name = record::branch::parse_key(&repository.id, key)?;
            Ok(BranchInfo { name, head: BranchRecord::decode(value)?.head })
        })
    }

    /// Deletes a branch and what is uncommitted on it. Its commits stay.
    pub async fn delete_branch(
        &self,
        repository: &RepositoryName,
        name: &BranchName,
        mutation: &Mutation,
    ) -> Result<()> {
        let request = mutation.of("delete branch", &[repository.as_str(), name.as_str()]);
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin_exclusive().await?;
            if request.replay(self, &*txn).await?.is_some() {
                return Ok(());
            }
            let repository = load_writable(&txn, repository).await?;
            refuse_default_branch(&repository, name)?;
            let branch = lock_branch(self, &mut *txn, &repository, name).await?;
            let held = branch.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
            held.seal(&mut *txn);
            let key = record::branch::key(&repository.id, name);
            drop_tokens(&mut *txn, &key, branch.tokens(), self.now());
            txn.delete(key);
            let what = RefMove::new(RefEvent::BranchDeleted, name.as_str(), Some(branch.head), None);
            request.log(self, &mut *txn, &repository.id, what);
            request.record(self, &mut *txn, Answer::Done);
            match finish(txn, name.as_str()).await? {
                None => return Ok(()),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }
}

/// The first rows of branches that are shown.
async fn shown_rows(
    start: &PageStart,
    mut range: KeyRange,
    wanted: usize,
    hidden: bool,
) -> Result<Vec<(Bytes, Bytes)>> {
    let mut shown = Vec::new();
    loop {
        let rows = start.snapshot.scan(&range, ScanOptions::first(wanted)).await?;
        let last = rows.last().filter(|_| rows.len() == wanted).map(|(key, _)| key.clone());
        for (key, value) in rows {
            if hidden || !BranchRecord::decode(&value)?.hidden {
                shown.push((key, value));
            }
        }
        match last {
            Some(last) if shown.len() < wanted => range = range.after(&last),
            _ => break,
        }
    }
    shown.truncate(wanted);
    Ok(shown)
}

async fn refuse_taken_name(
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    name: &BranchName,
) -> Result<()> {
    if reads.get(&record::branch::key(&repository.id, name)).await?.is_some() {
        let message = format!("repository '{}' has a branch '{name}' already", repository.name);
        return Err(Error::new(Code::BranchExists, name.as_str(), message));
    }
    if let Ok(tag) = TagName::new(name.as_str())
        && reads.get(&record::tag::key(&repository.id, &tag)).await?.is_some()
    {
        return Err(name_taken(name.as_str(), "tag"));
    }
    refuse_commit_id(reads, repository, name.as_str()).await
}

/// Refuses a name that is the id of a commit.
pub(super) async fn refuse_commit_id(
    reads: &dyn Reads,
    repository: &RepositoryRecord,
    name: &str,
) -> Result<()> {
    if let Ok(id) = name.parse()
        && reads.get(&record::commit::key(&repository.id, &id)).await?.is_some()
    {
        return Err(name_taken(name, "commit"));
    }
    Ok(())
}

/// The error of a name that another kind of ref has.
pub(super) fn name_taken(name: &str, by: &str) -> Error {
    Error::new(Code::RefNameTaken, name, format!("'{name}' is the name of a {by}"))
}
