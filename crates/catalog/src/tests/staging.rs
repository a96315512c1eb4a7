use braid_types::{Code, ObjectPath, PathPrefix};

use super::lake::*;
use crate::*;

#[tokio::test]
async fn what_is_staged_is_seen_on_the_branch_and_nowhere_else() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.branch("other", "main").await;
    lake.put("main", "a", "2").await;
    lake.put("main", "b", "1").await;

    assert_eq!(lake.content("main").await, content([("a", "2"), ("b", "1")]));
    assert_eq!(lake.content("main$").await, content([("a", "2"), ("b", "1")]));
    assert_eq!(lake.content("main@").await, content([("a", "1")]));
    assert_eq!(lake.content("other").await, content([("a", "1")]));
    assert_eq!(lake.uncommitted("main").await, ["~a", "+b"]);
    assert_eq!(lake.get("main", "b").await.as_deref(), Some("1"));
    assert_eq!(lake.get("main@", "b").await, None);
}

#[tokio::test]
async fn deletes_hide_what_is_below_and_say_whether_there_was_anything() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    assert_eq!(
        lake.stage("main", &[delete("a"), delete("x")]).await.unwrap(),
        [Applied::Deleted, Applied::Missing]
    );
    assert_eq!(lake.get("main", "a").await, None);
    assert!(lake.content("main").await.is_empty());
    assert_eq!(lake.uncommitted("main").await, ["-a"]);
    assert_eq!(lake.stage("main", &[delete("a")]).await.unwrap(), [Applied::Missing]);
    lake.put("main", "a", "1").await;
    assert!(lake.uncommitted("main").await.is_empty(), "the same content again is no change");
}

#[tokio::test]
async fn a_batch_is_done_whole_or_not_at_all_and_in_order() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    let error = lake.stage("main", &[put("b", "1"), put_if_absent("a", "2")]).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::PreconditionFailed, "a"));
    assert_eq!(lake.content("main").await, content([("a", "1")]));

    let operations = [delete("a"), put_if_absent("a", "3"), put("b", "1"), delete("b")];
    let applied = lake.stage("main", &operations).await.unwrap();
    assert_eq!(applied, [Applied::Deleted, Applied::Put, Applied::Put, Applied::Deleted]);
    assert_eq!(lake.content("main").await, content([("a", "3")]));
    let error = lake.stage("main", &[put_if_absent("b", "1"), put_if_absent("b", "2")]).await.unwrap_err();
    assert_eq!(error.code(), Code::PreconditionFailed);
}

#[tokio::test]
async fn if_absent_looks_through_every_layer() {
    let lake = Lake::new().await;
    lake.put("main", "committed", "1").await;
    lake.commit("main").await;
    lake.put("main", "staged", "1").await;
    lake.delete("main", "committed").await;
    let refused = lake.stage("main", &[put_if_absent("staged", "2")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PreconditionFailed);
    lake.stage("main", &[put_if_absent("committed", "2")]).await.unwrap();
    lake.commit("main").await;
    let refused = lake.stage("main", &[put_if_absent("committed", "3")]).await.unwrap_err();
    assert_eq!(refused.code(), Code::PreconditionFailed);
}

#[tokio::test]
async fn limits_are_checked_before_anything_is_written() {
    let lake = Lake::new().await;
    let many: Vec<_> = (0..10_001).map(|number| put(&format!("{number}"), "1")).collect();
    assert_eq!(lake.stage("main", &many).await.unwrap_err().code(), Code::LimitExceeded);
    assert_eq!(lake.stage("main", &[]).await.unwrap_err().code(), Code::LimitExceeded);
    let mut fat = entry("1");
    fat.metadata.insert("k".into(), "v".repeat(65_536));
    let fat = StagedOperation::Put { path: path("fat"), entry: fat, condition: Condition::Always };
    let error = lake.stage("main", &[put("a", "1"), fat]).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::LimitExceeded, "fat"));
    assert!(lake.content("main").await.is_empty());
    assert_eq!(lake.stage("nothing", &[put("a", "1")]).await.unwrap_err().code(), Code::BranchNotFound);
}

#[tokio::test]
async fn ten_thousand_operations_fit_in_one_transaction() {
    let lake = Lake::new().await;
    let many: Vec<_> = (0..10_000).map(|number| put(&format!("{number:05}"), "1")).collect();
    lake.stage("main", &many).await.unwrap();
    assert_eq!(lake.content("main").await.len(), 10_000);
}

