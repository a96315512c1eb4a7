//! Pull requests.

use std::time::Duration;

use braid_kv::ScanOptions;
use braid_types::{Code, CommitId, PullId, Result, TagName, limits};

use super::lake::*;
use crate::record::pull;
use crate::*;

/// A lake whose branch `side` has a path that `main` lacks.
async fn proposed() -> (Lake, PullRecord) {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("side", "b", "1").await;
    lake.commit("side").await;
    let made = create(&lake, "side", "main").await.unwrap();
    (lake, made)
}

fn creation(source: &str, destination: &str) -> CreatePull {
    CreatePull {
        title: "b".into(),
        description: "what main lacks".into(),
        author: "ada".into(),
        source: branch(source),
        destination: branch(destination),
    }
}

async fn create(lake: &Lake, source: &str, destination: &str) -> Result<PullRecord> {
    lake.world.clock.advance(Duration::from_secs(1));
    lake.catalog.create_pull(&repo(), &creation(source, destination), &lake.mutation()).await
}

async fn update(lake: &Lake, id: PullId, update: UpdatePull) -> Result<PullRecord> {
    lake.catalog.update_pull(&repo(), id, &update, &lake.mutation()).await
}

async fn set_open(lake: &Lake, id: PullId, open: bool) -> Result<PullRecord> {
    update(lake, id, UpdatePull { open: Some(open), ..UpdatePull::default() }).await
}

fn merging(id: PullId) -> MergePull {
    MergePull {
        id,
        strategy: Strategy::Refuse,
        committer: "grace".into(),
        message: String::new(),
        metadata: [("k".to_owned(), "v".to_owned())].into(),
        squash: false,
    }
}

async fn merge(lake: &Lake, id: PullId) -> Result<CommitId> {
    lake.catalog.merge_pull(&repo(), &merging(id), &lake.mutation()).await
}

async fn state(lake: &Lake, id: PullId) -> PullState {
    lake.catalog.pull(&repo(), id).await.unwrap().state
}

async fn listed(lake: &Lake, filter: PullFilter) -> Vec<PullId> {
    let page = lake.catalog.list_pulls(&repo(), filter, "", &PageRequest::default()).await.unwrap();
    page.items.into_iter().map(|record| record.id).collect()
}

#[tokio::test]
async fn a_pull_request_is_edited_closed_opened_and_merged() {
    let (lake, made) = proposed().await;
    assert_eq!(lake.catalog.pull(&repo(), made.id).await.unwrap(), made);
    assert_eq!((made.author.as_str(), made.state), ("ada", PullState::Open));

    let edit = UpdatePull { title: Some("c".into()), ..UpdatePull::default() };
    let edited = update(&lake, made.id, edit).await.unwrap();
    assert_eq!(edited, PullRecord { title: "c".into(), ..made.clone() });
    let at = lake.catalog.now();
    assert_eq!(set_open(&lake, made.id, false).await.unwrap().state, PullState::Closed { at });
    lake.world.clock.advance(Duration::from_secs(1));
    assert_eq!(set_open(&lake, made.id, false).await.unwrap().state, PullState::Closed { at });
    let error = merge(&lake, made.id).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::PullRequestNotOpen, made.id.to_string().as_str()));
    assert_eq!(set_open(&lake, made.id, true).await.unwrap(), edited);

    let (main, side) = (lake.branch_head("main").await, lake.branch_head("side").await);
    let commit = merge(&lake, made.id).await.unwrap();
    let at = lake.catalog.now();
    assert_eq!(state(&lake, made.id).await, PullState::Merged { at, commit });
    let (head, merged) = lake.catalog.commit_at(&repo(), &expr("main")).await.unwrap();
    assert_eq!((head, merged.parents.clone()), (commit, vec![main, side]));
    assert_eq!((merged.committer.as_str(), merged.message.as_str()), ("grace", "Merge 'side' into 'main'"));
    assert_eq!(merged.metadata["k"], "v");
    assert_eq!(lake.content("main").await, content([("a", "1"), ("b", "1")]));
}

