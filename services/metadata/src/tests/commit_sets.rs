//! Commit sets and hard resets over gRPC.

use braid_client::{
    Client, CommitBranch, CommitSet, CreateTag, HardResetBranch, Merge, MergeStrategy, SetMember,
};
use braid_types::{BranchName, Code, TagName};
use braid_wire::proto;

use super::support::*;

fn commit_of(on: &BranchName) -> SetMember {
    SetMember::Commit(CommitBranch {
        repository: lake(),
        branch: on.clone(),
        message: "together".into(),
        metadata: Default::default(),
        allow_empty: false,
        date: None,
    })
}

fn merge_of(source: &str) -> SetMember {
    SetMember::Merge(Merge {
        repository: lake(),
        source: reference(source),
        destination: main_branch(),
        strategy: MergeStrategy::Refuse,
        message: None,
        metadata: Default::default(),
        squash: false,
        allow_empty: false,
    })
}

fn tag_of(at: &str) -> SetMember {
    let name = TagName::new("v1").unwrap();
    SetMember::Tag(CreateTag { repository: lake(), name, reference: reference(at) })
}

fn reset_of(on: &BranchName, to: &str) -> SetMember {
    SetMember::HardReset(HardResetBranch { repository: lake(), branch: on.clone(), reference: reference(to) })
}

/// A lake with a branch `dev`, on which something is staged, and a branch `old`.
async fn with_branches() -> (Node, Client, BranchName, BranchName) {
    let (node, client) = Node::with_lake().await;
    let dev = branch_from(&client, "dev", "main").await;
    let old = branch_from(&client, "old", "main").await;
    node.write(&client, &dev, "a", "x").await;
    (node, client, dev, old)
}

#[tokio::test]
async fn a_set_is_done_whole_and_tells_what_each_member_made() {
    let (_node, client, dev, old) = with_branches().await;
    let members = vec![commit_of(&dev), merge_of("dev"), tag_of("main"), reset_of(&old, "v1")];
    let made = client.commit_set(CommitSet { members }).await.unwrap();
    assert_eq!(made[1].commit.parents[1], made[0].id);
    assert_eq!((made[2].id, made[3].id), (made[1].id, made[1].id));
    assert_eq!(client.get_branch(&lake(), &old).await.unwrap().commit_id, made[1].id);
    assert_eq!(paths(&client, "v1").await, ["a"]);
}

#[tokio::test]
async fn a_set_that_fails_names_the_member_and_does_nothing() {
    let (node, client, dev, old) = with_branches().await;
    let before = client.get_branch(&lake(), &dev).await.unwrap();
    let members = vec![commit_of(&dev), merge_of("dev"), commit_of(&old)];
    let refused = client.commit_set(CommitSet { members }).await.unwrap_err();
    assert_eq!((refused.code(), refused.subject()), (Code::NothingToCommit, "old"));
    assert!(refused.message().starts_with("member 3 (commit of 'lake/old'): "), "{refused}");
    assert!(!refused.may_have_happened());
    assert_eq!(client.get_branch(&lake(), &dev).await.unwrap(), before);
    let none = client.commit_set(CommitSet { members: Vec::new() }).await.unwrap_err();
    assert_eq!(none.code(), Code::LimitExceeded);
    let id = proto::CommitRequest { repository: "lake".into(), request_id: "r".into(), ..Default::default() };
    let member = Some(proto::commit_set_member::Member::Commit(id));
    let request = proto::CommitSetRequest {
        members: vec![proto::CommitSetMember { member }],
        request_id: "set".into(),
    };
    let refused = node.commit_service().commit_set(node.request(request)).await.unwrap_err();
    assert!(refused.message().contains("request_id: it must be empty"), "{refused}");
}

#[tokio::test]
async fn a_branch_is_moved_unless_it_is_dirty() {
    let (node, client, dev, _) = with_branches().await;
    let reset = async |to: &str| client.hard_reset_branch(&lake(), &dev, &reference(to)).await;
    assert_eq!(reset("main").await.unwrap_err().code(), Code::DirtyBranch);
    commit(&client, &dev, "a").await.unwrap();
    let main = client.get_branch(&lake(), &main_branch()).await.unwrap();
    assert_eq!(reset("main").await.unwrap().commit_id, main.commit_id);
    assert!(paths(&client, "dev").await.is_empty());
    node.write(&client, &dev, "b", "x").await;
    assert_eq!(paths(&client, "dev").await, ["b"]);
}
