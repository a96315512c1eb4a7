//! Commit sets: commits, merges, hard resets and tags on any number of branches and repositories, all or none.
//!
//! Members are carried out in order, each on what those before it left, and published in one transaction. A set has turns in
//! the queues of its branches, and seals those that it commits in one transaction: that is the cut. It commits what is before the
//! cut, whatever others seal after it, so that what was staged on several of them at once is committed at once.

use std::sync::Arc;

use braid_kv::Snapshot;
use braid_types::{
    BranchName, Code, CommitId, Error, IdentityHasher, RefExpression, RepositoryName, Result, TagName, limits,
};

use super::commit::CommitRequest;
use super::merge::MergeRequest;
use super::plan::{Place, Plan};
use super::publish::{Settled, dirty};
use super::seal_all::{Branches, Cut};
use super::stage::BranchAddress;
use super::tree_files::Uploads;
use crate::catalog::{Catalog, load_branch, load_writable};
use crate::hooks::{HookEvent, HookedChange};
use crate::mutation::{Attempts, Mutation, Request, lost_race};
use crate::record;
use crate::record::request::Answer;

/// A member of a commit set.
#[derive(Debug, Clone)]
pub struct SetMember {
    /// The repository that it is in.
    pub repository: RepositoryName,
    /// What is to be done.
    pub action: SetAction,
}

/// What a member of a commit set does.
#[derive(Debug, Clone)]
pub enum SetAction {
    /// Commits what is staged on a branch.
    Commit(CommitRequest),
    /// Merges a ref into a branch.
    Merge(MergeRequest),
    /// Moves the head of a branch.
    HardReset {
        /// The branch.
        branch: BranchName,
        /// Where to.
        to: RefExpression,
    },
    /// Makes a tag.
    Tag {
        /// Its name.
        name: TagName,
        /// What it is to name.
        reference: RefExpression,
    },
}

/// A set on its way to being published.
struct Set<'a> {
    catalog: &'a Catalog,
    members: &'a [SetMember],
    request: Request<'a>,
    /// Where the branches that are committed were divided.
    cut: Option<Cut>,
    in_doubt: bool,
    /// Hooks were asked about its members.
    asked: bool,
}

