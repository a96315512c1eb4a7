//! Moving, deleting and resetting whole directories, and moving single objects.

use braid_types::Code;

use super::lake::*;
use crate::*;

/// `main` with a committed directory `a/` of 50, and one object beside it.
async fn filled() -> Lake {
    let lake = Lake::new().await;
    lake.fill("main", "a/", 50).await;
    lake.put("main", "a-b", "1").await;
    lake.commit("main").await;
    lake
}

async fn listed(lake: &Lake, at: &str, under: &str) -> Vec<String> {
    let list = ListRequest { prefix: prefix(under), delimiter: "/".into(), ..ListRequest::default() };
    let page = lake.catalog.list_objects(&repo(), &expr(at), &list, &PageRequest::default()).await.unwrap();
    let name = |listing: Listing| match listing {
        Listing::Object(object) => object.path.to_string(),
        Listing::CommonPrefix(prefix) => prefix,
    };
    page.items.into_iter().map(name).collect()
}

async fn tree_of(lake: &Lake, at: &str) -> Option<braid_types::MetarangeId> {
    lake.catalog.commit_at(&repo(), &expr(at)).await.unwrap().1.metarange
}

#[tokio::test]
async fn a_directory_is_seen_under_its_new_name_and_commits_to_what_puts_and_deletes_make() {
    let lake = filled().await;
    lake.branch("plain", "main").await;
    for on in ["main", "plain"] {
        lake.put(on, "a/10", "2").await;
        lake.delete(on, "a/11").await;
    }
    lake.rename("main", "a/", "b/c/").await;
    assert_eq!(lake.record_of("main").await.sealed.len(), 2);
    lake.put("main", "b/c/12", "3").await;
    lake.put("main", "a/new", "3").await;
    let source = lake.content("plain").await;
    for (path, content) in &source {
        let Some(rest) = path.strip_prefix("a/") else { continue };
        let moved = if rest == "12" { "3" } else { content };
        lake.stage("plain", &[delete(path), put(&format!("b/c/{rest}"), moved)]).await.unwrap();
    }
    lake.put("plain", "a/new", "3").await;
    assert_eq!(lake.content("main").await, lake.content("plain").await);
    assert_eq!(lake.get("main", "b/c/10").await.as_deref(), Some("2"));
    assert_eq!(lake.get("main", "b/c/11").await, None);
    assert_eq!(lake.get("main", "a/10").await, None);
    assert_eq!(listed(&lake, "main", "").await, ["a-b", "a/", "b/"]);
    assert_eq!(listed(&lake, "main", "b/").await, ["b/c/"]);
    assert_eq!(lake.uncommitted("main").await, lake.uncommitted("plain").await);
    lake.commit("main").await;
    lake.commit("plain").await;
    assert_eq!(tree_of(&lake, "main").await, tree_of(&lake, "plain").await);
    assert!(lake.record_of("main").await.sealed.is_empty());
}

#[tokio::test]
async fn moves_that_cannot_be_are_refused_by_name() {
    let lake = filled().await;
    lake.fill("main", "b/", 50).await;
    lake.put("main", "c/1", "1").await;
    let before = lake.content("main").await;
    for (from, to, code, said) in [
        ("a/", "a/", Code::IntoItself, "where it is"),
        ("a/", "a/b/", Code::IntoItself, "into itself"),
        ("a/b/", "a/", Code::IntoItself, "which it is in"),
        ("a", "b/", Code::InvalidPath, "'a' is no directory"),
        ("a/", "b", Code::InvalidPath, "'b' is no directory"),
        ("", "b/", Code::InvalidPath, "no directory"),
        ("x/", "b/", Code::ObjectNotFound, "nothing under 'x/'"),
        ("a/", "b/", Code::DestinationExists, "'b/00'"),
        ("a/", "c/", Code::DestinationExists, "'c/1'"),
        ("c/", "a/", Code::DestinationExists, "'a/00'"),
    ] {
        let error = lake.try_move("main", from, to).await.unwrap_err();
        assert_eq!(error.code(), code, "{from} to {to}: {error}");
        assert!(error.message().contains(said), "{error}");
    }
    assert_eq!(lake.content("main").await, before);
    let what = move_directory("main", "a/", "b/", true);
    lake.catalog.move_directory(&repo(), &what, &lake.mutation()).await.unwrap();
    assert_eq!(lake.content("main").await.len(), 50 + 2);
    let what = move_directory("main", "c/", "b/", true);
    lake.catalog.move_directory(&repo(), &what, &lake.mutation()).await.unwrap();
    assert_eq!(lake.content("main").await, content([("a-b", "1"), ("b/1", "1")]));
}

