//! The first phase: a transaction claims its keys; or the only phase, when it asks to be committed at once.

use bytes::Bytes;

use super::row::{Row, Write, WriteKind};
use super::{Abort, Conflict, ConflictReason, Fate, Lock, LockKind, Mvcc, Refusal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MutationKind {
    Put,
    Delete,
    /// Nothing is changed, but the key counts as written.
    Lock,
    /// A put of a key that has no value.
    Insert,
    /// The key has no value; nothing is written.
    CheckNotExists,
}

/// What a pessimistic transaction has the store check of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Check {
    /// Nothing: it was not locked before, and need not have been.
    Skip,
    /// That it was locked before.
    Locked,
    /// That it did not change since the transaction began.
    Unchanged,
}

#[derive(Clone, Debug)]
pub(crate) struct Mutation {
    pub(crate) kind: MutationKind,
    pub(crate) key: Bytes,
    /// Of a put or insert.
    pub(crate) value: Bytes,
    /// The key must have a value, or none.
    pub(crate) must_exist: Option<bool>,
    pub(crate) check: Check,
}

/// A transaction's claim to some of its keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Prewrite {
    pub(crate) mutations: Vec<Mutation>,
    pub(crate) primary: Bytes,
    pub(crate) start: u64,
    pub(crate) ttl: u64,
    pub(crate) txn_size: u64,
    /// 0: the transaction is optimistic.
    pub(crate) for_update: u64,
    pub(crate) min_commit: u64,
    /// 0: no bound.
    pub(crate) max_commit: u64,
    /// Set: an async commit.
    pub(crate) secondaries: Option<Vec<Bytes>>,
    pub(crate) one_phase: bool,
    /// The keys are known to be new.
    pub(crate) skip_checks: bool,
    pub(crate) retry: bool,
}

impl Prewrite {
    fn is_pessimistic(&self) -> bool {
        self.for_update != 0
    }

    fn chooses_commit(&self) -> bool {
        self.one_phase || self.secondaries.is_some()
    }

    fn skips_checks(&self, check: Check) -> bool {
        match check {
            _ if !self.is_pessimistic() => self.skip_checks,
            Check::Locked => true,
            Check::Skip => !self.retry,
            Check::Unchanged => false,
        }
    }
}

/// What a prewrite that was done answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prewritten {
    /// Of an async commit; 0: it is none, or not any more.
    pub(crate) min_commit: u64,
    /// Of a commit in one phase; 0: only locks were written.
    pub(crate) one_phase_commit: u64,
}

/// What is to be done about one mutation.
enum Step {
    /// A lock of this transaction is there already, with this `min_commit` if it is an async commit's.
    Done(u64),
    /// Nothing is written, but the transaction commits no earlier.
    NotBefore(u64),
    Write(Lock),
}

/// The writes of a prewrite under way.
struct Plan<'a> {
    request: &'a Prewrite,
    locks: Vec<(Bytes, Lock)>,
    locked: Vec<Refusal>,
    /// The commit timestamp so far; `None`: the transaction commits in two phases.
    commit: Option<u64>,
}

impl Mvcc {
    /// Claims keys for a transaction, all or none; commits them at once if it asks for that and it can be had. Done again
    /// it changes nothing, also after the commit.
    ///
    /// # Errors
    /// All locks met, or the first other refusal.
    pub(crate) fn prewrite(
        &mut self,
        request: &Prewrite,
        max_ts: &mut u64,
    ) -> Result<Prewritten, Vec<Refusal>> {
        let commit = request.chooses_commit().then_some(0);
        let mut plan = Plan { request, locks: Vec::new(), locked: Vec::new(), commit };
        for mutation in &request.mutations {
            let step = self.prewrite_step(request, mutation, max_ts);
            let step = match step {
                Err(refusal) if may_be_late(&refusal) => match self.fate(&mutation.key, request.start) {
                    Fate::Committed(commit) => return Ok(committed_before(request, commit)),
                    Fate::RolledBack | Fate::Unknown => Err(refusal),
                },
                step => step,
            };
            plan.take(&mutation.key, step, *max_ts).map_err(|refusal| vec![refusal])?;
        }
        if !plan.locked.is_empty() {
            return Err(plan.locked);
        }
        Ok(self.apply(plan))
    }

