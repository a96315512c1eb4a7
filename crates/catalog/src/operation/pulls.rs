//! Pull requests: branches that are proposed to be merged into others.
//!
//! One is open, closed or merged. Closing it can be undone; merging it cannot, and happens in the transaction that publishes the merge
//! ([`merge`]). It outlives its branches, and is removed with its repository.

mod merge;

use braid_kv::{ScanOptions, Transaction};
use braid_types::{
    BranchName, Code, Error, IdentityHasher, PullId, RefExpression, RepositoryName, Result, limits,
};

pub use merge::MergePull;
pub(super) use merge::{PlannedPull, PullStep};

use super::merge::refuse_same_branch;
use crate::catalog::{Catalog, finish, load_branch, load_repository, load_writable};
use crate::mutation::{Attempts, Mutation, Request};
use crate::page::{Names, Page, PageRequest, PageStart};
use crate::record::request::Answer;
use crate::record::{self, PullRecord, PullState, RepositoryRecord, pull};
use crate::view::Reads;

/// Pull requests looked at in one scan: each may have a long description.
const BATCH: usize = 100;

/// A pull request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatePull {
    /// What it is called; at most [`limits::PULL_TITLE_BYTES`].
    pub title: String,
    /// What is said of it; at most [`limits::PULL_DESCRIPTION_BYTES`].
    pub description: String,
    /// Who makes it.
    pub author: String,
    /// The branch that is to be merged.
    pub source: BranchName,
    /// The branch that it is to be merged into.
    pub destination: BranchName,
}

/// What is to be changed of a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdatePull {
    /// What it is called from now on.
    pub title: Option<String>,
    /// What is said of it from now on.
    pub description: Option<String>,
    /// Whether it is open from now on, or closed.
    pub open: Option<bool>,
}

/// Which pull requests of a list are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PullFilter {
    /// All.
    #[default]
    All,
    /// Those that can be merged.
    Open,
    /// Those that were closed or merged.
    Closed,
}

