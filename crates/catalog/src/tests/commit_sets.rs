//! Commit sets: any number of branches and repositories move together, or none does.

use braid_tree::Strategy;
use braid_types::{BranchName, Code, CommitId, RepositoryName, Result, TagName, limits};

use super::conditions::operation;
use super::lake::*;
use crate::*;

pub(super) fn member(action: SetAction) -> SetMember {
    SetMember { repository: repo(), action }
}

pub(super) fn commit(lake: &Lake, on: &str) -> SetMember {
    member(SetAction::Commit(lake.commit_request(on, "together")))
}

pub(super) fn merge(lake: &Lake, source: &str, into: &str) -> SetMember {
    member(SetAction::Merge(lake.merge_request(source, into, Strategy::Refuse)))
}

fn reset(on: &str, to: &str) -> SetMember {
    member(SetAction::HardReset { branch: branch(on), to: expr(to) })
}

pub(super) fn tag(name: &str, reference: &str) -> SetMember {
    member(SetAction::Tag { name: TagName::new(name).unwrap(), reference: expr(reference) })
}

impl Lake {
    async fn commit_set(&self, members: &[SetMember]) -> Result<Vec<CommitId>> {
        self.catalog.commit_set(members, &self.mutation()).await
    }

    async fn heads(&self, branches: &[&str]) -> Vec<CommitId> {
        let mut heads = Vec::new();
        for name in branches {
            heads.push(self.branch_head(name).await);
        }
        heads
    }

    /// `dev`, `other` and `old` at `main`, which has one commit; something is staged on `dev` and `other`.
    async fn with_branches() -> Self {
        let lake = Self::new().await;
        lake.put("main", "a", "0").await;
        lake.commit("main").await;
        for name in ["dev", "other", "old"] {
            lake.branch(name, "main").await;
        }
        lake.put("dev", "a", "1").await;
        lake.put("other", "o", "1").await;
        lake
    }
}

#[tokio::test]
async fn each_member_sees_what_those_before_it_left() {
    let lake = Lake::with_branches().await;
    let before = lake.branch_head("main").await;
    let members = [
        commit(&lake, "dev"),
        merge(&lake, "dev", "main"),
        tag("v1", "main"),
        reset("old", "v1"),
        commit(&lake, "other"),
        merge(&lake, "other", "main"),
    ];
    let made = lake.commit_set(&members).await.unwrap();
    assert_eq!((made[2], made[3]), (made[1], made[1]));
    assert_eq!(lake.heads(&["dev", "main", "old", "other"]).await, [made[0], made[5], made[1], made[4]]);
    assert_eq!(lake.catalog.tag(&repo(), &TagName::new("v1").unwrap()).await.unwrap().commit, made[1]);
    let (_, merged) = lake.catalog.commit_at(&repo(), &expr("v1")).await.unwrap();
    assert_eq!(merged.parents, [before, made[0]]);
    assert_eq!(lake.content("main").await, content([("a", "1"), ("o", "1")]));
    assert!(lake.uncommitted("dev").await.is_empty());
}

#[tokio::test]
async fn a_member_that_fails_is_named_and_nothing_is_done() {
    let lake = Lake::with_branches().await;
    let heads = lake.heads(&["main", "dev", "other", "old"]).await;
    lake.branch("clash", "main").await;
    lake.put("clash", "a", "2").await;
    lake.commit("clash").await;
    let tagged = tag("v1", "main");
    for (last, code, named) in [
        (
            merge(&lake, "clash", "main"),
            Code::MergeConflict,
            "member 3 (merge of 'clash' into 'lake/main'): ",
        ),
        (commit(&lake, "old"), Code::NothingToCommit, "member 3 (commit of 'lake/old'): "),
        (merge(&lake, "main", "other"), Code::DirtyBranch, "member 3 (merge of 'main' into 'lake/other'): "),
        (reset("other", "main"), Code::DirtyBranch, "member 3 (hard reset of 'lake/other' to 'main'): "),
        (tag("dev", "main"), Code::RefNameTaken, "member 3 (tag 'lake/dev' of 'main'): "),
        (commit(&lake, "absent"), Code::BranchNotFound, "member 3 (commit of 'lake/absent'): "),
    ] {
        let members = [commit(&lake, "dev"), merge(&lake, "dev", "main"), last];
        let refused = lake.commit_set(&members).await.unwrap_err();
        assert_eq!(refused.code(), code);
        assert!(refused.message().starts_with(named), "{refused}");
        assert_eq!(lake.heads(&["main", "dev", "other", "old"]).await, heads);
        assert_eq!(lake.uncommitted("dev").await, ["~a"]);
    }
    lake.commit_set(std::slice::from_ref(&tagged)).await.unwrap();
    let refused = lake.commit_set(&[commit(&lake, "dev"), tagged]).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::TagExists, "v1"));
    assert_eq!(lake.heads(&["dev"]).await, heads[1..2]);
}