#[tokio::test]
async fn what_was_merged_cannot_be_changed_any_more() {
    let (lake, made) = proposed().await;
    let commit = merge(&lake, made.id).await.unwrap();
    let before = lake.catalog.pull(&repo(), made.id).await.unwrap();
    let title = UpdatePull { title: Some("c".into()), ..UpdatePull::default() };
    let open = |open| UpdatePull { open: Some(open), ..UpdatePull::default() };
    for change in [title, open(true), open(false)] {
        let error = update(&lake, made.id, change).await.unwrap_err();
        assert_eq!(error.code(), Code::PullRequestNotOpen);
        assert!(error.message().contains(&commit.to_hex()), "{error}");
    }
    assert_eq!(merge(&lake, made.id).await.unwrap_err().code(), Code::PullRequestNotOpen);
    assert_eq!(lake.catalog.pull(&repo(), made.id).await.unwrap(), before);
}

#[tokio::test]
async fn pull_requests_that_cannot_be_are_refused() {
    let (lake, made) = proposed().await;
    for (source, destination, code) in [
        ("nowhere", "main", Code::BranchNotFound),
        ("side", "nowhere", Code::BranchNotFound),
        ("side", "side", Code::SameBranch),
    ] {
        assert_eq!(create(&lake, source, destination).await.unwrap_err().code(), code);
    }
    let long = |bytes: usize| "x".repeat(bytes + 1);
    let texts = [
        ("title", long(limits::PULL_TITLE_BYTES), String::new()),
        ("description", String::new(), long(limits::PULL_DESCRIPTION_BYTES)),
    ];
    for (what, title, description) in texts {
        let create =
            CreatePull { title: title.clone(), description: description.clone(), ..creation("side", "main") };
        let error = lake.catalog.create_pull(&repo(), &create, &lake.mutation()).await.unwrap_err();
        assert_eq!((error.code(), error.subject()), (Code::LimitExceeded, what));
        let change = UpdatePull { title: Some(title), description: Some(description), open: None };
        let error = update(&lake, made.id, change).await.unwrap_err();
        assert_eq!((error.code(), error.subject()), (Code::LimitExceeded, what));
    }
    let unknown = PullId::from_bytes([7; 12]);
    let error = lake.catalog.pull(&repo(), unknown).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::PullRequestNotFound, unknown.to_string().as_str()));
    assert_eq!(set_open(&lake, unknown, false).await.unwrap_err().code(), Code::PullRequestNotFound);
    assert_eq!(merge(&lake, unknown).await.unwrap_err().code(), Code::PullRequestNotFound);

    lake.catalog.set_read_only(&repo(), true, &lake.mutation()).await.unwrap();
    assert_eq!(create(&lake, "side", "main").await.unwrap_err().code(), Code::ReadOnly);
    assert_eq!(set_open(&lake, made.id, false).await.unwrap_err().code(), Code::ReadOnly);
    assert_eq!(merge(&lake, made.id).await.unwrap_err().code(), Code::ReadOnly);
    assert_eq!(state(&lake, made.id).await, PullState::Open);
}

#[tokio::test]
async fn lists_have_the_newest_first_and_those_that_are_wanted() {
    let (lake, first) = proposed().await;
    let mut ids = vec![first.id];
    for _ in 0..130 {
        ids.insert(0, create(&lake, "side", "main").await.unwrap().id);
    }
    merge(&lake, ids[0]).await.unwrap();
    set_open(&lake, ids[2], false).await.unwrap();
    assert_eq!(listed(&lake, PullFilter::All).await, ids);
    assert_eq!(listed(&lake, PullFilter::Closed).await, [ids[0], ids[2]]);
    let mut open = ids.clone();
    open.remove(2);
    open.remove(0);
    assert_eq!(listed(&lake, PullFilter::Open).await, open);

    let mut seen = Vec::new();
    let mut page = PageRequest { size: 50, ..PageRequest::default() };
    loop {
        let found = lake.catalog.list_pulls(&repo(), PullFilter::Open, "", &page).await.unwrap();
        assert!(found.items.iter().all(|record| record.description.is_empty() && record.title == "b"));
        seen.extend(found.items.into_iter().map(|record| record.id));
        page.token = found.next_token;
        if page.token.is_empty() {
            break;
        }
        let other = lake.catalog.list_pulls(&repo(), PullFilter::All, "", &page).await.unwrap_err();
        assert_eq!(other.code(), Code::InvalidPageToken);
    }
    assert_eq!(seen, open);

    let after = ids[9].to_string();
    let names = Names { after: &after, ..Names::default() };
    let page = PageRequest { size: 1, ..PageRequest::default() };
    let found = lake.catalog.list_pulls(&repo(), PullFilter::All, names, &page).await.unwrap();
    assert_eq!(found.items[0].id, ids[10]);
    let found = lake.catalog.list_pulls(&repo(), PullFilter::All, after.as_str(), &page).await.unwrap();
    assert_eq!((found.items.len(), found.items[0].id), (1, ids[9]));
    assert_eq!(found.next_token, "");
}

