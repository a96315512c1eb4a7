use std::collections::BTreeMap;

use braid_types::{Code, limits};

use super::lake::*;
use crate::*;

fn rules(patterns: &[&str]) -> Protection {
    Protection::new(patterns.iter().map(ToString::to_string).collect()).unwrap()
}

async fn protect(lake: &Lake, patterns: &[&str]) {
    lake.catalog.set_branch_protection(&repo(), &rules(patterns), None, &lake.mutation()).await.unwrap();
}

#[tokio::test]
async fn a_protected_branch_takes_merges_only() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.branch("side", "main").await;
    lake.put("main", "staged", "1").await;
    protect(&lake, &["ma*"]).await;

    let refused = |error: braid_types::Error| (error.code(), error.subject().to_owned());
    let protected = (Code::ProtectedBranch, "main".to_owned());
    for change in [put("b", "1"), delete("a"), put_if_absent("c", "1")] {
        let error = lake.stage("main", &[change]).await.unwrap_err();
        assert!(error.message().contains("cannot write to protected branch"), "{error}");
        assert_eq!(refused(error), protected);
    }
    let error = lake.try_commit("main").await.unwrap_err();
    assert!(error.message().contains("cannot commit to protected branch"), "{error}");
    assert_eq!(refused(error), protected);
    for scope in [ResetScope::All, ResetScope::Path(path("staged"))] {
        let error = lake.catalog.reset(&repo(), &branch("main"), &scope, &lake.mutation()).await.unwrap_err();
        assert_eq!(refused(error), protected);
    }
    lake.put("side", "b", "1").await;
    lake.commit("side").await;

    protect(&lake, &[]).await;
    lake.catalog.reset(&repo(), &branch("main"), &ResetScope::All, &lake.mutation()).await.unwrap();
    protect(&lake, &["main"]).await;
    let merge = lake.merge_request("side", "main", Strategy::Refuse);
    lake.catalog.merge(&repo(), &merge, &lake.mutation()).await.unwrap();
    assert_eq!(lake.get("main", "b").await.as_deref(), Some("1"));
}

#[tokio::test]
async fn a_transaction_may_look_at_a_protected_branch() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.branch("side", "main").await;
    protect(&lake, &["main"]).await;
    let at = |name: &str| BranchAddress { repository: repo(), branch: branch(name) };
    let looks = Precondition { at: at("main"), path: path("a"), condition: Condition::IfEtag("1".into()) };
    let writes = |name| ApplyOperation { at: at(name), repository_id: None, operation: put("b", "1") };
    let request = ApplyRequest { preconditions: vec![looks.clone()], operations: vec![writes("side")] };
    lake.catalog.apply(&request, &lake.mutation()).await.unwrap();
    let request =
        ApplyRequest { preconditions: vec![looks], operations: vec![writes("side"), writes("main")] };
    let error = lake.catalog.apply(&request, &lake.mutation()).await.unwrap_err();
    assert_eq!(error.code(), Code::ProtectedBranch);
}

#[tokio::test]
async fn rules_are_replaced_only_as_they_were_seen() {
    let lake = Lake::new().await;
    let set = async |patterns: &[&str], expected: &Protection| {
        let expected = expected.revision();
        let mutation = lake.mutation();
        lake.catalog.set_branch_protection(&repo(), &rules(patterns), Some(&expected), &mutation).await
    };
    set(&["a"], &rules(&[])).await.unwrap();
    let error = set(&["b"], &rules(&[])).await.unwrap_err();
    assert_eq!(error.code(), Code::PreconditionFailed);
    assert_eq!(lake.catalog.repository(&repo()).await.unwrap().protection, rules(&["a"]));
    set(&["b"], &rules(&["a"])).await.unwrap();
    // A retry of what was done is answered as it was then.
    let mutation = lake.mutation();
    let again = rules(&["b"]).revision();
    for _ in 0..2 {
        lake.catalog.set_branch_protection(&repo(), &rules(&["c"]), Some(&again), &mutation).await.unwrap();
    }
}

#[tokio::test]
async fn a_read_only_repository_takes_nothing_until_it_is_made_writable() {
    let lake = Lake::new().await;
    let set = async |read_only| lake.catalog.set_read_only(&repo(), read_only, &lake.mutation()).await;
    assert_eq!(set(true).await.unwrap().state, RepositoryState::ReadOnly);
    let error = lake.stage("main", &[put("a", "1")]).await.unwrap_err();
    assert_eq!(error.code(), Code::ReadOnly);
    assert_eq!(set(false).await.unwrap().state, RepositoryState::Active);
    lake.put("main", "a", "1").await;
}