#[tokio::test]
async fn repositories_move_together() {
    let lake = Lake::with_branches().await;
    let second = RepositoryName::new("second").unwrap();
    let create = CreateRepository {
        name: second.clone(),
        storage_namespace: "mem://second".into(),
        default_branch: branch("main"),
    };
    lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
    let main: BranchName = branch("main");
    lake.catalog.stage(&second, &main, &[put("b", "1")], &lake.mutation()).await.unwrap();
    let elsewhere = SetMember { repository: second.clone(), action: commit(&lake, "main").action };
    let made = lake.commit_set(&[elsewhere.clone(), commit(&lake, "dev")]).await.unwrap();
    assert_eq!(lake.catalog.branch(&second, &main).await.unwrap().head, made[0]);
    assert_eq!(lake.branch_head("dev").await, made[1]);
    let refused = lake.commit_set(&[commit(&lake, "other"), elsewhere]).await.unwrap_err();
    assert!(refused.message().starts_with("member 2 (commit of 'second/main')"), "{refused}");
    assert_eq!(lake.uncommitted("other").await, ["+o"]);
}

#[tokio::test]
async fn a_set_is_done_once_whatever_the_retries_and_an_id_names_one_set() {
    let lake = Lake::with_branches().await;
    let members = [commit(&lake, "dev"), merge(&lake, "dev", "main")];
    let by = lake.mutation();
    lake.world.lose_replies(1);
    let made = lake.catalog.commit_set(&members, &by).await.unwrap();
    lake.put("dev", "later", "1").await;
    assert_eq!(lake.catalog.commit_set(&members, &by).await.unwrap(), made);
    assert_eq!(lake.uncommitted("dev").await, ["+later"]);
    let other = lake.catalog.commit_set(&members[..1], &by).await.unwrap_err();
    assert_eq!(other.code(), Code::RequestIdReused);
}

#[tokio::test]
async fn sets_are_limited_before_anything_is_written() {
    let lake = Lake::with_branches().await;
    let many = vec![tag("v1", "main"); limits::SET_MEMBERS + 1];
    for members in [&[][..], &many] {
        assert_eq!(lake.commit_set(members).await.unwrap_err().code(), Code::LimitExceeded);
    }
    let mut long = lake.commit_request("dev", &"m".repeat(65_537));
    let members = [commit(&lake, "other"), member(SetAction::Commit(long.clone()))];
    let refused = lake.commit_set(&members).await.unwrap_err();
    assert!(refused.message().starts_with("member 2 "), "{refused}");
    long.message.clear();
    lake.commit_set(&[member(SetAction::Commit(long))]).await.unwrap();
    assert_eq!(lake.uncommitted("other").await, ["+o"]);
}

#[tokio::test]
async fn what_was_staged_on_two_branches_at_once_is_committed_at_once() {
    let lake = Lake::with_branches().await;
    let other = lake.restarted();
    for round in 0..10 {
        let at = format!("both{round}");
        let operations = ["dev", "other"].map(|on| operation(on, put(&at, "1"))).to_vec();
        let request = ApplyRequest { preconditions: Vec::new(), operations };
        for name in ["dev", "other"] {
            lake.put(name, "round", &at).await;
        }
        let (members, by) = ([commit(&lake, "dev"), commit(&lake, "other")], other.mutation());
        let (set, applied) = tokio::join!(lake.commit_set(&members), other.catalog.apply(&request, &by));
        set.unwrap();
        applied.unwrap();
        let has = async |place: &str| lake.get(place, &at).await.is_some();
        assert_eq!(has("dev@").await, has("other@").await);
        assert!(has("dev").await && has("other").await);
    }
}