impl Catalog {
    /// Carries out a commit set: all of its members or none. Gives for each the commit that it made or named.
    ///
    /// # Errors
    /// Those of the members, with the number and kind of the one that failed; [`Code::LimitExceeded`] for too many members.
    pub async fn commit_set(&self, members: &[SetMember], mutation: &Mutation) -> Result<Vec<CommitId>> {
        check(members)?;
        let start = IdentityHasher::new().string("commit set").int64(members.len() as i64);
        let identity = members.iter().fold(start, |hasher, member| hasher.bytes(&member.identity()));
        let request = mutation.with(identity);
        let branches: Vec<BranchAddress> = members.iter().filter_map(SetMember::branch).collect();
        let _turns = self.turns(&branches).await?;
        let mut set = Set { catalog: self, members, request, cut: None, in_doubt: false, asked: false };
        let (uploads, mut attempts) = (Uploads::default(), Attempts::new(self));
        loop {
            match Box::pin(set.go_on(&uploads, &mut attempts)).await {
                Ok(Some(made)) => return Ok(made),
                Ok(None) => {}
                Err(error) if set.in_doubt => return Err(error.that_may_have_happened()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl Set<'_> {
    /// Plans the set and publishes it; nothing if it is to be planned again.
    async fn go_on(&mut self, uploads: &Uploads, attempts: &mut Attempts) -> Result<Option<Vec<CommitId>>> {
        let catalog = self.catalog;
        let snapshot = catalog.snapshot().await?;
        let stored = snapshot.get(&self.request.key()).await?;
        if let Some(Answer::Commits(made)) = self.request.replayed(catalog, stored.as_ref())? {
            // Made by this call, unless by another to which the same request was sent.
            if self.in_doubt {
                self.tell_hooks(&made).await;
            }
            return Ok(Some(made));
        }
        self.ask_hooks().await?;
        let Some(cut) = self.cut_in(&snapshot, attempts).await? else {
            return Ok(None);
        };
        let mut plan = Plan::new(catalog, snapshot, uploads).cut_at(cut);
        let made = self.plan(&mut plan).await?;
        let answers = [(self.request.again(), Answer::Commits(made.clone()))];
        match plan.settle(&answers, attempts, &mut self.in_doubt).await? {
            Settled::Done => {
                self.tell_hooks(&made).await;
                Ok(Some(made))
            }
            Settled::Outdated => Ok(None),
            Settled::Dirty(at) => Err(self.blame(&at)),
        }
    }

    /// Asks the hooks, once, about each member that makes a commit.
    async fn ask_hooks(&mut self) -> Result<()> {
        if std::mem::replace(&mut self.asked, true) {
            return Ok(());
        }
        for (number, member) in self.members.iter().enumerate() {
            if let Some(event) = member.event(self.request.by()) {
                let asked = self.catalog.hooks().ask(&event).await;
                asked.map_err(|error| member.failed(number, &error))?;
            }
        }
        Ok(())
    }

    /// Tells the hooks what the members made that they were asked about.
    async fn tell_hooks(&self, made: &[CommitId]) {
        for (member, made) in self.members.iter().zip(made).filter(|_| self.asked) {
            if let Some(event) = member.event(self.request.by()) {
                self.catalog.hooks().tell(&event, *made).await;
            }
        }
    }

    /// The cut, if this state has it. Else the branches are divided, and it is in a later state.
    async fn cut_in(&mut self, snapshot: &Arc<dyn Snapshot>, attempts: &mut Attempts) -> Result<Option<Cut>> {
        if let Some(cut) = self.cut.take() {
            if cut.is_whole(snapshot).await? {
                self.cut = Some(cut.clone());
                return Ok(Some(cut));
            }
            attempts.again(self.catalog, lost_race("the set")).await?;
        }
        let branches = self.committed(snapshot).await?;
        if branches.is_empty() {
            self.cut = Some(Cut::default());
            return Ok(self.cut.clone());
        }
        self.cut = Some(self.catalog.seal_all(&branches).await?);
        Ok(None)
    }

    /// The branches that are committed.
    async fn committed(&self, snapshot: &Arc<dyn Snapshot>) -> Result<Branches> {
        let mut branches = Branches::new();
        for (number, member) in self.members.iter().enumerate() {
            if let SetAction::Commit(commit) = &member.action {
                let repository = load_writable(snapshot, &member.repository).await;
                let repository = repository.map_err(|error| member.failed(number, &error))?;
                let found = load_branch(snapshot, &repository, &commit.branch).await;
                found.map_err(|error| member.failed(number, &error))?;
                branches.insert(
                    record::branch::key(&repository.id, &commit.branch),
                    (repository, commit.branch.clone()),
                );
            }
        }
        Ok(branches)
    }

    async fn plan(&self, plan: &mut Plan<'_>) -> Result<Vec<CommitId>> {
        let mut made = Vec::with_capacity(self.members.len());
        for (number, member) in self.members.iter().enumerate() {
            let planned = member.plan(plan, self.request.by()).await;
            made.push(planned.map_err(|error| member.failed(number, &error))?);
        }
        Ok(made)
    }

    /// The error of the first member that needs a branch to be clean which is not.
    fn blame(&self, at: &BranchAddress) -> Error {
        let error = dirty(&at.branch);
        let needs = |member: &SetMember| {
            !matches!(member.action, SetAction::Commit(_)) && member.branch().as_ref() == Some(at)
        };
        match self.members.iter().position(needs) {
            Some(number) => self.members[number].failed(number, &error),
            None => error,
        }
    }
}

impl SetMember {
    async fn plan(&self, plan: &mut Plan<'_>, by: &Mutation) -> Result<CommitId> {
        let repository = plan.repository(&self.repository).await?;
        let place = Place { repository: &repository, by };
        match &self.action {
            SetAction::Commit(commit) => plan.commit(place, commit).await,
            SetAction::Merge(merge) => plan.merge(place, merge).await,
            SetAction::HardReset { branch, to } => plan.hard_reset(place, branch, to).await,
            SetAction::Tag { name, reference } => plan.tag(place, name, reference).await,
        }
    }

    /// The branch that it changes.
    fn branch(&self) -> Option<BranchAddress> {
        let branch = match &self.action {
            SetAction::Commit(commit) => &commit.branch,
            SetAction::Merge(merge) => &merge.destination,
            SetAction::HardReset { branch, .. } => branch,
            SetAction::Tag { .. } => return None,
        };
        Some(BranchAddress { repository: self.repository.clone(), branch: branch.clone() })
    }

    /// What hooks are asked about and told of.
    fn event<'a>(&'a self, by: &'a Mutation) -> Option<HookEvent<'a>> {
        let (change, branch, source, message, metadata) = match &self.action {
            SetAction::Commit(commit) => {
                (HookedChange::Commit, &commit.branch, None, &commit.message, &commit.metadata)
            }
            SetAction::Merge(merge) => {
                let source = Some(&merge.source);
                (HookedChange::Merge, &merge.destination, source, &merge.message, &merge.metadata)
            }
            SetAction::HardReset { .. } | SetAction::Tag { .. } => return None,
        };
        Some(HookEvent { change, repository: &self.repository, branch, source, by, message, metadata })
    }

    fn check(&self) -> Result<()> {
        match &self.action {
            SetAction::Commit(commit) => commit.check(),
            SetAction::Merge(merge) => merge.check(),
            SetAction::HardReset { .. } | SetAction::Tag { .. } => Ok(()),
        }
    }

    fn identity(&self) -> [u8; 32] {
        let repository = &self.repository;
        let of = |words: [&str; 3]| IdentityHasher::new().strings(&words).string(repository.as_str());
        match &self.action {
            SetAction::Commit(commit) => commit.identity(repository),
            SetAction::Merge(merge) => merge.identity(repository),
            SetAction::HardReset { branch, to } => of(["hard reset", branch.as_str(), to.text()]),
            SetAction::Tag { name, reference } => of(["tag", name.as_str(), reference.text()]),
        }
        .finish()
    }

    /// The error of this member, the one with this number.
    fn failed(&self, number: usize, error: &Error) -> Error {
        let message = format!("member {} ({}): {error}", number + 1, self.what());
        let failed = Error::new(error.code(), error.subject(), message);
        if error.may_have_happened() { failed.that_may_have_happened() } else { failed }
    }

    fn what(&self) -> String {
        let repository = &self.repository;
        match &self.action {
            SetAction::Commit(commit) => format!("commit of '{repository}/{}'", commit.branch),
            SetAction::Merge(merge) => {
                format!("merge of '{}' into '{repository}/{}'", merge.source, merge.destination)
            }
            SetAction::HardReset { branch, to } => format!("hard reset of '{repository}/{branch}' to '{to}'"),
            SetAction::Tag { name, reference } => format!("tag '{repository}/{name}' of '{reference}'"),
        }
    }
}

fn check(members: &[SetMember]) -> Result<()> {
    let most = limits::SET_MEMBERS;
    if members.is_empty() || members.len() > most {
        let message = format!("a commit set has 1 to {most} members, not {}", members.len());
        return Err(Error::new(Code::LimitExceeded, "members", message));
    }
    for (number, member) in members.iter().enumerate() {
        member.check().map_err(|error| member.failed(number, &error))?;
    }
    Ok(())
}
