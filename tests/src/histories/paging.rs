//! Listings in pages: each page from whatever node can be reached, all of them of the state of the first.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use braid_catalog::{ListRequest, Listing, Page, PageRequest};
use braid_types::{Code, Error, Result};
use rand::RngExt;

use super::calls::{branch_at, reference, refusal, seen};
use super::clients::{ATTEMPTS, Client};
use super::words::{Answer, Ask, Of};
use super::world::SNAPSHOT_AGE;

/// How many paths a page has.
const SIZE: usize = 2;

/// What every now and then a reader waits between two pages: its token is refused then.
const TOO_LONG: Duration = SNAPSHOT_AGE.saturating_add(Duration::from_secs(5));

impl Client {
    /// Lists in pages. What it finds is what was there at one moment before the first page was answered.
    pub(super) async fn read_pages(&mut self, call: usize, branch: &str, of: Of) -> Answer {
        let first = self.page(branch, of, String::new()).await;
        let answered = self.history.lock().next();
        let answer = match first {
            Ok(page) => self.other_pages(branch, of, page).await,
            Err(error) => {
                let ask = Ask::Pages { branch: branch.to_owned(), of };
                refusal(&ask, error).unwrap_or(Answer::Failed)
            }
        };
        self.history.lock().answer_at(call, answered, answer.clone());
        answer
    }

    async fn other_pages(&mut self, branch: &str, of: Of, mut page: Page<Listing>) -> Answer {
        let mut content = BTreeMap::new();
        loop {
            content.extend(page.items.into_iter().map(seen));
            if page.next_token.is_empty() {
                return Answer::Content(Arc::new(content));
            }
            let is_too_late = self.rng.random_bool(0.03);
            let pause = Duration::from_millis(self.rng.random_range(0..40));
            tokio::time::sleep(if is_too_late { TOO_LONG } else { pause }).await;
            page = match self.page(branch, of, page.next_token).await {
                Ok(_) if is_too_late => return Answer::Late,
                Ok(page) => page,
                Err(error) => {
                    let is_expired = error.code() == Code::SnapshotExpired;
                    assert!(is_expired || error.is_retryable(), "a token ends with a name: {error}");
                    let until = content.keys().next_back().expect("a page before the last has paths").clone();
                    return Answer::Beginning(Arc::new(content), until);
                }
            };
        }
    }

    /// One page, from the first node that answers.
    async fn page(&mut self, branch: &str, of: Of, token: String) -> Result<Page<Listing>> {
        let (repository, reference) = (branch_at(branch).repository, reference(branch, of));
        let request = PageRequest { token, size: SIZE };
        let mut failed = Error::new(Code::Unavailable, branch, "no node can be reached");
        for _ in 0..ATTEMPTS {
            if let Some(node) = self.node().await {
                let list = ListRequest::default();
                let told = tokio::select! {
                    biased;
                    () = node.dead.cancelled() => None,
                    told = node.catalog.list_objects(&repository, &reference, &list, &request) => Some(told),
                };
                match told {
                    Some(Err(error)) if error.is_retryable() => failed = error,
                    Some(told) => return told,
                    None => {}
                }
            }
            self.elsewhere().await;
        }
        Err(failed)
    }
}
