//! Publishing: heads move to new commits in one transaction, if every branch is still what the work began from.

use std::collections::BTreeMap;

use braid_kv::{LaneGuard, Transaction, transaction_ahead};
use braid_types::{BranchName, COMMIT_VERSION, Code, Commit, CommitId, Error, RepositoryId, Result, Time};
use bytes::Bytes;

use super::clean_up::drop_tokens;
use super::plan::{Course, Plan, PlannedTag};
use super::seal::is_clean;
use super::stage::BranchAddress;
use super::tags;
use crate::catalog::{Catalog, finish, load_branch, load_writable};
use crate::mutation::{Attempts, Request, log_ref, lost_race};
use crate::record::branch::sealed_tokens;
use crate::record::ref_change::RefChange;
use crate::record::request::Answer;
use crate::record::{self, BranchRecord, RepositoryRecord, SealedLayer};

/// What goes into a commit beside its tree and parents.
#[derive(Debug, Clone)]
pub(super) struct CommitText {
    pub(super) committer: String,
    pub(super) message: String,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) time: Time,
}

impl CommitText {
    /// The commit with this text; its generation is one more than the largest of its parents'.
    pub(super) fn commit(self, parents: &[(CommitId, u32)], tree: braid_tree::TreeId) -> Commit {
        let largest = parents.iter().map(|(_, generation)| *generation).max().unwrap_or(0);
        Commit {
            parents: parents.iter().map(|(id, _)| *id).collect(),
            metarange: tree,
            committer: self.committer,
            message: self.message,
            metadata: self.metadata,
            time: self.time.whole_seconds(),
            generation: largest + 1,
            version: COMMIT_VERSION,
        }
    }
}

/// How a publish ended, if it did not fail.
#[derive(Debug)]
pub(crate) enum Published {
    /// All of the plan is there.
    Done,
    /// Nothing happened: another transaction was there first. The same plan may still do.
    Lost(Error),
    /// Nothing happened: anything is uncommitted on a branch that is to look different.
    Dirty(BranchAddress),
    /// Nothing happened, and nothing will of this plan: a branch is no longer what it began from, or one of its requests was
    /// done before.
    Outdated(Error),
}

/// What became of a plan.
#[derive(Debug)]
pub(super) enum Settled {
    /// All of it is there.
    Done,
    /// Nothing of it is: it is to be made again.
    Outdated,
    /// Nothing of it is: anything is uncommitted on a branch that is to look different.
    Dirty(BranchAddress),
}

/// Lanes of repositories in which tags are to be made; held until the transaction has ended.
type Lanes = BTreeMap<RepositoryId, LaneGuard>;