#[tokio::test]
async fn metadata_is_set_and_removed_key_by_key_up_to_its_limit() {
    let lake = Lake::new().await;
    let update = async |set: &[(&str, &str)], remove: &[&str]| {
        let set: BTreeMap<_, _> =
            set.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let remove: Vec<_> = remove.iter().map(ToString::to_string).collect();
        lake.catalog.update_repository_metadata(&repo(), &set, &remove, &lake.mutation()).await
    };
    update(&[("a", "1"), ("b", "2")], &[]).await.unwrap();
    update(&[("b", "3"), ("c", "4")], &["a", "absent"]).await.unwrap();
    let found = lake.catalog.repository_metadata(&repo()).await.unwrap();
    assert_eq!(found, BTreeMap::from([("b".into(), "3".into()), ("c".into(), "4".into())]));
    let error = update(&[("d", &"x".repeat(limits::REPOSITORY_METADATA_BYTES))], &[]).await.unwrap_err();
    assert_eq!(error.code(), Code::LimitExceeded);
}

#[tokio::test]
async fn settings_go_with_their_repository() {
    let lake = Lake::new().await;
    let rules = RetentionRules { default_days: 7, branches: [(branch("main"), 30)].into() };
    let missing = async || lake.catalog.retention(&repo()).await.unwrap_err().code();
    assert_eq!(missing().await, Code::SettingNotFound);
    lake.catalog.set_retention(&repo(), Some(&rules), &lake.mutation()).await.unwrap();
    assert_eq!(lake.catalog.retention(&repo()).await.unwrap(), rules);
    lake.catalog.set_retention(&repo(), None, &lake.mutation()).await.unwrap();
    assert_eq!(missing().await, Code::SettingNotFound);

    lake.catalog.set_retention(&repo(), Some(&rules), &lake.mutation()).await.unwrap();
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    let create = CreateRepository {
        name: repo(),
        storage_namespace: "mem://again".into(),
        default_branch: branch("main"),
    };
    lake.catalog.create_repository(create, &lake.mutation()).await.unwrap();
    assert_eq!(missing().await, Code::SettingNotFound);
}

#[tokio::test]
async fn hidden_branches_are_listed_only_to_those_who_ask() {
    let lake = Lake::new().await;
    for name in ["a", "c", "e"] {
        lake.branch(name, "main").await;
    }
    for name in ["b", "d", "f"] {
        let (name, source, mutation) = (branch(name), expr("main"), lake.mutation());
        lake.catalog.make_branch(&repo(), &name, &source, true, &mutation).await.unwrap();
    }
    let list = async |names: Names<'static>, token: &str| {
        let request = PageRequest { token: token.into(), size: 2 };
        let page = lake.catalog.list_branches(&repo(), names, &request).await.unwrap();
        let names: Vec<_> = page.items.iter().map(|branch| branch.name.to_string()).collect();
        (names.join(" "), page.next_token)
    };
    let (first, token) = list(Names::default(), "").await;
    let (second, last) = list(Names::default(), &token).await;
    assert_eq!((first.as_str(), second.as_str(), last.as_str()), ("a c", "e main", ""));
    let (all, _) = list(Names { hidden: true, after: "a", ..Names::default() }, "").await;
    assert_eq!(all, "b c");
    // A hidden branch is a branch like any other.
    lake.put("b", "x", "1").await;
    lake.commit("b").await;
    let (after, _) = list(Names { hidden: true, ..Names::default() }, "").await;
    assert_eq!(after, "a b");
    let (shown, _) = list(Names::default(), "").await;
    assert_eq!(shown, "a c", "a commit leaves it hidden");
}

#[tokio::test]
async fn a_list_begins_after_a_name() {
    let lake = Lake::new().await;
    for name in ["a", "b", "bb", "c"] {
        lake.branch(name, "main").await;
    }
    let list = async |prefix: &'static str, after: &'static str| {
        let names = Names { prefix, after, ..Names::default() };
        let page = lake.catalog.list_branches(&repo(), names, &PageRequest::default()).await.unwrap();
        page.items.iter().map(|branch| branch.name.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(list("", "b").await, "bb c main");
    assert_eq!(list("", "aaa").await, "b bb c main");
    assert_eq!(list("b", "a").await, "b bb");
    assert_eq!(list("b", "b").await, "bb");
    assert_eq!(list("b", "c").await, "");
}

#[tokio::test]
async fn history_goes_on_after_a_commit() {
    let lake = Lake::new().await;
    let mut made = Vec::new();
    for content in ["1", "2", "3"] {
        lake.put("main", "a", content).await;
        made.push(lake.commit("main").await);
    }
    let request = LogRequest {
        start: expr("main"),
        first_parent: false,
        after: Some(made[1]),
        since: None,
        stop_at: None,
        paths: vec![path("a")],
        prefixes: vec![],
    };
    let mut history = lake.catalog.log(&repo(), request).await.unwrap();
    assert_eq!(history.next().await.unwrap().unwrap().0, made[0]);
    assert!(history.next().await.unwrap().is_none());
}
