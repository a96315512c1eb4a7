//! Structural changes of a branch: a layer is put on top of what is uncommitted, or a few entries are rewritten, in one
//! transaction that holds the branch alone.
//!
//! The transaction locks the branch record, then the open layer's fence. Under it a [`Plan`] looks at the branch and
//! decides; what it relies on cannot change before the commit, since every writer passes the fence and everybody who seals
//! or publishes writes the record. A layer costs the same few writes whatever it covers. Entries that are rewritten one by
//! one go into the open layer, which stays open, with rows in its change log.

use std::sync::Arc;

use async_trait::async_trait;
use braid_kv::{Held, Snapshot, Transaction};
use braid_tree::Value;
use braid_types::{BranchName, Code, Error, RepositoryName, Result, limits};
use bytes::Bytes;

use super::repositories::lock_branch;
use super::seal::is_empty;
use super::stage::{BranchAddress, staged_states};
use crate::catalog::{Catalog, finish, load_branch, load_writable};
use crate::mutation::{Attempts, Request, log_ref};
use crate::protection::Touch;
use crate::record::path_change::{self, PathChange, PathState};
use crate::record::ref_change::{RefChange, RefMove};
use crate::record::request::Answer;
use crate::record::{self, BranchRecord, Layer, RepositoryRecord, staged};
use crate::view::View;

/// The lane whose numbers a transaction takes that holds them all.
const LANE: u16 = 0;

/// A branch as a plan sees it.
pub(super) struct Scene<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) repository: RepositoryRecord,
    pub(super) branch: BranchRecord,
    pub(super) view: View,
    pub(super) snapshot: Arc<dyn Snapshot>,
}

/// What a plan decides.
#[derive(Debug)]
pub(super) enum Decision {
    /// Nothing is there to be changed.
    Nothing,
    /// These paths get these values, or none.
    Rewrite(Vec<(Bytes, Option<Value>)>),
    /// This layer is put on top.
    Push(Layer),
    /// These paths get these values, and these layers, which cover none of them, are put on top.
    Stack(Vec<(Bytes, Value)>, Vec<Layer>),
}

/// Decides on one structural change.
#[async_trait]
pub(super) trait Plan: Send + Sync {
    /// What is to be done. Writes nothing; may be asked again on another state.
    async fn decide(&self, scene: &Scene<'_>) -> Result<Decision>;

    /// Writes what is to be written together with the change. Asked after all that the transaction reads of the branch was locked, before
    /// it is read.
    async fn accompany(&self, _catalog: &Catalog, _txn: &mut dyn Transaction) -> Result<()> {
        Ok(())
    }
}

/// A branch that a transaction holds alone.
struct Alone<'a> {
    txn: Box<dyn Transaction>,
    fence: Held,
    name: &'a BranchName,
    request: &'a Request<'a>,
}

impl Catalog {
    /// Does what `plan` decides on a branch; says whether there was anything to be changed.
    pub(super) async fn restructure(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        request: &Request<'_>,
        plan: &dyn Plan,
    ) -> Result<bool> {
        self.look_ahead(repository, branch, plan).await;
        let mut attempts = Attempts::new(self);
        loop {
            match self.try_restructure(repository, branch, request, plan).await? {
                Ok(changed) => return Ok(changed),
                Err(lost) => attempts.again(self, lost).await?,
            }
        }
    }

    /// Decides in vain, so that what the decision reads from the object store is at hand once writers wait for it. Whatever
    /// is refused here is refused again, or was done before.
    async fn look_ahead(&self, repository: &RepositoryName, branch: &BranchName, plan: &dyn Plan) {
        let look = async {
            let snapshot = self.snapshot().await?;
            let repository = load_writable(&snapshot, repository).await?;
            let record = load_branch(&snapshot, &repository, branch).await?;
            plan.decide(&self.scene(repository, record, snapshot).await?).await
        };
        let _ = look.await;
    }