#[tokio::test]
async fn a_merge_that_is_refused_leaves_the_pull_request_open() {
    let (lake, made) = proposed().await;
    lake.put("main", "b", "2").await;
    assert_eq!(merge(&lake, made.id).await.unwrap_err().code(), Code::DirtyBranch);
    lake.commit("main").await;
    let head = lake.branch_head("main").await;
    let error = merge(&lake, made.id).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::MergeConflict, "b"));
    assert_eq!((state(&lake, made.id).await, lake.branch_head("main").await), (PullState::Open, head));

    let squash = MergePull { strategy: Strategy::SourceWins, squash: true, ..merging(made.id) };
    let commit = lake.catalog.merge_pull(&repo(), &squash, &lake.mutation()).await.unwrap();
    let (_, merged) = lake.catalog.commit_at(&repo(), &expr(&commit.to_hex())).await.unwrap();
    assert_eq!(merged.parents, [head]);
    assert_eq!(lake.get("main", "b").await.as_deref(), Some("1"));
    let again = create(&lake, "main", "side").await.unwrap();
    merge(&lake, again.id).await.unwrap();
    let empty = create(&lake, "main", "side").await.unwrap();
    assert_eq!(merge(&lake, empty.id).await.unwrap_err().code(), Code::NothingToMerge);
}

