use braid_client::{
    CherryPick, Client, Diff, DiffKind, DiffMode, ListMergeConflicts, Log, Merge, MergeStrategy, Revert,
};
use braid_types::{BranchName, Code};
use futures::TryStreamExt;

use super::support::*;

fn merge(source: &str) -> Merge {
    Merge {
        repository: lake(),
        source: reference(source),
        destination: main_branch(),
        strategy: MergeStrategy::Refuse,
        message: None,
        metadata: Default::default(),
        squash: false,
        allow_empty: false,
    }
}

fn log() -> Log {
    Log {
        repository: lake(),
        reference: reference("main"),
        limit: None,
        first_parent: false,
        since: None,
        stop_at: None,
        after: None,
        paths: vec![],
        prefixes: vec![],
    }
}

fn revert(of: &str) -> Revert {
    Revert {
        repository: lake(),
        branch: main_branch(),
        reference: reference(of),
        parent_number: None,
        allow_empty: false,
        message: None,
        metadata: Default::default(),
    }
}

async fn messages(client: &Client, log: Log) -> Vec<String> {
    client.log(log).map_ok(|info| info.commit.message).try_collect().await.unwrap()
}

/// `both` is changed on `main` and on `dev`; each side also adds a path of its own.
///
/// ```text
/// created ── base ── main
///               └─── dev
/// ```
async fn diverged(node: &Node, client: &Client) -> BranchName {
    node.write(client, &main_branch(), "both", "base").await;
    commit(client, &main_branch(), "base").await.unwrap();
    let dev = branch_from(client, "dev", "main").await;
    for on in [main_branch(), dev.clone()] {
        node.write(client, &on, "both", on.as_str()).await;
        node.write(client, &on, &format!("only-{on}"), "x").await;
        commit(client, &on, on.as_str()).await.unwrap();
    }
    dev
}

#[tokio::test]
async fn a_log_shows_history_newest_first() {
    let (node, client) = Node::with_lake().await;
    for at in ["a", "dir/b", "a"] {
        node.write(&client, &main_branch(), at, &format!("{at} again")).await;
        commit(&client, &main_branch(), at).await.unwrap_or_else(|_| panic!("{at}"));
        client.delete_object(&lake(), &main_branch(), &path(at)).await.unwrap();
        commit(&client, &main_branch(), &format!("rm {at}")).await.unwrap();
    }
    let all = ["rm a", "a", "rm dir/b", "dir/b", "rm a", "a", "Repository created"];
    assert_eq!(messages(&client, log()).await, all);
    assert_eq!(messages(&client, Log { limit: Some(2), ..log() }).await, all[..2]);
    assert_eq!(messages(&client, Log { stop_at: Some(reference("main~2")), ..log() }).await, all[..3]);
    assert_eq!(messages(&client, Log { paths: vec![path("dir/b")], ..log() }).await, all[2..4]);
    assert_eq!(messages(&client, Log { prefixes: vec![prefix("dir/")], ..log() }).await, all[2..4]);
}

#[tokio::test]
async fn refs_are_compared_directly_or_from_their_merge_base() {
    let (node, client) = Node::with_lake().await;
    diverged(&node, &client).await;
    let diff = |mode| {
        let (left, right) = (reference("main"), reference("dev"));
        let (delimiter, after) = (None, None);
        let diff = Diff { repository: lake(), left, right, mode, prefix: prefix(""), delimiter, after };
        client.diff(diff).map_ok(changed_path)
    };
    let kinds = |entries: Vec<braid_client::DiffEntry>| -> Vec<(String, DiffKind)> {
        entries.into_iter().map(|entry| (entry.path.to_string(), entry.kind)).collect()
    };
    let two_dot = kinds(diff(DiffMode::TwoDot).try_collect().await.unwrap());
    let expected =
        [("both", DiffKind::Changed), ("only-dev", DiffKind::Added), ("only-main", DiffKind::Removed)];
    assert_eq!(two_dot, expected.map(|(path, kind)| (path.to_owned(), kind)));
    let three_dot = kinds(diff(DiffMode::ThreeDot).try_collect().await.unwrap());
    assert_eq!(
        three_dot,
        expected[..2].iter().map(|(path, kind)| ((*path).to_owned(), *kind)).collect::<Vec<_>>()
    );
    let base = client.find_merge_base(&lake(), &reference("main"), &reference("dev")).await.unwrap();
    assert_eq!(base.base_commit_id, client.get_commit(&lake(), &reference("dev~1")).await.unwrap().id);
}

