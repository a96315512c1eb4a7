//! Imports of objects that are in the bucket already, through gRPC.

use std::time::Duration;

use braid_client::{Client, Import, ImportCommit, ImportSource, ImportSourceKind, ImportStatus, StartImport};
use braid_objects::{PutOptions, StorageUri};
use braid_types::{Code, ImportId};
use futures::TryStreamExt;

use super::support::*;
use crate::Settings;

fn source(kind: ImportSourceKind, uri: &str, destination: &str) -> ImportSource {
    ImportSource { kind, uri: uri.to_owned(), destination: destination.to_owned() }
}

fn prefix_of(uri: &str, destination: &str) -> ImportSource {
    source(ImportSourceKind::Prefix, uri, destination)
}

fn import(sources: Vec<ImportSource>, message: Option<&str>) -> StartImport {
    let commit =
        message.map(|message| ImportCommit { message: message.to_owned(), ..ImportCommit::default() });
    StartImport { repository: lake(), branch: main_branch(), sources, commit }
}

/// Objects `raw/0` and so on in the bucket `theirs`.
async fn fill(node: &Node, count: usize) {
    let bucket: StorageUri = "s3://theirs".parse().unwrap();
    let store = node.installation.stores.open(&bucket).unwrap();
    for at in 0..count {
        let body = format!("data {at}");
        store.put(&format!("raw/{at}"), body.into(), PutOptions::default()).await.unwrap();
    }
}

async fn ended(client: &Client, mut import: Import) -> Import {
    while import.status == ImportStatus::Running {
        tokio::task::yield_now().await;
        import = client.get_import(&lake(), import.id).await.unwrap();
    }
    import
}

#[tokio::test]
async fn objects_of_another_bucket_are_read_where_they_are() {
    let (node, client) = Node::with_lake().await;
    fill(&node, 30).await;
    let sources = vec![
        prefix_of("s3://theirs/raw/1", "ones/"),
        source(ImportSourceKind::Object, "s3://theirs/raw/7", "seven"),
    ];
    let started = client.start_import(import(sources, Some("imported"))).await.unwrap();
    let import = ended(&client, started).await;
    assert_eq!((import.status, import.objects), (ImportStatus::Finished, 12), "{import:?}");
    let commit = client.get_commit(&lake(), &reference("main")).await.unwrap();
    assert_eq!((Some(commit.id), commit.commit.message.as_str()), (import.commit_id, "imported"));
    let found = client.stat_object(&lake(), &reference("main"), &path("ones/13")).await.unwrap();
    assert_eq!((found.entry.address.as_str(), found.entry.size), ("s3://theirs/raw/13", 7));
    assert!(client.stat_object(&lake(), &reference("main"), &path("seven")).await.is_ok());
    let listed: Vec<_> = client.imports(&lake()).try_collect().await.unwrap();
    assert_eq!(listed, std::slice::from_ref(&import));
    assert_eq!(code(client.cancel_import(&lake(), import.id).await), Code::ImportOver);
    let other = ImportId::from_bytes([7; 16]);
    assert_eq!(code(client.get_import(&lake(), other).await), Code::ImportNotFound);
}

#[tokio::test]
async fn sources_that_cannot_be_imported_are_refused_by_name() {
    let (_node, client) = Node::with_lake().await;
    let own = client.get_repository(&lake()).await.unwrap().storage_namespace;
    let own = own.trim_end_matches('/');
    for (uri, rule) in [
        (format!("{own}/data/"), "own storage namespace"),
        (own.rsplit_once('/').unwrap().0.to_owned() + "/", "own storage namespace"),
        ("gs://theirs/raw/".to_owned(), "not in a storage that this server reaches"),
        ("s3://a/raw/".to_owned(), "3 to 63"),
    ] {
        let refused = client.start_import(import(vec![prefix_of(&uri, "a/")], None)).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument);
        assert!(refused.message().contains(&uri) && refused.message().contains(rule), "{refused}");
    }
    let object = source(ImportSourceKind::Object, "s3://theirs/", "a");
    let refused = client.start_import(import(vec![object], None)).await.unwrap_err();
    assert!(refused.message().contains("names no object"), "{refused}");
}

#[tokio::test]
async fn an_import_that_fails_says_why_and_the_branch_stays() {
    let (node, client) = Node::with_lake().await;
    fill(&node, 3).await;
    node.write(&client, &main_branch(), "staged", "x").await;
    let started = client.start_import(import(vec![prefix_of("s3://theirs/raw/", "a/")], Some("m"))).await;
    let failed = ended(&client, started.unwrap()).await;
    assert_eq!((failed.status, failed.error_code.as_deref()), (ImportStatus::Failed, Some("dirty_branch")));
    assert!(failed.error_message.unwrap().contains("'main' has uncommitted changes"));
    let stat = client.stat_object(&lake(), &reference("main"), &path("a/1")).await;
    assert_eq!(code(stat), Code::ObjectNotFound);
    // Without a commit it goes beside what is there.
    let started = client.start_import(import(vec![prefix_of("s3://theirs/raw/", "a/")], None)).await;
    assert_eq!(ended(&client, started.unwrap()).await.status, ImportStatus::Finished);
    assert!(client.stat_object(&lake(), &reference("main"), &path("a/1")).await.is_ok());
}

/// What a node began that is gone, another does.
#[tokio::test]
async fn a_node_takes_over_what_nobody_does() {
    let (node, client) = Node::with_lake().await;
    fill(&node, 3).await;
    let catalog = metadata(&node.installation, Settings::default()).await;
    let source =
        braid_catalog::ImportSource::Prefix { uri: "s3://theirs/raw/".into(), destination: prefix("a/") };
    let request = braid_catalog::ImportRequest { branch: main_branch(), sources: vec![source], commit: None };
    let by = braid_catalog::Mutation {
        principal: "ada".to_owned(),
        request: braid_types::RequestId::new("r1").unwrap(),
    };
    let store = catalog.core.imports.store();
    let id = catalog.core.catalog.start_import(&lake(), &request, store, &by).await.unwrap();
    let settings = Settings { import_interval: Duration::from_millis(10), ..Settings::default() };
    let _other = node.installation.start(settings).await;
    let import = client.get_import(&lake(), id).await.unwrap();
    assert_eq!(ended(&client, import).await.status, ImportStatus::Finished);
}
