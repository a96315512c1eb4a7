use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::EncodingType;
use braid_client::{CreateBranch, CreateRepository};
use braid_types::RepositoryName;

use super::{Lake, refusal, refused};
use crate::lake::{branch, lake as name, reference};

fn keys(page: &ListObjectsV2Output) -> Vec<&str> {
    let keys = page.contents().iter().map(|object| object.key().unwrap());
    keys.chain(page.common_prefixes().iter().map(|prefix| prefix.prefix().unwrap())).collect()
}

async fn filled() -> Lake {
    let lake = Lake::start().await;
    let create = CreateBranch { repository: name(), name: branch("dev"), source: reference("main") };
    lake.grpc.create_branch(create).await.unwrap();
    for key in ["main/a", "main/b/1", "main/b/2", "main/c", "dev/z"] {
        lake.put(key, "body").await;
    }
    lake
}

#[tokio::test]
async fn branches_are_the_directories_of_a_bucket() {
    let lake = filled().await;
    let list = |prefix: &str| lake.s3.list_objects_v2().bucket("lake").prefix(prefix);
    assert_eq!(keys(&list("").send().await.unwrap()), ["dev/", "main/"]);
    assert_eq!(keys(&list("").delimiter("/").send().await.unwrap()), ["dev/", "main/"]);
    assert_eq!(keys(&list("ma").delimiter("/").send().await.unwrap()), ["main/"]);
    assert_eq!(keys(&list("x").send().await.unwrap()), Vec::<&str>::new());
    let first = list("").max_keys(1).send().await.unwrap();
    assert_eq!((keys(&first), first.is_truncated()), (vec!["dev/"], Some(true)));
    let second = list("").continuation_token(first.next_continuation_token().unwrap()).send().await.unwrap();
    assert_eq!((keys(&second), second.is_truncated()), (vec!["main/"], Some(false)));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn paths_are_listed_below_their_ref() {
    let lake = filled().await;
    let list = |prefix: &str| lake.s3.list_objects_v2().bucket("lake").prefix(prefix);
    let all = list("main/").send().await.unwrap();
    assert_eq!(keys(&all), ["main/a", "main/b/1", "main/b/2", "main/c"]);
    let object = &all.contents()[0];
    assert_eq!((object.size(), object.e_tag()), (Some(4), Some("\"841a2d689ad86bd1611447453c22c6fc\"")));
    assert_eq!(keys(&list("main/").delimiter("/").send().await.unwrap()), ["main/a", "main/c", "main/b/"]);
    assert_eq!(keys(&list("main/b/").send().await.unwrap()), ["main/b/1", "main/b/2"]);
    assert_eq!(keys(&list("main/").start_after("main/b/1").send().await.unwrap()), ["main/b/2", "main/c"]);
    for nothing in ["none/", "main/x", "no such/"] {
        assert!(keys(&list(nothing).send().await.unwrap()).is_empty(), "{nothing}");
    }
    let none = list("main/").max_keys(0).send().await.unwrap();
    assert_eq!((keys(&none), none.is_truncated()), (vec![], Some(false)));
    let nowhere = lake.s3.list_objects_v2().bucket("pond").send().await;
    assert_eq!(refusal(nowhere), refused(404, "NoSuchBucket"));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn pages_go_on_in_both_versions() {
    let lake = filled().await;
    let mut found = Vec::new();
    let mut pages =
        lake.s3.list_objects_v2().bucket("lake").prefix("main/").max_keys(2).into_paginator().send();
    while let Some(page) = pages.next().await {
        found.extend(keys(&page.unwrap()).into_iter().map(str::to_owned));
    }
    assert_eq!(found, ["main/a", "main/b/1", "main/b/2", "main/c"]);
    let list = |marker: &str| {
        let list = lake.s3.list_objects().bucket("lake").prefix("main/").delimiter("/").max_keys(2);
        list.marker(marker).send()
    };
    let first = list("").await.unwrap();
    assert_eq!((first.is_truncated(), first.next_marker()), (Some(true), Some("main/b/")));
    let second = list("main/b/").await.unwrap();
    assert_eq!(second.contents()[0].key(), Some("main/c"));
    assert_eq!((second.contents().len(), second.is_truncated()), (1, Some(false)));
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn names_are_encoded_when_that_is_asked_for() {
    let lake = Lake::start().await;
    lake.put("main/a b+%/ü", "x").await;
    let list = lake.s3.list_objects_v2().bucket("lake").prefix("main/a b+");
    let encoded = list.clone().encoding_type(EncodingType::Url).send().await.unwrap();
    assert_eq!(keys(&encoded), ["main/a%20b%2B%25/%C3%BC"]);
    assert_eq!(encoded.prefix(), Some("main/a%20b%2B"));
    assert_eq!(keys(&list.send().await.unwrap()), ["main/a b+%/ü"]);
    lake.server.stop().await.unwrap();
}

#[tokio::test]
async fn repositories_are_buckets() {
    let lake = Lake::start().await;
    let pond = RepositoryName::new("pond").unwrap();
    let create = CreateRepository { name: pond, storage_namespace: None, default_branch: None };
    lake.grpc.create_repository(create).await.unwrap();
    let found = lake.s3.list_buckets().send().await.unwrap();
    let names: Vec<&str> = found.buckets().iter().map(|bucket| bucket.name().unwrap()).collect();
    assert_eq!(names, ["lake", "pond"]);
    assert!(found.buckets()[0].creation_date().unwrap().secs() > 1_700_000_000);
    lake.s3.head_bucket().bucket("lake").send().await.unwrap();
    assert_eq!(refusal(lake.s3.head_bucket().bucket("none").send().await).0, 404);
    let place = lake.s3.get_bucket_location().bucket("lake").send().await.unwrap();
    assert!(place.location_constraint().is_none_or(|region| region.as_str().is_empty()));
    assert!(lake.s3.get_bucket_versioning().bucket("lake").send().await.unwrap().status().is_none());
    let exists = lake.s3.create_bucket().bucket("lake").send().await;
    assert_eq!(refusal(exists), refused(409, "BucketAlreadyExists"));
    let new = lake.s3.create_bucket().bucket("new").send().await;
    assert_eq!(refusal(new), refused(501, "NotImplemented"));
    let gone = lake.s3.delete_bucket().bucket("lake").send().await;
    assert_eq!(refusal(gone), refused(501, "NotImplemented"));
    lake.server.stop().await.unwrap();
}