    /// One attempt. The inner error is a lost race.
    async fn try_restructure(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        request: &Request<'_>,
        plan: &dyn Plan,
    ) -> Result<Result<bool, Error>> {
        let mut txn = self.begin_exclusive().await?;
        if let Some(answer) = request.replay(self, &*txn).await? {
            return Ok(Ok(changed_anything(&answer)));
        }
        plan.accompany(self, &mut *txn).await?;
        let repository = load_writable(&txn, repository).await?;
        repository.protection.check(&repository.name, branch, Touch::Write)?;
        let record = lock_branch(self, &mut *txn, &repository, branch).await?;
        let fence = record.open.fence().exclusive(&mut *txn, self.settings.lock_wait).await?;
        // Another attempt of the same request may have held the branch until now.
        if let Some(answer) = request.replay(self, &*txn).await? {
            return Ok(Ok(changed_anything(&answer)));
        }
        // Taken while the branch is held: it sees everything that was committed to it.
        let scene = self.scene(repository, record, self.snapshot().await?).await?;
        let decision = plan.decide(&scene).await?;
        let changed = !matches!(decision, Decision::Nothing);
        let mut alone = Alone { txn, fence, name: branch, request };
        request.record(self, &mut *alone.txn, Answer::Existed(vec![changed]));
        let ready = match decision {
            Decision::Nothing => alone.leave(scene.branch),
            Decision::Rewrite(entries) => alone.rewrite(self, scene.branch, entries).await?,
            Decision::Push(layer) => alone.push(self, &scene.repository, scene.branch, vec![layer]).await?,
            Decision::Stack(entries, layers) => {
                let puts = entries.into_iter().map(|(path, value)| (path, Some(value))).collect();
                alone.stage(self, &scene.branch, puts).await?;
                alone.push(self, &scene.repository, scene.branch, layers).await?
            }
        };
        let lost = finish(ready.txn, branch.as_str()).await?;
        if lost.is_none() {
            self.hints().note(&scene.repository, branch, &ready.branch);
        }
        Ok(lost.map_or(Ok(changed), Err))
    }

    async fn scene(
        &self,
        repository: RepositoryRecord,
        branch: BranchRecord,
        snapshot: Arc<dyn Snapshot>,
    ) -> Result<Scene<'_>> {
        let view = View::staged(&branch, self.ranges(&repository).await?);
        Ok(Scene { catalog: self, repository, branch, view, snapshot })
    }
}

/// A transaction that is ready to be committed, and the branch after it.
struct Ready {
    txn: Box<dyn Transaction>,
    branch: BranchRecord,
}

impl Alone<'_> {
    fn leave(mut self, branch: BranchRecord) -> Ready {
        self.fence.keep_open(&mut *self.txn);
        Ready { txn: self.txn, branch }
    }

    async fn rewrite(
        mut self,
        catalog: &Catalog,
        branch: BranchRecord,
        entries: Vec<(Bytes, Option<Value>)>,
    ) -> Result<Ready> {
        self.stage(catalog, &branch, entries).await?;
        Ok(self.leave(branch))
    }

    /// Stages entries in the open layer, each with its row in the change log.
    async fn stage(
        &mut self,
        catalog: &Catalog,
        branch: &BranchRecord,
        entries: Vec<(Bytes, Option<Value>)>,
    ) -> Result<()> {
        let token = branch.open.token;
        let paths: Vec<Bytes> = entries.iter().map(|(path, _)| path.clone()).collect();
        let before = staged_states(&self.txn, branch, &paths).await?;
        let pass = self.fence.take_numbers(LANE, entries.len() as u64);
        for (number, ((path, value), old)) in (pass.number..).zip(entries.into_iter().zip(before)) {
            let new = PathState::staged(value);
            let row = new.encode_staged().expect("puts and deletes are staged");
            self.txn.put(staged::key(&token, &path), row);
            let (stamp, by) = (self.txn.timestamp(), self.request.by().clone());
            let change = PathChange { stamp, time: catalog.now(), by, path, old, new };
            self.txn.put(path_change::key(&token, pass.lane, number), change.encode());
        }
        Ok(())
    }

    /// Puts layers on top. An open layer in which nothing is staged stays open above them.
    async fn push(
        mut self,
        catalog: &Catalog,
        repository: &RepositoryRecord,
        mut branch: BranchRecord,
        layers: Vec<Layer>,
    ) -> Result<Ready> {
        if is_empty(&self.txn, &branch.open).await? {
            self.fence.keep_open(&mut *self.txn);
        } else {
            if self.fence.numbers_given() >= catalog.settings.fold_entries {
                let (repository, branch) = (repository.name.clone(), self.name.clone());
                catalog.hints().tall().note(&BranchAddress { repository, branch });
            }
            branch = catalog.with_sealed_layer(branch);
            self.fence.seal(&mut *self.txn);
        }
        branch.sealed.extend(layers.iter().map(|layer| catalog.new_layer(layer.clone())));
        if branch.sealed.len() > limits::LAYERS {
            return Err(too_many_layers(self.name));
        }
        self.txn.put(record::branch::key(&repository.id, self.name), branch.encode());
        for (place, layer) in (0..).zip(layers) {
            let what = RefMove::restructured(self.name, branch.head, layer);
            let change = RefChange { time: catalog.now(), by: self.request.by().clone(), what };
            log_ref(catalog, &mut *self.txn, &repository.id, place, &change);
        }
        Ok(Ready { txn: self.txn, branch })
    }
}

fn changed_anything(answer: &Answer) -> bool {
    *answer != Answer::Existed(vec![false])
}

fn too_many_layers(branch: &BranchName) -> Error {
    let most = limits::LAYERS;
    let message = format!(
        "branch '{branch}' has the {most} layers of uncommitted changes that it may have; they are folded before long, or commit it"
    );
    Error::new(Code::Busy, branch.as_str(), message)
}