#[tokio::test]
async fn of_merges_at_once_one_is_made() {
    let (lake, made) = proposed().await;
    let merges = (0..4).map(|_| merge(&lake, made.id));
    let answers = tokio::task::unconstrained(futures::future::join_all(merges)).await;
    let (merged, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    assert_eq!(merged.len(), 1);
    assert!(refused.into_iter().all(|error| error.unwrap_err().code() == Code::PullRequestNotOpen));
    assert_eq!(lake.branch_head("main").await, *merged[0].as_ref().unwrap());
}

#[tokio::test]
async fn one_that_is_closed_while_its_merge_is_under_way_is_not_merged() {
    let (lake, made) = proposed().await;
    let (other, head) = (lake.restarted(), lake.branch_head("main").await);
    lake.world.interrupt_begin(move || async move {
        set_open(&other, made.id, false).await.unwrap();
    });
    assert_eq!(merge(&lake, made.id).await.unwrap_err().code(), Code::PullRequestNotOpen);
    assert_eq!(lake.branch_head("main").await, head);
    assert!(matches!(state(&lake, made.id).await, PullState::Closed { .. }));
}

#[tokio::test]
async fn one_that_is_edited_while_its_merge_is_under_way_keeps_the_edit() {
    let (lake, made) = proposed().await;
    let other = lake.restarted();
    lake.world.interrupt_begin(move || async move {
        let edit = UpdatePull { title: Some("c".into()), ..UpdatePull::default() };
        update(&other, made.id, edit).await.unwrap();
    });
    let commit = merge(&lake, made.id).await.unwrap();
    let found = lake.catalog.pull(&repo(), made.id).await.unwrap();
    assert_eq!(found.title, "c");
    assert!(matches!(found.state, PullState::Merged { commit: by, .. } if by == commit));
}

#[tokio::test]
async fn retries_are_answered_as_the_first_time() {
    let (lake, _) = proposed().await;
    let (by, asked) = (lake.mutation(), creation("side", "main"));
    let made = lake.catalog.create_pull(&repo(), &asked, &by).await.unwrap();
    lake.world.clock.advance(Duration::from_secs(1));
    assert_eq!(lake.catalog.create_pull(&repo(), &asked, &by).await.unwrap(), made);
    assert_eq!(listed(&lake, PullFilter::All).await.len(), 2);
    let other = CreatePull { title: "other".into(), ..asked };
    let error = lake.catalog.create_pull(&repo(), &other, &by).await.unwrap_err();
    assert_eq!(error.code(), Code::RequestIdReused);

    let by = lake.mutation();
    let close = UpdatePull { open: Some(false), ..UpdatePull::default() };
    lake.catalog.update_pull(&repo(), made.id, &close, &by).await.unwrap();
    let opened = set_open(&lake, made.id, true).await.unwrap();
    assert_eq!(lake.catalog.update_pull(&repo(), made.id, &close, &by).await.unwrap(), opened);

    let by = lake.mutation();
    let commit = lake.catalog.merge_pull(&repo(), &merging(made.id), &by).await.unwrap();
    assert_eq!(lake.catalog.merge_pull(&repo(), &merging(made.id), &by).await.unwrap(), commit);
    assert_eq!(lake.branch_head("main").await, commit);
}

#[tokio::test]
async fn a_merge_of_a_pull_request_may_die_at_every_step() {
    let mut died = 0;
    for steps in 1.. {
        let (lake, made) = proposed().await;
        let before = lake.branch_head("main").await;
        let by = lake.mutation();
        lake.world.fuse.set(steps);
        let answer = lake.catalog.merge_pull(&repo(), &merging(made.id), &by).await;
        let burnt = lake.world.fuse.is_burnt();
        let next = lake.restarted();
        let (head, state_then) = (next.branch_head("main").await, state(&next, made.id).await);
        match state_then {
            PullState::Merged { commit, .. } => assert_eq!(head, commit, "after {steps} steps"),
            other => assert_eq!((head, other), (before, PullState::Open), "after {steps} steps"),
        }
        let denied = answer.as_ref().is_err_and(|error| !error.may_have_happened());
        assert!(head == before || !denied, "after {steps} steps: {answer:?}");
        assert!(head != before || answer.is_err(), "after {steps} steps: {answer:?}");
        let commit = next.catalog.merge_pull(&repo(), &merging(made.id), &by).await.unwrap();
        assert_eq!(next.branch_head("main").await, commit);
        assert!(matches!(state(&next, made.id).await, PullState::Merged { commit: by, .. } if by == commit));
        if !burnt {
            break;
        }
        died += 1;
    }
    assert!(died > 10, "a merge has more than {died} steps");
}

#[tokio::test]
async fn a_pull_request_outlives_its_branches_and_goes_with_its_repository() {
    let (lake, made) = proposed().await;
    lake.catalog.delete_branch(&repo(), &branch("side"), &lake.mutation()).await.unwrap();
    assert_eq!(lake.catalog.pull(&repo(), made.id).await.unwrap(), made);
    let tag = TagName::new("side").unwrap();
    lake.catalog.create_tag(&repo(), &tag, &expr("main"), &lake.mutation()).await.unwrap();
    let error = merge(&lake, made.id).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::BranchNotFound, "side"));

    let id = lake.catalog.repository(&repo()).await.unwrap().id;
    let count = async || {
        let snapshot = lake.catalog.snapshot().await.unwrap();
        snapshot.scan(&pull::range(&id, ""), ScanOptions::first(10)).await.unwrap().len()
    };
    assert_eq!(count().await, 1);
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    let error = lake.catalog.pull(&repo(), made.id).await.unwrap_err();
    assert_eq!(error.code(), Code::RepositoryNotFound);
    lake.clean_up().await;
    assert_eq!(count().await, 0);
}

#[tokio::test]
async fn none_is_made_in_a_repository_that_is_deleted_meanwhile() {
    let (lake, _) = proposed().await;
    let other = lake.restarted();
    lake.world.interrupt(move || async move {
        other.catalog.delete_repository(&repo(), &other.mutation()).await.unwrap();
    });
    let error = create(&lake, "side", "main").await.unwrap_err();
    assert_eq!(error.code(), Code::RepositoryNotFound);
}
