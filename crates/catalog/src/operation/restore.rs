//! Restoring references from a dump: into an empty repository, or into one that is made over the dump's namespace.
//!
//! Everything is written under a repository id that nothing refers to yet, in batches ([`hidden`]); then the commits' parents
//! are looked for ([`graph`]); and last one small transaction lets the repository's name stand for that id ([`publish`]). So
//! a restore is seen whole or not at all, however many references there are. One that broke off is done again from the
//! start, and what it left is cleaned up.

mod empty;
mod graph;
mod hidden;
mod publish;
mod refs;
mod source;

use std::sync::Arc;

use braid_types::{BranchName, CommitId, IdentityHasher, RepositoryId, RepositoryName, Result};

use self::empty::refuse_content;
use self::hidden::Hidden;
use self::source::Source;
use super::dump::RefsProgress;
use super::repositories::{check_namespace, refuse_taken};
use crate::catalog::{Catalog, FORMAT_VERSION, load_repository, load_writable};
use crate::mutation::{Mutation, Request};
use crate::protection::Protection;
use crate::record::{RepositoryRecord, RepositoryState};
use crate::refs_dump::RefsManifest;

/// What to restore, and where.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// The repository: one that is there and empty, unless it is to be made.
    pub repository: RepositoryName,
    /// Which dump; `None` for the one that the manifest in the storage namespace names.
    pub manifest: Option<RefsManifest>,
    /// How to make the repository; `None` if it is there.
    pub create: Option<CreateOver>,
}

/// How to make a repository over a storage namespace with a dump in it.
#[derive(Debug, Clone)]
pub struct CreateOver {
    /// The namespace, with the trees and the dump.
    pub storage_namespace: String,
    /// One of the dump's branches; `None` for `main` if there is one, or the only branch.
    pub default_branch: Option<BranchName>,
    /// Take the namespace though another installation of lakeFS or Braid holds it, which must not write there any more.
    pub take_over: bool,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// The repository as it is now.
    pub repository: RepositoryRecord,
    /// How much is in it.
    pub counts: RefsProgress,
}

/// What a restore has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RestoreEvent {
    /// It has come so far.
    Progress(RefsProgress),
    /// It is done. This comes last.
    Done(Restored),
}

/// A restore under way. In memory it has one file of the dump and one batch of records.
pub struct Restore {
    request: RestoreRequest,
    mutation: Mutation,
    hidden: Hidden,
    source: Source,
    /// The empty repository that the restored one comes in place of; `None` where there is none yet.
    replaces: Option<RepositoryRecord>,
    stage: Stage,
    progress: RefsProgress,
}

/// What is to be done next.
#[derive(Clone, Copy)]
enum Stage {
    Commits,
    Branches,
    Tags,
    /// Parents of the commits behind this one are to be looked for.
    Graph(Option<CommitId>),
    Publish,
    /// All was done, and is to be said.
    Done,
    Ended,
}

impl Catalog {
    /// Begins to restore references.
    ///
    /// # Errors
    /// [`Code::RepositoryNotEmpty`](braid_types::Code::RepositoryNotEmpty);
    /// [`Code::DumpNotFound`](braid_types::Code::DumpNotFound);
    /// [`Code::InvalidDump`](braid_types::Code::InvalidDump) for a dump without the default branch; where a repository is made,
    /// those of making one.
    pub async fn restore(&self, request: RestoreRequest, mutation: &Mutation) -> Result<Restore> {
        let txn = self.begin().await?;
        if asked(&request, mutation).replay(self, &*txn).await?.is_some() {
            return self.restored_before(request, mutation).await;
        }
        let replaces = match &request.create {
            None => Some(self.empty_repository(&request.repository).await?),
            Some(create) => {
                check_namespace(&create.storage_namespace)?;
                refuse_taken(&txn, &request.repository, &create.storage_namespace).await?;
                None
            }
        };
        let namespace = request.namespace(replaces.as_ref());
        let source = Source::open(self, &namespace, request.manifest).await?;
        let repository = self.restored_repository(&request, replaces.as_ref(), &source).await?;
        if request.create.as_ref().is_some_and(|create| !create.take_over) {
            self.parts.storage.claim(&namespace).await?;
        }
        let hidden = Hidden { catalog: self.clone(), repository };
        hidden.begin().await?;
        let progress = RefsProgress { commits_total: source.commits.count(), ..RefsProgress::default() };
        let (mutation, stage) = (mutation.clone(), Stage::Commits);
        Ok(Restore { request, mutation, hidden, source, replaces, stage, progress })
    }

