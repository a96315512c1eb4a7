//! Dumping references into the bucket, and opening the bucket again.

use braid_client::{
    Client, CreateTag, DumpEvent, DumpedRefs, Fsck, FsckEvent, RestoreEvent, RestoreRefs, RestoredRefs,
};
use braid_objects::{ObjectStore, PutOptions};
use braid_types::{Code, Error, TagName};
use futures::TryStreamExt;

use super::support::*;

async fn dumped(client: &Client) -> DumpedRefs {
    let mut events: Vec<DumpEvent> = client.dump_refs(&lake()).try_collect().await.unwrap();
    let Some(DumpEvent::Done(dumped)) = events.pop() else { panic!("{events:?}") };
    assert!(events.iter().all(|event| matches!(event, DumpEvent::Progress(_))) && !events.is_empty());
    dumped
}

async fn restored(client: &Client, request: RestoreRefs) -> Result<RestoredRefs, Error> {
    let mut events: Vec<RestoreEvent> = client.restore_refs(request).try_collect().await?;
    let Some(RestoreEvent::Done(restored)) = events.pop() else { panic!("{events:?}") };
    assert!(events.iter().all(|event| matches!(event, RestoreEvent::Progress(_))) && !events.is_empty());
    Ok(restored)
}

fn into(name: &str, namespace: Option<&str>) -> RestoreRefs {
    RestoreRefs {
        repository: repository(name),
        manifest: None,
        storage_namespace: namespace.map(str::to_owned),
        default_branch: None,
        take_over: false,
    }
}

/// A lake with two commits, a tag, and a change that is not committed.
async fn used() -> (Node, Client) {
    let (node, client) = Node::with_lake().await;
    node.write(&client, &main_branch(), "a", "12345").await;
    commit(&client, &main_branch(), "one").await.unwrap();
    let (name, reference) = (TagName::new("v1").unwrap(), reference("main"));
    client.create_tag(CreateTag { repository: lake(), name, reference }).await.unwrap();
    node.write(&client, &main_branch(), "staged", "x").await;
    (node, client)
}

#[tokio::test]
async fn the_lake_is_deleted_and_comes_back_from_its_bucket() {
    let (node, client) = used().await;
    let before = client.get_repository(&lake()).await.unwrap();
    let head = client.get_branch(&lake(), &main_branch()).await.unwrap().commit_id;
    let dump = dumped(&client).await;
    assert_eq!((dump.commits, dump.branches, dump.tags), (2, 1, 1));
    assert_eq!((dump.uncommitted, &dump.uncommitted_branches[..]), (1, &[main_branch()][..]));
    let namespace = before.storage_namespace.as_str();
    assert_eq!(dump.manifest_uri, format!("{namespace}/_lakefs/refs_manifest.json"));
    let key = dump.manifest_uri.strip_prefix("s3://").unwrap();
    let manifest = node.installation.objects.get(key, None).await.unwrap();
    let manifest = String::from_utf8(manifest.to_vec()).unwrap();
    assert!(manifest.contains(&dump.manifest.commits_meta_range_id.to_hex()), "{manifest}");

    client.delete_repository(&lake()).await.unwrap();
    let made = restored(&client, into("lake", Some(namespace))).await.unwrap();
    assert_eq!((made.commits, made.branches, made.tags), (2, 1, 1));
    assert_eq!(made.repository.storage_namespace, namespace);
    assert_ne!(made.repository.id, before.id);
    assert_eq!(client.get_repository(&lake()).await.unwrap(), made.repository);
    assert_eq!(client.get_branch(&lake(), &main_branch()).await.unwrap().commit_id, head);
    let object = client.stat_object(&lake(), &reference("v1"), &path("a")).await.unwrap();
    assert_eq!(object.entry.size, 5);
    assert_eq!(
        code(client.stat_object(&lake(), &reference("main"), &path("staged")).await),
        Code::ObjectNotFound
    );
    let check = Fsck { repository: lake(), reference: None, history: true };
    let events: Vec<FsckEvent> = client.fsck(check).try_collect().await.unwrap();
    assert!(events.iter().all(|event| matches!(event, FsckEvent::Progress(_))), "{events:?}");

    // Another one is not opened over the same place, nor is one that has something overwritten.
    assert_eq!(code(restored(&client, into("two", Some(namespace))).await), Code::NamespaceInUse);
    assert_eq!(code(restored(&client, into("lake", Some("s3://lake/other"))).await), Code::RepositoryExists);
    assert_eq!(code(restored(&client, into("lake", None)).await), Code::RepositoryNotEmpty);
}

