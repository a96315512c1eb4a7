//! Starting, refusing to start, and stopping.

use std::fs;
use std::net::TcpListener;

use braid_client::{Body, UploadOptions, UploadTarget};

use super::server::{Server, refused_start};
use crate::door::Door;
use crate::lake::{branch, create_lake, lake, listing, path, read, reference, write};

#[tokio::test]
async fn the_first_key_is_printed_once_and_goes_on_working() {
    let data = tempfile::tempdir().unwrap();
    let (server, key) = Server::first(data.path()).await;
    create_lake(&key.client(&server)).await;
    write(&key.client(&server), "main", "a", "1").await;
    let (status, printed, _) = server.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert_eq!(printed.matches(&key.secret).count(), 1);

    let server = Server::start(data.path()).await;
    assert_eq!(read(&key.client(&server), "main", "a").await, "1");
    let (status, printed, _) = server.terminate().await;
    assert_eq!(status.code(), Some(0));
    assert!(!printed.contains("ACCESS_KEY"), "{printed}");
}

#[tokio::test]
async fn a_second_process_on_a_data_folder_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let (server, key) = Server::first(data.path()).await;
    let name = data.path().display().to_string();
    refused_start(data.path(), &[]).refused(1, &[&name, "in use by another process"]);
    create_lake(&key.client(&server)).await;
    server.kill().await;
    let server = Server::start(data.path()).await;
    assert!(listing(&key.client(&server), "main").await.is_empty(), "a killed process holds nothing");
}

#[tokio::test]
async fn a_data_folder_of_a_newer_version_is_left_alone() {
    let data = tempfile::tempdir().unwrap();
    let format = "braid data folder\nversion 2\n";
    fs::write(data.path().join("FORMAT"), format).unwrap();
    let name = data.path().display().to_string();
    refused_start(data.path(), &[]).refused(1, &[&name, "format version 2", "reads up to 1"]);
    assert_eq!(fs::read_to_string(data.path().join("FORMAT")).unwrap(), format);
    assert!(!data.path().join("kv.redb").exists());
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_and_the_first_key_is_kept() {
    let data = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (option, what) in [("--grpc", "gRPC"), ("--http", "HTTP")] {
        let ended = refused_start(data.path(), &[option, &address]);
        ended.refused(1, &[&format!("cannot listen for {what} on {address}")]);
        assert!(!ended.stdout.contains("ACCESS_KEY"), "{ended:?}");
    }
    let (server, key) = Server::first(data.path()).await;
    create_lake(&key.client(&server)).await;
}

#[tokio::test]
async fn presigned_urls_outlive_the_process_that_gave_them() {
    let data = tempfile::tempdir().unwrap();
    let http = Door::open().await;
    let options = ["--public-url", &http.url()];
    let mut server = Server::start_with(data.path(), &options, &[]).await;
    http.lead_to(server.http);
    let key = server.key().await;
    let client = key.client(&server);
    create_lake(&client).await;
    write(&client, "main", "old", "1").await;
    let download = client.get_download_url(&lake(), &reference("main"), &path("old")).await.unwrap();
    let target = UploadTarget { path: path("new"), content_type: String::new(), size: Some(3) };
    let upload = client.create_upload(&lake(), &branch("main"), target).await.unwrap();
    assert!(upload.url.starts_with(&http.url()) && download.url.starts_with(&http.url()));
    server.terminate().await;

    let server = Server::start_with(data.path(), &options, &[]).await;
    http.lead_to(server.http);
    let client = key.client(&server);
    let mut found = Vec::new();
    client.get(&lake(), &reference("main"), download, &mut found, None).await.unwrap();
    assert_eq!(found, b"1");
    let (address, body) = (upload.physical_address.clone(), Body::from(bytes::Bytes::from_static(b"new")));
    let options = UploadOptions::default();
    let link = client.put(&lake(), &branch("main"), upload, &body, &options).await.unwrap();
    let object = client.link_upload(&lake(), &branch("main"), link).await.unwrap();
    assert_eq!(object.entry.address, address, "no new place was asked for");
    assert_eq!(read(&client, "main", "new").await, "new");
}