    /// A restore that was done under the same request id.
    async fn restored_before(&self, request: RestoreRequest, mutation: &Mutation) -> Result<Restore> {
        let repository = load_repository(&self.snapshot().await?, &request.repository).await?;
        let source = Source::open(self, &repository.storage_namespace, request.manifest).await?;
        let progress = source.counts();
        let hidden = Hidden { catalog: self.clone(), repository };
        let (mutation, stage) = (mutation.clone(), Stage::Done);
        Ok(Restore { request, mutation, hidden, source, replaces: None, stage, progress })
    }

    async fn empty_repository(&self, name: &RepositoryName) -> Result<RepositoryRecord> {
        let snapshot = self.snapshot().await?;
        let repository = load_writable(&snapshot, name).await?;
        refuse_content(&snapshot, &repository).await?;
        Ok(repository)
    }

    /// The repository as it will be, with an id of its own.
    async fn restored_repository(
        &self,
        request: &RestoreRequest,
        replaces: Option<&RepositoryRecord>,
        source: &Source,
    ) -> Result<RepositoryRecord> {
        let wanted = match (replaces, &request.create) {
            (Some(empty), _) => Some(&empty.default_branch),
            (None, create) => create.as_ref().and_then(|create| create.default_branch.as_ref()),
        };
        let default_branch = source.default_branch(&request.repository, wanted).await?;
        let id = RepositoryId::random(self.random());
        Ok(match replaces {
            Some(empty) => RepositoryRecord { id, ..empty.clone() },
            None => RepositoryRecord {
                id,
                name: request.repository.clone(),
                storage_namespace: request.namespace(None),
                default_branch,
                created: self.now(),
                state: RepositoryState::Active,
                format_version: FORMAT_VERSION,
                fence_lanes: self.parts.kv.lanes(),
                protection: Protection::default(),
            },
        })
    }
}

impl Restore {
    /// Goes on, and says how far it is; `None` after the last word.
    ///
    /// # Errors
    /// [`Code::Corrupt`](braid_types::Code::Corrupt) and [`Code::InvalidDump`](braid_types::Code::InvalidDump) name the file
    /// and the record; [`Code::RepositoryNotEmpty`](braid_types::Code::RepositoryNotEmpty) if the repository was written to
    /// meanwhile. After an error there is no going on, and nothing of the restore is seen unless the error says that it may have happened.
    pub async fn next(&mut self) -> Result<Option<RestoreEvent>> {
        let stage = std::mem::replace(&mut self.stage, Stage::Ended);
        match self.step(stage).await {
            Ok(stage) => self.stage = stage,
            Err(error) => {
                // If this fails as well, the clean-up finds it in time.
                let _ = self.hidden.give_up().await;
                return Err(error);
            }
        }
        Ok(match stage {
            Stage::Ended => None,
            Stage::Done => {
                let repository = self.hidden.repository.clone();
                Some(RestoreEvent::Done(Restored { repository, counts: self.progress }))
            }
            _ => Some(RestoreEvent::Progress(self.progress)),
        })
    }

    /// Does a little of what is next; what is next then.
    async fn step(&mut self, stage: Stage) -> Result<Stage> {
        Ok(match stage {
            Stage::Commits => match self.restore_commits().await? {
                0 => Stage::Branches,
                _ => Stage::Commits,
            },
            Stage::Branches => match self.restore_branches().await? {
                0 => Stage::Tags,
                _ => Stage::Branches,
            },
            Stage::Tags => match self.restore_tags().await? {
                0 => Stage::Graph(None),
                _ => Stage::Tags,
            },
            Stage::Graph(after) => match self.check_parents(after).await? {
                Some(last) => Stage::Graph(Some(last)),
                None => Stage::Publish,
            },
            Stage::Publish => {
                self.publish().await?;
                Stage::Done
            }
            Stage::Done | Stage::Ended => Stage::Ended,
        })
    }

    fn asked(&self) -> Request<'_> {
        asked(&self.request, &self.mutation)
    }
}

impl RestoreRequest {
    fn namespace(&self, replaces: Option<&RepositoryRecord>) -> Arc<str> {
        match (replaces, &self.create) {
            (Some(empty), _) => Arc::clone(&empty.storage_namespace),
            (None, Some(create)) => create.storage_namespace.as_str().into(),
            (None, None) => unreachable!("a repository is replaced or made"),
        }
    }
}

fn asked<'a>(request: &RestoreRequest, mutation: &'a Mutation) -> Request<'a> {
    let manifest =
        request.manifest.map(|dump| [dump.commits, dump.branches, dump.tags].map(|id| id.to_hex()));
    let mut hasher = IdentityHasher::new()
        .string("restore")
        .string(request.repository.as_str())
        .strings(manifest.as_ref().map_or(&[][..], |ids| &ids[..]));
    if let Some(create) = &request.create {
        let default = create.default_branch.as_ref().map_or("", |name| name.as_str());
        hasher = hasher.string(&create.storage_namespace).string(default).int64(i64::from(create.take_over));
    }
    mutation.with(hasher)
}