    fn prewrite_step(
        &self,
        request: &Prewrite,
        mutation: &Mutation,
        max_ts: &mut u64,
    ) -> Result<Step, Refusal> {
        let (key, start) = (&mutation.key, request.start);
        let must_be_new = matches!(mutation.kind, MutationKind::Insert | MutationKind::CheckNotExists);
        if request.is_pessimistic() && mutation.kind == MutationKind::CheckNotExists {
            return Err(Abort::CheckNotExistsInPessimistic { key: key.clone() }.into());
        }
        if must_be_new {
            *max_ts = start.max(*max_ts);
        }
        let own = self.own_lock(request, mutation)?;
        if let Some(lock) = own.filter(|lock| lock.kind != LockKind::Pessimistic) {
            return Ok(Step::Done(if lock.secondaries.is_some() { lock.min_commit } else { 0 }));
        }
        if let Some(row) = self.row(key) {
            check_versions(request, mutation, row, must_be_new)?;
        }
        check_assertion(request, mutation, self.row(key))?;
        Ok(match lock_of(request, mutation, own) {
            Some(lock) => Step::Write(lock),
            None => Step::NotBefore(request.min_commit.max(start.saturating_add(1))),
        })
    }

    /// The transaction's lock on the key, if any.
    ///
    /// # Errors
    /// Another's lock is there; or the transaction's own should be, and it is not, and the key has changed meanwhile.
    fn own_lock(&self, request: &Prewrite, mutation: &Mutation) -> Result<Option<&Lock>, Refusal> {
        let (key, start) = (&mutation.key, request.start);
        let missing = || Refusal::from(Abort::PessimisticLockNotFound { start, key: key.clone() });
        match self.lock(key) {
            Some(lock) if lock.start != start && mutation.check == Check::Locked => Err(missing()),
            Some(lock) if lock.start != start => Err(locked_by_other(request, key, lock)),
            Some(lock) if lock.kind == LockKind::Pessimistic && !request.is_pessimistic() => {
                Err(Abort::LockTypeNotMatch { start, key: key.clone() }.into())
            }
            Some(lock) => Ok(Some(lock)),
            None if mutation.check != Check::Locked => Ok(None),
            // The lock was lost; it may be made good if nobody can have been in between.
            None => match self.row(key).and_then(Row::newest) {
                Some((commit, _)) if commit >= start => Err(missing()),
                _ => Ok(None),
            },
        }
    }

    fn apply(&mut self, plan: Plan<'_>) -> Prewritten {
        let one_phase = plan.commit.filter(|_| plan.request.one_phase);
        for (key, lock) in plan.locks {
            let row = self.row_mut(&key);
            match (one_phase, Write::of(&lock)) {
                (Some(commit), Some(write)) => {
                    row.lock = None;
                    row.commit(commit, write);
                }
                _ => row.lock = Some(lock),
            }
        }
        match plan.commit {
            Some(commit) => committed_before(plan.request, commit),
            None => Prewritten::default(),
        }
    }
}

impl Plan<'_> {
    /// Takes a mutation's step in. Locks of others are collected, anything else ends the prewrite.
    fn take(&mut self, key: &Bytes, step: Result<Step, Refusal>, max_ts: u64) -> Result<(), Refusal> {
        match step {
            Err(refusal @ Refusal::Locked { .. }) => self.locked.push(refusal),
            Err(refusal) => return Err(refusal),
            Ok(Step::Done(min_commit) | Step::NotBefore(min_commit)) => self.commit_not_before(min_commit),
            Ok(Step::Write(mut lock)) => {
                if self.commit.is_some() {
                    let seen = max_ts.max(lock.start).max(lock.for_update);
                    lock.min_commit = lock.min_commit.max(seen.saturating_add(1));
                    self.commit_not_before(lock.min_commit);
                }
                self.claim(key, lock);
            }
        }
        Ok(())
    }

    /// Raises the commit timestamp. A lock that knows of none (0), or a timestamp past the bound, means that the whole
    /// transaction commits in two phases after all.
    fn commit_not_before(&mut self, min_commit: u64) {
        let bound = self.request.max_commit;
        self.commit = match self.commit {
            Some(_) if min_commit == 0 || (bound != 0 && min_commit > bound) => None,
            commit => commit.map(|commit| commit.max(min_commit)),
        };
        if self.commit.is_none() {
            self.locks.iter_mut().for_each(|(_, lock)| lock.secondaries = None);
        }
    }

    fn claim(&mut self, key: &Bytes, mut lock: Lock) {
        let is_primary = *key == self.request.primary;
        let secondaries = self.request.secondaries.as_ref().filter(|_| self.commit.is_some());
        lock.secondaries = secondaries.map(|keys| if is_primary { keys.clone() } else { Vec::new() });
        self.locks.push((key.clone(), lock));
    }
}

