use std::collections::BTreeMap;

use braid_client::{BranchRetention, CopyObject, Retention, SetBranchProtection, UpdateRepositoryMetadata};
use braid_types::Code;

use super::support::*;

#[tokio::test]
async fn settings_are_kept_and_given_back() {
    let (_node, client) = Node::with_lake().await;
    let set = BTreeMap::from([("owner".to_owned(), "ada".to_owned())]);
    let update = UpdateRepositoryMetadata { repository: lake(), set: set.clone(), remove: vec![] };
    assert_eq!(client.update_repository_metadata(update).await.unwrap(), set);
    assert_eq!(client.get_repository_metadata(&lake()).await.unwrap(), set);

    assert_eq!(code(client.get_retention(&lake()).await), Code::SettingNotFound);
    let branches = vec![BranchRetention { branch: main_branch(), days: 30 }];
    let retention = Retention { default_days: 7, branches };
    client.set_retention(&lake(), retention.clone()).await.unwrap();
    assert_eq!(client.get_retention(&lake()).await.unwrap(), retention);
    client.delete_retention(&lake()).await.unwrap();
    assert_eq!(code(client.get_retention(&lake()).await), Code::SettingNotFound);

    assert!(client.set_read_only(&lake(), true).await.unwrap().read_only);
    assert_eq!(code(client.create_upload(&lake(), &main_branch(), target("a")).await), Code::ReadOnly);
    assert!(!client.set_read_only(&lake(), false).await.unwrap().read_only);
}

#[tokio::test]
async fn nothing_is_uploaded_to_a_protected_branch_nor_linked_on_it() {
    let (node, client) = Node::with_lake().await;
    let link = node.uploaded(&client, &main_branch(), "a", "1").await;
    let protect = SetBranchProtection { repository: lake(), patterns: vec!["m*".into()], if_revision: None };
    let protection = client.set_branch_protection(protect.clone()).await.unwrap();
    assert_eq!(client.get_branch_protection(&lake()).await.unwrap(), protection);
    let refused = client.create_upload(&lake(), &main_branch(), target("b")).await;
    assert_eq!(code(refused), Code::ProtectedBranch);
    assert_eq!(code(client.link_upload(&lake(), &main_branch(), link).await), Code::ProtectedBranch);
    let wrong = SetBranchProtection { patterns: vec!["a/b".into()], ..protect.clone() };
    assert_eq!(code(client.set_branch_protection(wrong).await), Code::InvalidArgument);
    let stale = SetBranchProtection { if_revision: Some("other".into()), ..protect };
    assert_eq!(code(client.set_branch_protection(stale).await), Code::PreconditionFailed);
}

#[tokio::test]
async fn a_copy_shares_its_data_and_metadata_is_replaced() {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "1").await;
    commit(&client, &main_branch(), "first").await.unwrap();
    let side = branch_from(&client, "side", "main").await;
    let copy = CopyObject {
        repository: lake(),
        reference: reference("main"),
        source: path("a"),
        branch: side.clone(),
        path: path("d/b"),
        metadata: None,
        if_absent: true,
        if_etag: None,
        if_generation: None,
    };
    let copied = client.copy_object(copy.clone()).await.unwrap();
    let source = client.stat_object(&lake(), &reference("main"), &path("a")).await.unwrap();
    assert_eq!(copied.entry, source.entry);
    assert_eq!(client.stat_object(&lake(), &reference("side"), &path("d/b")).await.unwrap(), copied);
    assert_eq!(code(client.copy_object(copy.clone()).await), Code::PreconditionFailed);
    let version = CopyObject { if_absent: false, if_generation: Some(copied.generation), ..copy.clone() };
    client.copy_object(version).await.unwrap();
    let other = CopyObject { if_absent: false, if_generation: Some(1), ..copy.clone() };
    assert_eq!(code(client.copy_object(other).await), Code::PreconditionFailed);
    let absent = CopyObject { source: path("absent"), ..copy };
    assert_eq!(code(client.copy_object(absent).await), Code::ObjectNotFound);

    let metadata = BTreeMap::from([("k".to_owned(), "v".to_owned())]);
    client.set_object_metadata(&lake(), &side, &path("d/b"), metadata.clone()).await.unwrap();
    let found = client.stat_object(&lake(), &reference("side"), &path("d/b")).await.unwrap();
    assert_eq!((found.entry.metadata, found.entry.address), (metadata.clone(), copied.entry.address));
    let missing = client.set_object_metadata(&lake(), &side, &path("absent"), metadata).await;
    assert_eq!(code(missing), Code::ObjectNotFound);
    assert_eq!(paths(&client, "side").await, ["a", "d/b"]);
}