#[tokio::test]
async fn conflicts_are_listed_and_strategies_settle_them() {
    let (node, client) = Node::with_lake().await;
    diverged(&node, &client).await;
    let before = client.get_branch(&lake(), &main_branch()).await.unwrap();
    let refused = client.merge(merge("dev")).await.unwrap_err();
    assert_eq!(refused.code(), Code::MergeConflict);
    assert!(refused.message().contains("both"), "{refused}");
    assert_eq!(client.get_branch(&lake(), &main_branch()).await.unwrap(), before);
    let list =
        ListMergeConflicts { repository: lake(), source: reference("dev"), destination: main_branch() };
    let conflicts: Vec<_> = client.list_merge_conflicts(list).try_collect().await.unwrap();
    let [conflict] = &conflicts[..] else { panic!("{conflicts:?}") };
    assert_eq!(conflict.path.as_str(), "both");
    let sizes = [&conflict.base, &conflict.source, &conflict.destination]
        .map(|side| side.as_ref().unwrap().entry.size);
    assert_eq!(sizes, [4, 3, 4]);
    let made = client.merge(Merge { strategy: MergeStrategy::SourceWins, ..merge("dev") }).await.unwrap();
    assert_eq!(made.commit.parents.len(), 2);
    assert_eq!(made.commit.parents[0], before.commit_id);
    assert_eq!(paths(&client, "main").await, ["both", "only-dev", "only-main"]);
    assert_eq!(entry(&client, "main", "both").await.size, 3);
    assert_eq!(code(client.merge(merge("dev")).await), Code::NothingToMerge);
}

#[tokio::test]
async fn the_destination_can_win_and_a_squash_has_one_parent() {
    let (node, client) = Node::with_lake().await;
    diverged(&node, &client).await;
    let squash = Merge { strategy: MergeStrategy::DestinationWins, squash: true, ..merge("dev") };
    let made = client.merge(Merge { message: Some("squashed".to_owned()), ..squash }).await.unwrap();
    assert_eq!((made.commit.parents.len(), &made.commit.message[..]), (1, "squashed"));
    assert_eq!(entry(&client, "main", "both").await.size, 4);
    assert_eq!(paths(&client, "main").await, ["both", "only-dev", "only-main"]);
}

#[tokio::test]
async fn a_revert_undoes_and_a_cherry_pick_does_again() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "x").await;
    let made = commit(&client, &main_branch(), "add a").await.unwrap();
    client.revert(revert("main")).await.unwrap();
    assert_eq!(paths(&client, "main").await.len(), 0);
    let pick = CherryPick {
        repository: lake(),
        branch: main_branch(),
        reference: at_commit(&made.id),
        parent_number: None,
        message: None,
        metadata: Default::default(),
    };
    let picked = client.cherry_pick(pick).await.unwrap();
    assert_eq!(picked.commit.message, "add a");
    assert_eq!(paths(&client, "main").await, ["a"]);
    assert_eq!(picked.commit.metarange, made.commit.metarange, "the same content is the same tree");
}

#[tokio::test]
async fn merges_and_reverts_need_a_clean_branch_and_a_parent() {
    let (node, client) = Node::with_lake().await;
    diverged(&node, &client).await;
    let source_wins = || Merge { strategy: MergeStrategy::SourceWins, ..merge("dev") };
    node.write(&client, &main_branch(), "dirt", "x").await;
    assert_eq!(code(client.merge(source_wins()).await), Code::DirtyBranch);
    assert_eq!(code(client.revert(revert("main")).await), Code::DirtyBranch);
    assert!(paths(&client, "main").await.contains(&"dirt".to_owned()), "nothing was lost by the refusals");
    client.reset_branch(&lake(), &main_branch(), braid_client::ResetScope::All).await.unwrap();
    client.merge(source_wins()).await.unwrap();
    assert_eq!(code(client.revert(revert("main")).await), Code::ParentRequired);
    client.revert(Revert { parent_number: Some(1), ..revert("main") }).await.unwrap();
    assert_eq!(paths(&client, "main").await, ["both", "only-main"]);
    assert_eq!(code(client.merge(merge("main")).await), Code::SameBranch);
}