#[tokio::test]
async fn pages_of_a_listing_show_one_state() {
    let lake = Lake::new().await;
    for at in ["a/1", "a/2", "b", "c/1", "c/2", "d"] {
        lake.put("main", at, "1").await;
    }
    let list = ListRequest { delimiter: "/".into(), ..ListRequest::default() };
    let page = async |token: &str| {
        let request = PageRequest { token: token.into(), size: 2 };
        let page = lake.catalog.list_objects(&repo(), &expr("main"), &list, &request).await.unwrap();
        let names: Vec<String> = page.items.iter().map(name).collect();
        (names, page.next_token)
    };
    let (names, next) = page("").await;
    assert_eq!(names, ["a/", "b"]);
    lake.delete("main", "c/1").await;
    lake.delete("main", "c/2").await;
    lake.commit("main").await;
    let (names, next) = page(&next).await;
    assert_eq!(names, ["c/", "d"]);
    assert_eq!(next, "");
}

fn name(item: &Listing) -> String {
    match item {
        Listing::Object(object) => object.path.to_string(),
        Listing::CommonPrefix(prefix) => prefix.clone(),
    }
}

#[tokio::test]
async fn listings_compose_layers_prefixes_and_delimiters() {
    let lake = Lake::new().await;
    for at in ["dir/a", "dir/b", "dir/sub/c", "top"] {
        lake.put("main", at, "1").await;
    }
    lake.commit("main").await;
    lake.delete("main", "dir/a").await;
    lake.put("main", "dir/sub/d", "1").await;
    lake.put("main", "zoo", "1").await;
    let list = async |prefix: &str, delimiter: &str, after: &str| {
        let request = ListRequest {
            prefix: PathPrefix::new(prefix).unwrap(),
            delimiter: delimiter.into(),
            after: after.into(),
        };
        let mut cursor = lake.catalog.object_cursor(&repo(), &expr("main"), &request).await.unwrap();
        cursor.next_items(100).await.unwrap().iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(list("", "/", "").await, ["dir/", "top", "zoo"]);
    assert_eq!(list("dir/", "/", "").await, ["dir/b", "dir/sub/"]);
    assert_eq!(list("dir/sub/", "", "").await, ["dir/sub/c", "dir/sub/d"]);
    assert_eq!(list("", "", "dir/sub/c").await, ["dir/sub/d", "top", "zoo"]);
    assert_eq!(list("", "/", "dir/").await, ["top", "zoo"]);
}

#[tokio::test]
async fn reset_drops_what_it_is_asked_to() {
    let lake = Lake::new().await;
    for at in ["a", "dir/x", "dir/y"] {
        lake.put("main", at, "1").await;
    }
    lake.commit("main").await;
    let stage_all = async || {
        lake.put("main", "a", "2").await;
        lake.delete("main", "dir/x").await;
        lake.put("main", "dir/z", "2").await;
    };
    let reset = async |scope: ResetScope| {
        lake.catalog.reset(&repo(), &branch("main"), &scope, &lake.mutation()).await
    };
    stage_all().await;
    reset(ResetScope::Path(ObjectPath::new("a").unwrap())).await.unwrap();
    assert_eq!(lake.uncommitted("main").await, ["-dir/x", "+dir/z"]);
    reset(ResetScope::Prefix(PathPrefix::new("dir/").unwrap())).await.unwrap();
    assert!(lake.uncommitted("main").await.is_empty());
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
    stage_all().await;
    reset(ResetScope::All).await.unwrap();
    assert!(lake.uncommitted("main").await.is_empty());
    assert_eq!(lake.content("main").await.len(), 3);
    lake.branch("side", "main").await;
    lake.put("side", "b", "1").await;
    lake.commit("side").await;
    lake.merge("side", "main").await;
}

#[tokio::test]
async fn reset_of_a_path_reaches_through_sealed_layers() {
    let lake = Lake::new().await;
    lake.put("main", "a", "1").await;
    lake.commit("main").await;
    lake.put("main", "a", "2").await;
    lake.put("main", "b", "2").await;
    lake.put("main", "c", "2").await;
    lake.seal("main").await;
    for at in ["a", "b"] {
        let scope = ResetScope::Path(path(at));
        lake.catalog.reset(&repo(), &branch("main"), &scope, &lake.mutation()).await.unwrap();
    }
    assert_eq!(lake.content("main").await, content([("a", "1"), ("c", "2")]));
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await, content([("a", "1"), ("c", "2")]));
}