#[tokio::test]
async fn small_directories_are_rewritten_and_told_path_by_path() {
    let lake = Lake::new().await;
    lake.fill("main", "a/", 2).await;
    lake.commit("main").await;
    lake.put("main", "b/old", "2").await;
    let what = move_directory("main", "a/", "b/", true);
    lake.catalog.move_directory(&repo(), &what, &lake.mutation()).await.unwrap();
    assert!(lake.record_of("main").await.sealed.is_empty());
    assert_eq!(lake.content("main").await, content([("b/00", "1"), ("b/01", "1")]));
    let mut told: Vec<String> = lake.open_changes("main").await.iter().map(super::changes::told).collect();
    told.sort();
    let moved = ["a/00: committed -> deleted", "a/01: committed -> deleted", "b/00: committed -> 1"];
    let rest = ["b/01: committed -> 1", "b/old: 2 -> deleted", "b/old: committed -> 2"];
    assert_eq!(told, [&moved[..], &rest[..]].concat());
    assert!(lake.erase("main", "b/0").await);
    assert!(!lake.erase("main", "b/0").await);
    lake.reset("main", ResetScope::Prefix(prefix("a"))).await;
    lake.reset("main", ResetScope::Prefix(prefix("b"))).await;
    assert_eq!(lake.content("main@").await, lake.content("main").await);
    assert!(lake.record_of("main").await.sealed.is_empty());
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
}

#[tokio::test]
async fn everything_under_a_prefix_is_deleted_and_comes_back_by_a_reset() {
    let lake = filled().await;
    lake.put("main", "ab", "1").await;
    assert!(lake.erase("main", "a/").await);
    assert!(!lake.erase("main", "a/").await);
    assert_eq!(lake.content("main").await, content([("a-b", "1"), ("ab", "1")]));
    lake.put("main", "a/again", "2").await;
    assert_eq!(lake.uncommitted("main").await.len(), 50 + 2);
    lake.reset("main", ResetScope::Path(path("a/07"))).await;
    lake.reset("main", ResetScope::Path(path("a/again"))).await;
    assert_eq!(listed(&lake, "main", "a/").await, ["a/07"]);
    lake.reset("main", ResetScope::Prefix(prefix("a/"))).await;
    assert_eq!(lake.uncommitted("main").await, ["+ab"]);
    assert!(lake.erase("main", "").await);
    assert!(lake.content("main").await.is_empty());
    lake.put("main", "only", "1").await;
    lake.commit("main").await;
    assert_eq!(lake.content("main@").await, content([("only", "1")]));
    lake.fill("main", "x/", 50).await;
    lake.erase("main", "x/").await;
    assert_eq!(lake.try_commit("main").await.unwrap_err().code(), Code::NothingToCommit);
    assert!(lake.record_of("main").await.sealed.is_empty());
}

#[tokio::test]
async fn one_object_is_moved_with_what_it_maps_to() {
    let lake = filled().await;
    lake.move_object("main", ["a/00", "x"], false).await.unwrap();
    lake.move_object("main", ["x", "y"], false).await.unwrap();
    assert_eq!(lake.get("main", "y").await.as_deref(), Some("1"));
    assert_eq!(lake.uncommitted("main").await, ["-a/00", "+y"]);
    lake.put("main", "z", "2").await;
    for (paths, code) in [
        (["nothing", "x"], Code::ObjectNotFound),
        (["a/00", "x"], Code::ObjectNotFound),
        (["y", "y"], Code::IntoItself),
        (["y", "z"], Code::DestinationExists),
        (["y", "a/01"], Code::DestinationExists),
    ] {
        assert_eq!(lake.move_object("main", paths, false).await.unwrap_err().code(), code, "{paths:?}");
    }
    lake.move_object("main", ["z", "a/01"], true).await.unwrap();
    assert_eq!(lake.get("main", "a/01").await.as_deref(), Some("2"));
    let there_and_back = [("y", "q"), ("q", "y")].map(|(source, destination)| StagedOperation::Move {
        source: path(source),
        destination: path(destination),
        overwrite: false,
    });
    assert_eq!(lake.stage("main", &there_and_back).await.unwrap(), [Applied::Moved, Applied::Moved]);
    assert_eq!(lake.get("main", "y").await.as_deref(), Some("1"));
}