impl Plan<'_> {
    /// Publishes the plan with the answers of its requests: all of it or nothing.
    ///
    /// A branch whose own layers were committed looks the same to readers as before, so no fence is needed; layers sealed
    /// since stay. Every other one is held by its fence, taken once however many steps there are.
    pub(crate) async fn publish(&self, answers: &[(Request<'_>, Answer)]) -> Result<Published> {
        self.finish_uploads().await?;
        let lanes = self.tag_lanes().await;
        let keys: Vec<Bytes> = answers.iter().map(|(request, _)| request.key()).collect();
        let mut txn = self.begin(&keys).await?;
        // Before the branches: what is read of them must not be moved away from.
        let ended = match self.enter_ended(&mut *txn).await? {
            Ok(ended) => ended,
            Err(lost) => return Ok(Published::Outdated(lost)),
        };
        let mut records = Vec::with_capacity(self.courses.len());
        for course in self.courses.values() {
            match course.enter(self.catalog, &mut txn, !self.is_compared_only()).await? {
                Entered::As(record) => records.push(record),
                Entered::Another => return Ok(Published::Outdated(lost_race(course.name.as_str()))),
                Entered::Dirty => return Ok(Published::Dirty(course.address())),
            }
        }
        for tag in &self.tags {
            if !tag.enter(&lanes, &mut txn).await? {
                return Ok(Published::Outdated(lost_race(tag.name.as_str())));
            }
        }
        // Read last: locks have moved the state, and what was done before them must be seen.
        if txn.get_many(&keys).await?.iter().any(Option::is_some) && self.is_answered(answers, &*txn).await? {
            return Ok(Published::Outdated(lost_race("the request")));
        }
        self.write(&mut *txn, &records);
        for (key, row) in ended {
            txn.put(key, row);
        }
        for (request, answer) in answers {
            request.record(self.catalog, &mut *txn, answer.clone());
        }
        Ok(finish(txn, &self.subject()).await?.map_or(Published::Done, Published::Lost))
    }

    /// The rows of imports and pull requests that end with the plan as they are to be, all of them locked; or that one is no longer
    /// what the plan began from.
    async fn enter_ended(&self, txn: &mut dyn Transaction) -> Result<Result<Vec<(Bytes, Bytes)>, Error>> {
        let mut ended = Vec::with_capacity(self.imports.len() + self.pulls.len());
        for import in &self.imports {
            match import.enter(self.catalog, txn).await? {
                Some(row) => ended.push(row),
                None => return Ok(Err(lost_race(&import.subject()))),
            }
        }
        for (key, pull) in &self.pulls {
            match pull.enter(key, self.catalog, txn).await? {
                Some(row) => ended.push(row),
                None => return Ok(Err(lost_race(&pull.subject()))),
            }
        }
        Ok(Ok(ended))
    }

    /// Publishes the plan, trying again what was lost to others as long as the plan may do. An outcome that is not known puts
    /// it `in_doubt`, and is found out by the next try: each writes the results of the same requests, so one gets through at
    /// most, and finds them if another did before.
    pub(super) async fn settle(
        &self,
        answers: &[(Request<'_>, Answer)],
        attempts: &mut Attempts,
        in_doubt: &mut bool,
    ) -> Result<Settled> {
        loop {
            let lost = match self.publish(answers).await {
                Ok(Published::Done) => return Ok(Settled::Done),
                Ok(Published::Dirty(at)) => return Ok(Settled::Dirty(at)),
                Ok(Published::Outdated(lost)) => {
                    attempts.again(self.catalog, lost).await?;
                    return Ok(Settled::Outdated);
                }
                Ok(Published::Lost(lost)) => lost,
                Err(unknown) if unknown.code() == Code::OutcomeUnknown => {
                    *in_doubt = true;
                    unknown
                }
                Err(error) => return Err(error),
            };
            attempts.again(self.catalog, lost).await?;
        }
    }

    /// A transaction that can do what the plan needs: one branch without a fence is only compared.
    async fn begin(&self, requests: &[Bytes]) -> Result<Box<dyn Transaction>> {
        if self.is_compared_only() {
            let keys: Vec<Bytes> = requests.iter().chain(self.courses.keys()).cloned().collect();
            return Ok(transaction_ahead(self.catalog.begin().await?, &keys).await?);
        }
        self.catalog.begin_exclusive().await
    }

    fn is_compared_only(&self) -> bool {
        self.courses.len() == 1 && self.tags.is_empty() && self.courses.values().all(|course| !course.foreign)
    }

    /// Whether any of the requests has an answer that counts: one that has expired does not.
    async fn is_answered(&self, answers: &[(Request<'_>, Answer)], txn: &dyn Transaction) -> Result<bool> {
        for (request, _) in answers {
            // One that came with another request is found out when the plan is made again.
            match request.replay(self.catalog, txn).await {
                Ok(None) => {}
                Ok(Some(_)) => return Ok(true),
                Err(error) if error.code() == Code::RequestIdReused => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    /// Lanes come before the transaction, whose state must have what their last transactions put; in order, so that nobody
    /// waits in a circle.
    async fn tag_lanes(&self) -> Lanes {
        let fences: BTreeMap<RepositoryId, u16> =
            self.tags.iter().map(|tag| (tag.repository.id, tag.repository.fence_lanes)).collect();
        let mut lanes = Lanes::new();
        for (id, count) in fences {
            lanes.insert(id, self.catalog.lanes(id.as_bytes(), count).acquire().await);
        }
        lanes
    }

    fn write(&self, txn: &mut dyn Transaction, records: &[BranchRecord]) {
        let now = self.catalog.now();
        for (key, commit) in &self.commits {
            txn.put(key.clone(), commit.clone());
        }
        for ((key, course), record) in self.courses.iter().zip(records) {
            txn.put(key.clone(), record.encode());
            drop_layers(txn, key, &course.found.sealed[..course.folded], now);
        }
        for tag in &self.tags {
            txn.insert(record::tag::key(&tag.repository.id, &tag.name), record::tag::encode(&tag.commit));
        }
        for (place, planned) in (0..).zip(&self.log) {
            let change = RefChange { time: now, by: planned.by.clone(), what: planned.what.clone() };
            log_ref(self.catalog, txn, &planned.repository, place, &change);
        }
    }

    /// What errors name: the first branch or tag.
    fn subject(&self) -> String {
        let branch = self.courses.values().next().map(|course| course.name.to_string());
        branch.or_else(|| self.tags.first().map(|tag| tag.name.to_string())).unwrap_or_default()
    }
}

impl Course {
    /// Takes the branch for a transaction. Where that locks anything, it `locks` every branch: each lock moves the state that
    /// it reads.
    async fn enter(&self, catalog: &Catalog, txn: &mut Box<dyn Transaction>, locks: bool) -> Result<Entered> {
        let key = record::branch::key(&self.repository.id, &self.name);
        let current = match locks {
            true => txn.lock_for_update(&key, catalog.settings.lock_wait).await?,
            false => txn.get(&key).await?,
        };
        let Some(current) = current.map(|row| BranchRecord::decode(&row)).transpose()? else {
            return Ok(Entered::Another);
        };
        if !is_continued_by(&self.found, self.folded, &current) {
            return Ok(Entered::Another);
        }
        let left = BranchRecord { sealed: current.sealed[self.folded..].to_vec(), ..current };
        if self.foreign {
            let held = left.open.fence().exclusive(&mut **txn, catalog.settings.lock_wait).await?;
            if !is_clean(txn, &left).await? {
                return Ok(Entered::Dirty);
            }
            held.keep_open(&mut **txn);
        }
        Ok(Entered::As(BranchRecord { head: self.planned.head, base: self.planned.base, ..left }))
    }

    fn address(&self) -> BranchAddress {
        BranchAddress { repository: self.repository.name.clone(), branch: self.name.clone() }
    }
}

/// A branch as a publishing transaction finds it.
enum Entered {
    /// It can have this record.
    As(BranchRecord),
    /// It is no longer what the plan began from.
    Another,
    /// Anything is uncommitted that must not be.
    Dirty,
}

impl PlannedTag {
    /// Looks whether the tag can still be made, and makes sure that it can when the transaction commits.
    async fn enter(&self, lanes: &Lanes, txn: &mut Box<dyn Transaction>) -> Result<bool> {
        let repository = match load_writable(txn, &self.repository.name).await {
            Ok(repository) if repository.id == self.repository.id => repository,
            // Why not is found out when the plan is made again.
            Err(error) if error.is_retryable() => return Err(error),
            _ => return Ok(false),
        };
        repository.fence().shared(&mut **txn, lanes[&repository.id].lane()).await?;
        match tags::refuse_taken_name(txn, &repository, &self.name).await {
            Ok(()) => {}
            Err(error) if error.is_retryable() => return Err(error),
            Err(_) => return Ok(false),
        }
        tags::keep_from_branches(&mut **txn, &repository, &self.name);
        Ok(true)
    }
}

impl Catalog {
    /// Drops sealed layers that change nothing.
    pub(super) async fn drop_idle_layers(
        &self,
        repository: &RepositoryRecord,
        branch: &BranchName,
        folded_from: &BranchRecord,
    ) -> Result<()> {
        let mut txn = self.begin().await?;
        let current = load_branch(&txn, repository, branch).await?;
        let folded = folded_from.sealed.len();
        if folded == 0 || !is_continued_by(folded_from, folded, &current) {
            return Ok(());
        }
        let record = BranchRecord { sealed: current.sealed[folded..].to_vec(), ..current };
        let key = record::branch::key(&repository.id, branch);
        drop_layers(&mut *txn, &key, &folded_from.sealed, self.now());
        txn.put(key, record.encode());
        // Losing this race loses nothing: the layers are dropped by a later commit.
        finish(txn, branch.as_str()).await.map(|_| ())
    }
}

/// Gives the tokens of folded layers of the branch under this key to the clean-up.
pub(super) fn drop_layers(txn: &mut dyn Transaction, branch: &Bytes, folded: &[SealedLayer], now: Time) {
    drop_tokens(txn, branch, sealed_tokens(folded), now);
}

/// Whether `current` is `found` with at most more layers sealed on top of the first `folded` ones.
pub(super) fn is_continued_by(found: &BranchRecord, folded: usize, current: &BranchRecord) -> bool {
    (current.incarnation, current.head, current.base) == (found.incarnation, found.head, found.base)
        && current.sealed.starts_with(&found.sealed[..folded])
}

/// The error of an operation that needs a branch without uncommitted changes.
pub(super) fn dirty(branch: &BranchName) -> Error {
    let message = format!("branch '{branch}' has uncommitted changes: commit or reset them first");
    Error::new(Code::DirtyBranch, branch.as_str(), message)
}