/// Refusals that a prewrite meets too if it comes again after its transaction was committed.
fn may_be_late(refusal: &Refusal) -> bool {
    match refusal {
        Refusal::WriteConflict(conflict) => conflict.conflict_commit > conflict.start,
        Refusal::Locked { .. } | Refusal::Abort(Abort::PessimisticLockNotFound { .. }) => true,
        _ => false,
    }
}

fn committed_before(request: &Prewrite, commit: u64) -> Prewritten {
    Prewritten {
        min_commit: if request.secondaries.is_some() { commit } else { 0 },
        one_phase_commit: if request.one_phase { commit } else { 0 },
    }
}

/// A pessimistic transaction owns its keys: what it meets on one that it did not lock is to be resolved at once.
fn locked_by_other(request: &Prewrite, key: &Bytes, lock: &Lock) -> Refusal {
    let ttl = if request.is_pessimistic() { 0 } else { lock.ttl };
    Refusal::locked(key, &Lock { ttl, ..lock.clone() })
}

fn check_versions(
    request: &Prewrite,
    mutation: &Mutation,
    row: &Row,
    must_be_new: bool,
) -> Result<(), Refusal> {
    if request.skips_checks(mutation.check) {
        return Ok(());
    }
    for (&commit, write) in row.writes.iter().rev() {
        let rollback = write.kind == WriteKind::Rollback;
        if let Some(reason) =
            conflict_of(request, mutation.check, commit, rollback || write.overlapped_rollback)
        {
            return Err(Conflict {
                start: request.start,
                conflict_start: write.start,
                conflict_commit: commit,
                key: mutation.key.clone(),
                primary: request.primary.clone(),
                reason,
            }
            .into());
        }
        if !request.is_pessimistic() || commit <= request.for_update {
            break;
        }
        if !rollback {
            let (start, key) = (request.start, mutation.key.clone());
            return Err(Abort::PessimisticLockNotFound { start, key }.into());
        }
    }
    if must_be_new && row.value(u64::MAX).is_some() {
        return Err(Refusal::AlreadyExists { key: mutation.key.clone() });
    }
    Ok(())
}

/// The rule that a version breaks. `rollback`: it is one, or has one folded in.
fn conflict_of(request: &Prewrite, check: Check, commit: u64, rollback: bool) -> Option<ConflictReason> {
    if commit == request.start && rollback {
        return Some(ConflictReason::SelfRolledBack);
    }
    match check {
        _ if commit <= request.start => None,
        _ if !request.is_pessimistic() => Some(ConflictReason::Optimistic),
        Check::Unchanged => Some(ConflictReason::LazyUniquenessCheck),
        Check::Skip | Check::Locked => None,
    }
}

fn check_assertion(request: &Prewrite, mutation: &Mutation, row: Option<&Row>) -> Result<(), Refusal> {
    let existing = row.and_then(|row| row.version(u64::MAX));
    match mutation.must_exist {
        Some(must_exist) if must_exist != existing.is_some() => Err(Refusal::AssertionFailed {
            start: request.start,
            key: mutation.key.clone(),
            must_exist,
            existing: existing.map(|(commit, write)| (write.start, commit)),
        }),
        _ => Ok(()),
    }
}

/// The lock to write, made from the pessimistic one that is there; `None` if nothing is to be written.
fn lock_of(request: &Prewrite, mutation: &Mutation, own: Option<&Lock>) -> Option<Lock> {
    let kind = match mutation.kind {
        MutationKind::Put | MutationKind::Insert => LockKind::Put,
        MutationKind::Delete => LockKind::Delete,
        MutationKind::Lock => LockKind::Lock,
        MutationKind::CheckNotExists => return None,
    };
    let value = if kind == LockKind::Put { mutation.value.clone() } else { Bytes::new() };
    let (ttl, for_update, min_commit) =
        own.map_or((0, 0, 0), |lock| (lock.ttl, lock.for_update, lock.min_commit));
    Some(Lock {
        primary: request.primary.clone(),
        start: request.start,
        ttl: request.ttl.max(ttl),
        kind,
        value,
        for_update: request.for_update.max(for_update),
        txn_size: request.txn_size,
        min_commit: request.min_commit.max(min_commit),
        secondaries: None,
    })
}
