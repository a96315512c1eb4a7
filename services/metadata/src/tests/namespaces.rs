use std::sync::Arc;

use braid_client::{Client, CreateRepository};
use braid_objects::{ObjectStore, PutOptions, StoreSet};
use braid_types::{Code, Error};

use super::support::*;
use crate::{Metadata, Parts, Settings};

async fn create_in(client: &Client, name: &str, namespace: &str) -> Result<String, Error> {
    let storage_namespace = Some(namespace.to_owned());
    let create =
        CreateRepository { name: repository(name), storage_namespace, default_branch: Some(branch("trunk")) };
    client.create_repository(create).await.map(|made| made.storage_namespace)
}

#[tokio::test]
async fn a_namespace_of_ones_own_choice_is_held_by_one_repository() {
    let node = Node::start().await;
    let client = node.client();
    assert_eq!(create_in(&client, "one", "s3://lake/a/b/").await.unwrap(), "s3://lake/a/b");
    assert_eq!(client.get_repository(&repository("one")).await.unwrap().default_branch, branch("trunk"));
    for same in ["s3://lake/a/b", "s3://lake/a/b/"] {
        assert_eq!(code(create_in(&client, "two", same).await), Code::NamespaceInUse);
    }
    client.delete_repository(&repository("one")).await.unwrap();
    create_in(&client, "two", "s3://lake/a/b").await.unwrap();
}

#[tokio::test]
async fn a_namespace_that_others_hold_is_refused() {
    let installation = Installation::new();
    let put = |key: &'static str, text: &'static str| {
        installation.objects.put(key, text.into(), PutOptions::default())
    };
    put("lake/theirs/_lakefs/dummy", "this is dummy data").await.unwrap();
    let node = installation.start(Settings::default()).await;
    let client = node.client();
    assert_eq!(code(create_in(&client, "one", "s3://lake/theirs").await), Code::NamespaceInUse);
    assert_eq!(code(client.get_repository(&repository("one")).await), Code::RepositoryNotFound);
    create_in(&client, "one", "s3://lake/ours").await.unwrap();
    let other = Installation { stores: installation.stores.clone(), ..Installation::new() };
    let other = other.with_another_master().start(Settings::default()).await;
    assert_eq!(code(create_in(&other.client(), "one", "s3://lake/ours").await), Code::NamespaceInUse);
}

#[tokio::test]
async fn a_place_that_cannot_be_reached_is_refused() {
    let node = Node::start().await;
    for wrong in ["lake", "gs://lake", "s3://x", "s3://lake//a"] {
        assert_eq!(code(create_in(&node.client(), "one", wrong).await), Code::InvalidArgument, "{wrong}");
    }
    let without = Installation::new().with_stores(Arc::new(StoreSet::new(None, None)));
    let node = without.start(Settings::default()).await;
    assert_eq!(code(create_in(&node.client(), "one", "s3://lake/a").await), Code::InvalidArgument);
}

#[tokio::test]
async fn settings_of_no_use_are_named() {
    let node = Node::start().await;
    let parts = |node: &Node| -> Parts { node.installation.parts(&node.keys) };
    let too_long =
        Settings { presign_ttl: std::time::Duration::from_secs(8 * 24 * 3600), ..Settings::default() };
    let no_place = Settings { default_storage_prefix: "/var/lib".to_owned(), ..Settings::default() };
    for (settings, name) in [(too_long, "presign_ttl"), (no_place, "default_storage_prefix")] {
        let error = Metadata::new(parts(&node), settings).err().unwrap();
        assert_eq!((error.code(), error.subject()), (Code::InvalidArgument, name));
    }
}