#[tokio::test]
async fn a_place_that_others_hold_is_opened_only_when_told_so() {
    let (node, client) = used().await;
    let dump = dumped(&client).await;
    let objects = &node.installation.objects;
    // What lakeFS leaves: its marker, its trees, its dump.
    let from = dump.manifest_uri.strip_prefix("s3://").unwrap().strip_suffix("refs_manifest.json").unwrap();
    for meta in objects.list(from, None, 1000).await.unwrap().items {
        let file = match meta.key.ends_with("/dummy") {
            true => "this is dummy data created by lakeFS".into(),
            false => objects.get(&meta.key, None).await.unwrap(),
        };
        let to = format!("lake/theirs/_lakefs/{}", meta.key.rsplit('/').next().unwrap());
        objects.put(&to, file, PutOptions::default()).await.unwrap();
    }
    let theirs = into("theirs", Some("s3://lake/theirs/"));
    assert_eq!(code(restored(&client, theirs.clone()).await), Code::NamespaceInUse);
    assert_eq!(code(client.get_repository(&repository("theirs")).await), Code::RepositoryNotFound);
    let made = restored(&client, RestoreRefs { take_over: true, ..theirs }).await.unwrap();
    assert_eq!(made.repository.storage_namespace, "s3://lake/theirs");
    let marker = objects.get("lake/theirs/_lakefs/dummy", None).await.unwrap();
    assert!(String::from_utf8(marker.to_vec()).unwrap().contains("Braid"));
    let log = client.get_branch(&repository("theirs"), &main_branch()).await.unwrap().commit_id;
    assert_eq!(log, client.get_branch(&lake(), &main_branch()).await.unwrap().commit_id);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused() {
    let (node, client) = Node::with_lake().await;
    assert_eq!(code(restored(&client, into("lake", None)).await), Code::DumpNotFound);
    let without = RestoreRefs { take_over: true, ..into("lake", None) };
    assert_eq!(code(restored(&client, without).await), Code::InvalidArgument);
    let dump = dumped(&client).await;
    let key = dump.manifest_uri.strip_prefix("s3://").unwrap();
    node.installation.objects.put(key, "{}".into(), PutOptions::default()).await.unwrap();
    let error = restored(&client, into("lake", None)).await.unwrap_err();
    assert_eq!((error.code(), error.subject()), (Code::Corrupt, dump.manifest_uri.as_str()));
    let given = RestoreRefs { manifest: Some(dump.manifest), ..into("lake", None) };
    assert_eq!(restored(&client, given).await.unwrap().commits, 1);
    let anonymous = node.connect(&node.config());
    assert_eq!(code(restored(&anonymous, into("lake", None)).await), Code::Unauthenticated);
    let refused: Result<Vec<_>, Error> = anonymous.dump_refs(&lake()).try_collect().await;
    assert_eq!(code(refused), Code::Unauthenticated);
}

#[tokio::test]
async fn a_dump_in_another_namespace_is_not_found() {
    let (_node, client) = used().await;
    let manifest = Some(dumped(&client).await.manifest);
    client.delete_repository(&lake()).await.unwrap();
    create_lake(&client).await;
    let before = client.get_repository(&lake()).await.unwrap();
    let missing = RestoreRefs { manifest, ..into("lake", None) };
    let error = restored(&client, missing).await.unwrap_err();
    assert_eq!((error.code(), error.may_have_happened()), (Code::Corrupt, false));
    assert!(error.message().contains("is missing"), "{error}");
    assert_eq!(client.get_repository(&lake()).await.unwrap(), before);
}