/// A retry answers as the first try did, whatever was done since.
#[tokio::test]
async fn retried_requests_do_their_work_once() {
    for count in [3, 50] {
        let lake = Lake::new().await;
        lake.fill("main", "a/", count).await;
        let [moving, deleting, resetting, single] = [(); 4].map(|()| lake.mutation());
        let what = move_directory("main", "a/", "b/", false);
        let main = branch("main");
        for _ in 0..2 {
            lake.catalog.move_directory(&repo(), &what, &moving).await.unwrap();
            lake.put("main", "a/again", "1").await;
        }
        for _ in 0..2 {
            let deleted = lake.catalog.delete_prefix(&repo(), &main, &what.destination, &deleting).await;
            assert!(deleted.unwrap());
            lake.put("main", "b/again", "1").await;
        }
        let scope = ResetScope::Prefix(prefix("b/"));
        for expected in [None, Some("1".to_owned())] {
            lake.catalog.reset(&repo(), &main, &scope, &resetting).await.unwrap();
            assert_eq!(lake.get("main", "b/again").await, expected);
            lake.put("main", "b/again", "1").await;
        }
        for _ in 0..2 {
            let paths = [path("a/again"), path("c")];
            lake.catalog.move_object(&repo(), &main, paths, false, &single).await.unwrap();
        }
        assert_eq!(lake.content("main").await, content([("b/again", "1"), ("c", "1")]));
        let other = move_directory("main", "b/", "d/", false);
        let reused = lake.catalog.move_directory(&repo(), &other, &moving).await.unwrap_err();
        assert_eq!(reused.code(), Code::RequestIdReused);
    }
}

/// Moves make paths longer than a put may.
#[tokio::test]
async fn long_paths_are_readable_movable_and_deletable_up_to_a_cap() {
    let lake = Lake::with_layers().await;
    let (name, long) = ("n".repeat(1000), format!("{}/", "d".repeat(1000)));
    lake.fill("main", &format!("a/{name}"), 2).await;
    let mut directory = "a/".to_owned();
    for inner in ["b/", "c/", "d/"] {
        let to = format!("{inner}{long}");
        lake.rename("main", &directory, &to).await;
        // What was moved is moved on as a part of another directory.
        directory = inner.to_owned();
        let at = lake.content("main").await.into_keys().next().unwrap();
        assert_eq!(lake.get_existing("main", &at).await.as_deref(), Some("1"));
    }
    let at = lake.content("main").await.into_keys().next().unwrap();
    assert!((4000..4096).contains(&at.len()), "{}", at.len());
    lake.commit("main").await;
    let error = lake.try_move("main", "d/", &format!("e/{long}")).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidPath);
    assert!(error.message().contains("moves may make it 4096 long"), "{error}");
    let gone = braid_types::ObjectPath::existing(at.clone()).unwrap();
    let gone = StagedOperation::Delete { path: gone, condition: Condition::Always };
    assert_eq!(lake.stage("main", &[gone]).await.unwrap(), [Applied::Deleted]);
    lake.put("main", "d/00", "1").await;
    lake.put("main", "d/01", "1").await;
    // This one is too long as well, and not among those that were looked at.
    lake.rename("main", "d/", &format!("e/{long}")).await;
    let error = lake.try_commit("main").await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidPath);
    lake.reset("main", ResetScope::All).await;
    assert_eq!(lake.content("main").await.len(), 2);
}
