use std::collections::BTreeMap;
use std::time::Duration;

use braid_types::{Code, RepositoryId, Time};

use super::lake::*;
use crate::*;

fn record(started: Time) -> UploadRecord {
    UploadRecord {
        namespace: "mem://lake".to_owned(),
        address: "data/1".to_owned(),
        content_type: "text/plain".to_owned(),
        metadata: BTreeMap::new(),
        started,
        completed: None,
    }
}

async fn id(lake: &Lake) -> RepositoryId {
    lake.catalog.repository(&repo()).await.unwrap().id
}

async fn begin(lake: &Lake, on: &str, at: &str, upload: &str) -> UploadPlace {
    let place = UploadPlace {
        repository: id(lake).await,
        branch: branch(on),
        path: path(at),
        upload: upload.to_owned(),
    };
    lake.catalog.put_upload(&place, &record(lake.catalog.now())).await.unwrap();
    place
}

async fn listed(lake: &Lake, prefix: &str, after: Option<(&str, Option<&str>)>, limit: usize) -> Vec<String> {
    let after = after.map(|(path, id)| (path.to_owned(), id.map(str::to_owned)));
    let (repository, prefix) = (id(lake).await, prefix.to_owned());
    let list = ListUploads { repository, branch: branch("main"), prefix, after, limit };
    let found = lake.catalog.list_uploads(&list).await.unwrap();
    found.into_iter().map(|(place, _)| format!("{}:{}", place.path, place.upload)).collect()
}

#[tokio::test]
async fn uploads_are_listed_by_path_and_id_from_anywhere() {
    let lake = Lake::new().await;
    lake.branch("dev", "main").await;
    for (on, at, upload) in [
        ("main", "b/1", "2"),
        ("main", "b/1", "1"),
        ("main", "a", "3"),
        ("main", "b/11", "0"),
        ("dev", "b/1", "9"),
    ] {
        begin(&lake, on, at, upload).await;
    }
    assert_eq!(listed(&lake, "", None, 10).await, ["a:3", "b/1:1", "b/1:2", "b/11:0"]);
    assert_eq!(listed(&lake, "b/", None, 2).await, ["b/1:1", "b/1:2"]);
    assert_eq!(listed(&lake, "", Some(("b/1", None)), 10).await, ["b/11:0"]);
    assert_eq!(listed(&lake, "", Some(("b/1", Some("1"))), 10).await, ["b/1:2", "b/11:0"]);
    assert_eq!(listed(&lake, "b/", Some(("a", None)), 10).await, ["b/1:1", "b/1:2", "b/11:0"]);
}

#[tokio::test]
async fn a_completed_upload_is_found_but_not_listed() {
    let lake = Lake::new().await;
    let place = begin(&lake, "main", "a", "1").await;
    let completed = CompletedUpload { etag: "e-1".to_owned(), size: 5, mtime: Time::from_seconds(3) };
    let record = UploadRecord { completed: Some(completed), ..record(lake.catalog.now()) };
    lake.catalog.put_upload(&place, &record).await.unwrap();
    assert_eq!(lake.catalog.upload(&place).await.unwrap(), record);
    assert!(listed(&lake, "", None, 10).await.is_empty());
    lake.catalog.remove_upload(&place).await.unwrap();
    assert_eq!(lake.catalog.upload(&place).await.unwrap_err().code(), Code::UploadNotFound);
}

#[tokio::test]
async fn old_uploads_are_found_whatever_became_of_their_repository() {
    let lake = Lake::new().await;
    let old = begin(&lake, "main", "old", "1").await;
    lake.world.clock.advance(Duration::from_secs(10));
    let between = lake.catalog.now();
    begin(&lake, "main", "new", "2").await;
    lake.catalog.delete_repository(&repo(), &lake.mutation()).await.unwrap();
    lake.catalog.clean_up().await.unwrap();
    let found = lake.catalog.uploads_before(between).await.unwrap();
    assert_eq!(found.into_iter().map(|(place, _)| place).collect::<Vec<_>>(), [old]);
}
