//! A hook that says what changes branches, in the log and as numbers.
//!
//! The log says it under the target `braid::changes`: `BRAID_LOG=info,braid::changes=debug` shows it.

use async_trait::async_trait;
use braid_catalog::{Hook, HookEvent};
use braid_types::CommitId;

/// Commits, merges, reverts and cherry-picks that were asked for, by `change`. Those that were done before, and are only asked
/// for again, are not among them.
pub(crate) const ASKED: &str = "braid_changes_asked_total";
/// Those of them that were made, by `change`. The rest was refused, or has come to nothing.
pub(crate) const MADE: &str = "braid_changes_made_total";

const TARGET: &str = "braid::changes";

/// Says what is asked for and what is made. Refuses nothing.
pub(crate) struct Announce;

#[async_trait]
impl Hook for Announce {
    fn name(&self) -> &str {
        "announce"
    }

    async fn before_commit(&self, event: &HookEvent<'_>) -> Result<(), String> {
        asked(event);
        Ok(())
    }

    async fn after_commit(&self, event: &HookEvent<'_>, commit: CommitId) {
        made(event, commit);
    }

    async fn before_merge(&self, event: &HookEvent<'_>) -> Result<(), String> {
        asked(event);
        Ok(())
    }

    async fn after_merge(&self, event: &HookEvent<'_>, commit: CommitId) {
        made(event, commit);
    }
}

fn asked(event: &HookEvent<'_>) {
    let HookEvent { repository, branch, by, .. } = event;
    let (change, principal, request) = (event.change.name(), &by.principal, by.request.as_str());
    metrics::counter!(ASKED, "change" => change).increment(1);
    tracing::debug!(target: TARGET, change, %repository, %branch, principal, request, "asked for");
}

fn made(event: &HookEvent<'_>, commit: CommitId) {
    let HookEvent { repository, branch, by, .. } = event;
    let (change, principal, request) = (event.change.name(), &by.principal, by.request.as_str());
    metrics::counter!(MADE, "change" => change).increment(1);
    tracing::debug!(target: TARGET, change, %repository, %branch, principal, request, %commit, "made");
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex};

    use braid_catalog::{CommitRequest, CreateRepository, MergeRequest, Mutation, Strategy};
    use braid_types::{BranchName, RefExpression, RepositoryName, RequestId};
    use metrics::{
        Counter, CounterFn, Gauge, Histogram, Key, KeyName, Metadata as About, Recorder, SharedString, Unit,
    };

    use super::*;
    use crate::tests::{Installation, metadata};
    use crate::{Metadata, Settings};

    /// What was counted, by name and change.
    #[derive(Clone, Default)]
    struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

    struct Count(Counts, String);

    impl CounterFn for Count {
        fn increment(&self, value: u64) {
            *self.0.0.lock().unwrap().entry(self.1.clone()).or_default() += value;
        }

        fn absolute(&self, _: u64) {}
    }

    impl Recorder for Counts {
        fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
        fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

        fn register_counter(&self, key: &Key, _: &About<'_>) -> Counter {
            let Some(change) = key.labels().find(|label| label.key() == "change") else {
                return Counter::noop();
            };
            let name = format!("{} {}", key.name(), change.value());
            Counter::from_arc(Arc::new(Count(self.clone(), name)))
        }

        fn register_gauge(&self, _: &Key, _: &About<'_>) -> Gauge {
            Gauge::noop()
        }

        fn register_histogram(&self, _: &Key, _: &About<'_>) -> Histogram {
            Histogram::noop()
        }
    }

    #[tokio::test]
    async fn changes_are_counted_when_they_are_asked_for_and_when_they_are_made() {
        let counts = Counts::default();
        let _guard = metrics::set_default_local_recorder(&counts);
        let Metadata { core, .. } = metadata(&Installation::new(), Settings::default()).await;
        let (lake, main) = (RepositoryName::new("lake").unwrap(), BranchName::new("main").unwrap());
        let by = |id: &str| Mutation { principal: "ada".to_owned(), request: RequestId::new(id).unwrap() };
        let create = CreateRepository {
            name: lake.clone(),
            storage_namespace: "s3://lake".to_owned(),
            default_branch: main.clone(),
        };
        core.catalog.create_repository(create, &by("r1")).await.unwrap();
        let commit = CommitRequest {
            branch: main.clone(),
            committer: "ada".into(),
            message: "m".into(),
            metadata: BTreeMap::new(),
            time: None,
            allow_empty: true,
        };
        for id in ["r2", "r2", "r3"] {
            core.catalog.commit(&lake, &commit, &by(id)).await.unwrap();
        }
        let nothing = CommitRequest { allow_empty: false, ..commit };
        core.catalog.commit(&lake, &nothing, &by("r4")).await.unwrap_err();
        let merge = MergeRequest {
            source: RefExpression::parse("main~1").unwrap(),
            destination: main,
            strategy: Strategy::Refuse,
            committer: "ada".into(),
            message: String::new(),
            metadata: BTreeMap::new(),
            squash: false,
            allow_empty: false,
            time: None,
        };
        core.catalog.merge(&lake, &merge, &by("r5")).await.unwrap_err();
        let expected =
            [(format!("{ASKED} commit"), 3), (format!("{ASKED} merge"), 1), (format!("{MADE} commit"), 2)];
        assert_eq!(*counts.0.lock().unwrap(), BTreeMap::from(expected));
    }
}