/// Sets `dev` and `other` beside a merge into `main`. Once the set is planned, another process stages `x` on both branches and does
/// `then`, after which the set has to be planned again.
async fn set_against_staging_on_both<F>(then: impl FnOnce(Lake) -> F + Send + 'static) -> Lake
where
    F: Future<Output = ()> + Send + 'static,
{
    let lake = Lake::with_branches().await;
    let (other, world) = (lake.restarted(), lake.world.clone());
    let late = async move || {
        let operations = ["dev", "other"].map(|on| operation(on, put("x", "1"))).to_vec();
        let request = ApplyRequest { preconditions: Vec::new(), operations };
        other.catalog.apply(&request, &other.mutation()).await.unwrap();
        then(other).await;
    };
    // The first transaction seals, the next one publishes.
    lake.world.interrupt(move || async move { world.interrupt_begin(late) });
    lake.commit_set(&[commit(&lake, "dev"), commit(&lake, "other"), merge(&lake, "dev", "main")])
        .await
        .unwrap();
    lake
}

#[tokio::test]
async fn what_others_seal_after_the_cut_is_not_committed_on_one_branch_of_a_set_alone() {
    let lake = set_against_staging_on_both(async |other| {
        other.seal("dev").await;
        other.put("main", "y", "1").await;
        other.commit("main").await;
    })
    .await;
    for (name, is) in [("dev", content([("a", "1")])), ("other", content([("a", "0"), ("o", "1")]))] {
        assert_eq!(lake.content(&format!("{name}@")).await, is);
        assert_eq!(lake.uncommitted(name).await, ["+x"]);
    }
    assert_eq!(lake.content("main@").await, content([("a", "1"), ("y", "1")]));
}

#[tokio::test]
async fn a_set_whose_layers_others_have_folded_divides_its_branches_again() {
    let lake = set_against_staging_on_both(async |other| {
        other.seal("dev").await;
        assert!(other.flatten("dev").await);
    })
    .await;
    for name in ["dev", "other"] {
        assert!(lake.get(&format!("{name}@"), "x").await.is_some(), "{name}");
        assert!(lake.uncommitted(name).await.is_empty());
    }
}

#[tokio::test]
async fn two_sets_over_the_same_branches_in_opposite_order_both_go_through() {
    for (one, two) in [(0, 0), (0, 1)] {
        let lake = Lake::with_branches().await;
        let lakes = [&lake, &lake.restarted()];
        for round in 0..5 {
            for name in ["dev", "other"] {
                lake.put(name, "round", &round.to_string()).await;
            }
            let again = |on: &str| {
                let request = CommitRequest { allow_empty: true, ..lake.commit_request(on, "set") };
                member(SetAction::Commit(request))
            };
            let (forth, back) = ([again("dev"), again("other")], [again("other"), again("dev")]);
            let (first, second) = tokio::join!(lakes[one].commit_set(&forth), lakes[two].commit_set(&back));
            let (first, second) = (first.unwrap(), second.unwrap());
            let heads = lake.heads(&["dev", "other"]).await;
            assert!(heads == first || heads == [second[1], second[0]], "one of them came last, on both");
        }
    }
}

#[tokio::test]
async fn a_set_waits_in_the_queues_of_its_branches_and_holds_nobody_for_good() {
    let lake = Lake::with_branches().await;
    let sides = lake.sides(4).await;
    let members = [commit(&lake, "dev"), merge(&lake, "dev", "main")];
    let (set, merged) = tokio::task::unconstrained(async {
        tokio::join!(lake.commit_set(&members), lake.merge_at_once(&sides))
    })
    .await;
    set.unwrap();
    assert!(merged.iter().all(Result::is_ok), "{merged:?}");
    assert_eq!(lake.content("main").await.len(), 5);
    // One whose caller goes away while it waits lets the others go on.
    let at = BranchAddress { repository: repo(), branch: branch("dev") };
    let turns = lake.catalog.turns([&at]).await.unwrap();
    let gone = [commit(&lake, "other"), merge(&lake, "main", "dev")];
    let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), lake.commit_set(&gone)).await;
    assert!(waiting.is_err());
    drop(turns);
    lake.commit_set(&gone).await.unwrap();
}

#[tokio::test]
async fn a_set_that_meets_a_dirty_branch_under_its_fence_names_the_member() {
    let lake = Lake::with_branches().await;
    lake.commit("dev").await;
    let other = lake.restarted();
    // There is nothing to seal, so the first transaction is the one that publishes.
    lake.world.interrupt_begin(move || async move { other.put("main", "x", "1").await });
    let heads = lake.heads(&["main", "old"]).await;
    let refused = lake.commit_set(&[reset("old", "dev"), merge(&lake, "dev", "main")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::DirtyBranch);
    assert!(refused.message().starts_with("member 2 (merge of 'dev' into 'lake/main')"), "{refused}");
    assert_eq!(lake.heads(&["main", "old"]).await, heads);
}
