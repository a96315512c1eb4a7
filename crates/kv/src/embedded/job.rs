//! What is handed to the writer, and how it answers.

use super::shared::Open;
use crate::{KeyRange, KvError, Outcome, locks::Owner, writes::Writes};
use tokio::sync::oneshot;

/// One thing for the writer to do.
pub(super) enum Job {
    Commit(CommitJob),
    Destroy(DestroyJob),
    /// Finish what was handed in before, let the file go, and say so.
    Stop(Option<oneshot::Sender<()>>),
}

/// A transaction to be checked and applied.
pub(super) struct CommitJob {
    pub(super) writes: Writes,
    pub(super) owner: Owner,
    pub(super) open: Open,
    pub(super) reply: Reply,
}

impl CommitJob {
    /// Ends the transaction. Its locks are free before the answer is there.
    pub(super) fn finish(self, outcome: Outcome) {
        drop(self.owner);
        drop(self.open);
        self.reply.send(outcome);
    }
}

/// Some keys of a range to be removed.
pub(super) struct DestroyJob {
    pub(super) range: KeyRange,
    /// Whether there may be more keys in the range.
    pub(super) reply: oneshot::Sender<Result<bool, KvError>>,
}

/// Answers a commit, whatever happens: one that the writer never took up was certainly not done.
pub(super) struct Reply {
    answer: Option<oneshot::Sender<Outcome>>,
    taken_up: bool,
}

impl Reply {
    pub(super) fn new() -> (Self, oneshot::Receiver<Outcome>) {
        let (answer, receiver) = oneshot::channel();
        (Self { answer: Some(answer), taken_up: false }, receiver)
    }

    /// From here on, silence means that nobody knows.
    pub(super) fn take_up(&mut self) {
        self.taken_up = true;
    }

    fn send(mut self, outcome: Outcome) {
        self.answer(outcome);
    }

    fn answer(&mut self, outcome: Outcome) {
        if let Some(answer) = self.answer.take() {
            // Nobody may be waiting any more.
            let _ = answer.send(outcome);
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.answer(if self.taken_up {
            Outcome::Unknown("the writer stopped in the middle of the commit".to_owned())
        } else {
            Outcome::Refused(KvError::Closed)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_commit_is_refused_before_it_was_taken_up_and_unknown_after() {
        let (reply, answer) = Reply::new();
        drop(reply);
        assert_eq!(answer.await, Ok(Outcome::Refused(KvError::Closed)));

        let (mut reply, answer) = Reply::new();
        reply.take_up();
        drop(reply);
        assert!(matches!(answer.await, Ok(Outcome::Unknown(_))));
    }
}
