//! The second phase: the primary's commit decides, the other keys follow.

use std::sync::Arc;

use bytes::Bytes;

use super::rollback::portion;
use crate::core::Core;
use crate::failure::Failure;
use crate::outcome::{Conflict, ConflictReason, Outcome};
use crate::patience::{Patience, Pause};
use crate::proto::kvrpcpb::{CommitRequest, CommitRole, KeyError};
use crate::region::Region;
use crate::spread::{Batch, spread};
use crate::store::Extras;
use crate::{Error, Timestamp};

const CALL: &str = "KvCommit";
/// How many keys of the primary's region are committed with it.
const WITH_PRIMARY: usize = 512;

/// A transaction all of whose keys are locked.
pub(super) struct Finish<'a> {
    pub(super) core: &'a Arc<Core>,
    pub(super) start: Timestamp,
    pub(super) primary: &'a Bytes,
    /// All keys; the primary is the first.
    pub(super) keys: &'a [Bytes],
}

/// What a store answered to the commit of the primary.
enum Answer {
    Committed(Timestamp),
    /// A reader came first: the commit must be later than this.
    TooEarly(Timestamp),
    RolledBack(Bytes),
    /// An error that does not say what became of the transaction.
    Unclear(String),
}

impl Finish<'_> {
    /// Commits the primary, and those keys that lie with it. The keys left over follow in the background.
    ///
    /// # Errors
    /// What was met, where it does not say what became of the transaction.
    pub(super) async fn run(&self, patience: &mut Patience) -> Result<Outcome, Error> {
        let mut unsure = false;
        match self.decide(patience, &mut unsure).await {
            Ok(outcome) => Ok(outcome),
            Err(error) if unsure => Err(error),
            Err(error) => Ok(Outcome::Refused(error)),
        }
    }

    /// `unsure` is set when a request was sent and not answered: an error does not mean then that nothing happened.
    async fn decide(&self, patience: &mut Patience, unsure: &mut bool) -> Result<Outcome, Error> {
        let mut commit = self.core.pd.timestamp(patience).await?;
        loop {
            let region = self.core.sender.directory().region(self.primary, patience).await?;
            let with = self.keys.iter().filter(|key| region.contains(key)).take(WITH_PRIMARY);
            let with: Vec<Bytes> = with.cloned().collect();
            match self.commit_primary(&region, with.clone(), commit, patience).await {
                Ok(Answer::Committed(commit)) => {
                    self.follow(&with, commit);
                    return Ok(Outcome::Committed(commit));
                }
                Ok(Answer::TooEarly(floor)) => {
                    commit = self.core.pd.timestamp(patience).await?;
                    if commit <= floor {
                        patience.pause(Pause::Growing, "readers are ahead of PD's time").await?;
                    }
                }
                Ok(Answer::RolledBack(key)) => {
                    let key = self.core.keyspace.leave(&key);
                    return Ok(Outcome::Conflict(Conflict { key, reason: ConflictReason::RolledBack }));
                }
                Ok(Answer::Unclear(reason)) => {
                    *unsure = true;
                    return Err(Error::Refused { call: CALL, reason });
                }
                Err(failure) => {
                    *unsure |= failure.is_unsure();
                    patience.after(failure).await?;
                }
            }
        }
    }

    async fn commit_primary(
        &self,
        region: &Region,
        keys: Vec<Bytes>,
        commit: Timestamp,
        patience: &Patience,
    ) -> Result<Answer, Failure> {
        let request = self.request(keys, commit, CommitRole::Primary);
        let reply = self.core.sender.send(region, request, patience, Extras::default()).await?;
        let Some(error) = reply.error else {
            // A store that knows of an earlier commit names it.
            let known = Some(reply.commit_version).filter(|&known| known != 0);
            return Ok(Answer::Committed(known.map_or(commit, Timestamp::from)));
        };
        Ok(read_error(error))
    }

    fn request(&self, keys: Vec<Bytes>, commit: Timestamp, role: CommitRole) -> CommitRequest {
        CommitRequest {
            start_version: self.start.into(),
            keys,
            commit_version: commit.into(),
            commit_role: role.into(),
            primary_key: self.primary.clone(),
            ..CommitRequest::default()
        }
    }

    /// Commits the keys that are not in `done`. It is decided that they are: what cannot be reached now is committed by
    /// whoever meets the locks.
    pub(super) fn follow(&self, done: &[Bytes], commit: Timestamp) {
        let done: std::collections::HashSet<&Bytes> = done.iter().collect();
        let left: Vec<Bytes> = self.keys.iter().filter(|key| !done.contains(key)).cloned().collect();
        if left.is_empty() {
            return;
        }
        let (core, start, primary) = (Arc::clone(self.core), self.start, self.primary.clone());
        self.core.tasks.spawn(async move {
            let finish = Finish { core: &core, start, primary: &primary, keys: &left };
            if let Err(error) = finish.commit_rest(commit).await {
                tracing::debug!(%start, %error, "keys of a commit are left to whoever meets them");
            }
        });
    }

    async fn commit_rest(&self, commit: Timestamp) -> Result<(), Error> {
        let mut patience = self.core.cleanup_patience("commit_rest");
        let part = patience.part();
        let sent = |batch: Batch<Bytes>| {
            let (part, request) =
                (part.part(), self.request(batch.items.clone(), commit, CommitRole::Secondary));
            async move {
                let reply = self.core.sender.send(&batch.region, request, &part, Extras::default()).await?;
                match reply.error {
                    None => Ok(()),
                    Some(error) => {
                        let reason = format!("{error:?}");
                        Err(Failure::Never(Error::Refused { call: CALL, reason }))
                    }
                }
            }
        };
        let directory = self.core.sender.directory();
        let keys = self.keys.to_vec();
        spread(directory, keys, portion(self.core), &mut patience, |()| false, sent).await?;
        Ok(())
    }
}

/// Only a store that finds the transaction's lock gone, and no commit of it, says for sure that it is over.
fn read_error(error: KeyError) -> Answer {
    match error {
        KeyError { commit_ts_expired: Some(expired), .. } => Answer::TooEarly(expired.min_commit_ts.into()),
        KeyError { txn_lock_not_found: Some(missing), .. } => Answer::RolledBack(missing.key),
        other => Answer::Unclear(format!("{other:?}")),
    }
}