impl Catalog {
    /// Makes a pull request.
    ///
    /// # Errors
    /// [`Code::BranchNotFound`], [`Code::SameBranch`], [`Code::LimitExceeded`].
    pub async fn create_pull(
        &self,
        repository: &RepositoryName,
        create: &CreatePull,
        mutation: &Mutation,
    ) -> Result<PullRecord> {
        create.check()?;
        let request = mutation.with(create.identity(repository));
        let made = create.record(self);
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            if let Some(Answer::Pull(id)) = request.replay(self, &*txn).await? {
                let repository = load_repository(&txn, repository).await?;
                return load_pull(&txn, &repository, id).await;
            }
            let repository = load_writable(&txn, repository).await?;
            load_branch(&txn, &repository, &create.source).await?;
            load_branch(&txn, &repository, &create.destination).await?;
            txn.insert(pull::key(&repository.id, made.id), made.encode());
            match self.finish_pull(txn, &repository, &request, Answer::Pull(made.id)).await? {
                None => return Ok(made),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// A pull request.
    ///
    /// # Errors
    /// [`Code::PullRequestNotFound`].
    pub async fn pull(&self, repository: &RepositoryName, id: PullId) -> Result<PullRecord> {
        let snapshot = self.snapshot().await?;
        let repository = load_repository(&snapshot, repository).await?;
        load_pull(&snapshot, &repository, id).await
    }

    /// Pull requests whose ids begin with a prefix, the newest first, without their descriptions.
    pub async fn list_pulls(
        &self,
        repository: &RepositoryName,
        filter: PullFilter,
        names: impl Into<Names<'_>> + Send,
        page: &PageRequest,
    ) -> Result<Page<PullRecord>> {
        let (names, limit) = (names.into(), page.limit());
        let scope = ["pull requests", repository.as_str(), names.prefix, filter.name()];
        let start = PageStart::open(self, page, &scope).await?;
        let repository = load_repository(&start.snapshot, repository).await?;
        let all = pull::range(&repository.id, names.prefix);
        let mut range = start.range(all, names.after, |id| pull::key_of(&repository.id, id));
        let mut items = Vec::new();
        // One more than wanted tells that there is another page.
        while items.len() <= limit {
            let rows = start.snapshot.scan(&range, ScanOptions::first(BATCH)).await?;
            let Some((last, _)) = rows.last() else { break };
            range = range.after(last);
            for (key, row) in &rows {
                let record = PullRecord::decode(pull::parse_key(&repository.id, key)?, row)?;
                if filter.takes(record.state) {
                    items.push(PullRecord { description: String::new(), ..record });
                }
            }
        }
        let more = items.len() > limit;
        items.truncate(limit);
        let next_token = match items.last() {
            Some(last) if more => start.token_after(&pull::key(&repository.id, last.id)),
            _ => String::new(),
        };
        Ok(Page { items, next_token })
    }

    /// Changes what is said of a pull request, closes it or opens it again, and gives it as it is then.
    ///
    /// # Errors
    /// [`Code::PullRequestNotOpen`] if it was merged, [`Code::PullRequestNotFound`], [`Code::LimitExceeded`].
    pub async fn update_pull(
        &self,
        repository: &RepositoryName,
        id: PullId,
        update: &UpdatePull,
        mutation: &Mutation,
    ) -> Result<PullRecord> {
        check_texts(
            update.title.as_deref().unwrap_or_default(),
            update.description.as_deref().unwrap_or_default(),
        )?;
        let request = mutation.with(update.identity(repository, id));
        let mut attempts = Attempts::new(self);
        loop {
            let mut txn = self.begin().await?;
            if request.replay(self, &*txn).await?.is_some() {
                let repository = load_repository(&txn, repository).await?;
                return load_pull(&txn, &repository, id).await;
            }
            let repository = load_writable(&txn, repository).await?;
            let changed = update.apply(load_pull(&txn, &repository, id).await?, self)?;
            txn.put(pull::key(&repository.id, id), changed.encode());
            match self.finish_pull(txn, &repository, &request, Answer::Done).await? {
                None => return Ok(changed),
                Some(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// Ends a transaction that wrote a pull request. It must not outlive the repository, which is locked for that.
    async fn finish_pull(
        &self,
        mut txn: Box<dyn Transaction>,
        repository: &RepositoryRecord,
        request: &Request<'_>,
        answer: Answer,
    ) -> Result<Option<Error>> {
        txn.lock(record::repository::key(&repository.name));
        request.record(self, &mut *txn, answer);
        finish(txn, repository.name.as_str()).await
    }
}

impl CreatePull {
    fn check(&self) -> Result<()> {
        check_texts(&self.title, &self.description)?;
        refuse_same_branch(&RefExpression::parse(self.source.as_str())?, &self.destination)
    }

    fn identity(&self, repository: &RepositoryName) -> IdentityHasher {
        let names =
            ["create pull request", repository.as_str(), self.source.as_str(), self.destination.as_str()];
        IdentityHasher::new().strings(&names).strings(&[&self.title, &self.description, &self.author])
    }

    fn record(&self, catalog: &Catalog) -> PullRecord {
        PullRecord {
            id: PullId::new(catalog.now(), catalog.random()),
            title: self.title.clone(),
            description: self.description.clone(),
            author: self.author.clone(),
            source: self.source.clone(),
            destination: self.destination.clone(),
            created: catalog.now(),
            state: PullState::Open,
        }
    }
}

impl UpdatePull {
    fn identity(&self, repository: &RepositoryName, id: PullId) -> IdentityHasher {
        let hasher =
            IdentityHasher::new().strings(&["update pull request", repository.as_str(), &id.to_string()]);
        let hasher = hasher.strings(self.title.as_slice()).strings(self.description.as_slice());
        hasher.int64(self.open.map_or(-1, i64::from))
    }

    /// The pull request as it is to be.
    fn apply(&self, found: PullRecord, catalog: &Catalog) -> Result<PullRecord> {
        let state = match (found.state, self.open) {
            (PullState::Merged { .. }, _) => return Err(not_open(&found)),
            (PullState::Open, Some(false)) => PullState::Closed { at: catalog.now() },
            (PullState::Closed { .. }, Some(true)) => PullState::Open,
            (state, _) => state,
        };
        let title = self.title.clone().unwrap_or(found.title);
        let description = self.description.clone().unwrap_or(found.description);
        Ok(PullRecord { title, description, state, ..found })
    }
}

impl PullFilter {
    fn takes(self, state: PullState) -> bool {
        match self {
            Self::All => true,
            Self::Open => state == PullState::Open,
            Self::Closed => state != PullState::Open,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

async fn load_pull(reads: &dyn Reads, repository: &RepositoryRecord, id: PullId) -> Result<PullRecord> {
    let row = reads.get(&pull::key(&repository.id, id)).await?;
    PullRecord::decode(id, &row.ok_or_else(|| no_pull(repository, id))?)
}

fn check_texts(title: &str, description: &str) -> Result<()> {
    for (what, bytes, most) in [
        ("title", title.len(), limits::PULL_TITLE_BYTES),
        ("description", description.len(), limits::PULL_DESCRIPTION_BYTES),
    ] {
        if bytes > most {
            let message = format!("the {what} of a pull request has {bytes} bytes; the limit is {most}");
            return Err(Error::new(Code::LimitExceeded, what, message));
        }
    }
    Ok(())
}

fn no_pull(repository: &RepositoryRecord, id: PullId) -> Error {
    let message = format!("repository '{}' has no pull request '{id}'", repository.name);
    Error::new(Code::PullRequestNotFound, id.to_string(), message)
}

/// The error of one that would have to be open, or at least not merged.
fn not_open(found: &PullRecord) -> Error {
    let id = found.id;
    let message = match found.state {
        PullState::Merged { commit, .. } => {
            format!("pull request '{id}' was merged by commit '{commit}' and cannot be changed any more")
        }
        PullState::Open | PullState::Closed { .. } => {
            format!("pull request '{id}' is closed: open it again to merge it")
        }
    };
    Error::new(Code::PullRequestNotOpen, id.to_string(), message)
}
