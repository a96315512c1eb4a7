//! What goes wrong without a guard: each test here takes one away, in the store under the catalog.

use braid_types::CommitId;

use super::lake::*;
use crate::record;
use crate::*;

impl Lake {
    /// A commit that is made even if nothing changed.
    async fn empty_commit(&self, message: &str, by: &Mutation) -> CommitId {
        let request = CommitRequest { allow_empty: true, ..self.commit_request("main", message) };
        self.catalog.commit(&repo(), &request, by).await.unwrap()
    }

    async fn branch_row(&self, on: &str) -> (bytes::Bytes, bytes::Bytes) {
        let repository = self.catalog.repository(&repo()).await.unwrap();
        (record::branch::key(&repository.id, &branch(on)), self.record_of(on).await.encode())
    }

    /// Commits `mine` while another process commits `theirs` between the plan and the publish, which reads what
    /// `pretend` makes of the branch.
    async fn race(&self, pretend: bool) -> Vec<String> {
        self.put("main", "mine", "1").await;
        self.seal("main").await;
        let (key, row) = self.branch_row("main").await;
        let (other, world) = (self.restarted(), self.world.clone());
        self.world.interrupt_begin(move || async move {
            other.empty_commit("theirs", &other.mutation()).await;
            if pretend {
                world.pretend(key, row);
            }
        });
        let request = self.commit_request("main", "mine");
        // A second one finds nothing left to commit where the other took all.
        let _ = self.catalog.commit(&repo(), &request, &self.mutation()).await;
        self.world.pretend_nothing();
        self.messages().await
    }

    /// The messages of `main`'s commits, newest first.
    async fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        for id in self.first_parents().await {
            let (_, commit) = self.catalog.commit_at(&repo(), &expr(&id.to_hex())).await.unwrap();
            messages.push(commit.message.clone());
        }
        messages
    }
}

#[tokio::test]
async fn without_the_comparison_at_publishing_a_commit_is_lost() {
    let lake = Lake::new().await;
    assert!(lake.race(false).await.contains(&"theirs".to_owned()));
    let lake = Lake::new().await;
    assert_eq!(lake.race(true).await, ["mine", "Repository created"], "what the other committed is gone");
}

#[tokio::test]
async fn without_the_record_of_its_request_a_commit_whose_reply_was_lost_is_made_twice() {
    for (recorded, expected) in [(true, 2), (false, 3)] {
        let lake = Lake::new().await;
        lake.world.keep_requests(recorded);
        lake.world.lose_replies(1);
        lake.empty_commit("once", &lake.mutation()).await;
        assert_eq!(lake.messages().await.len(), expected, "requests are recorded: {recorded}");
    }
}
