use std::sync::Arc;

use braid_client::{Body, UploadOptions};
use braid_objects::{InternalKey, LocalBuckets, LocalStore, StoreSet, s3_endpoint};
use braid_types::{Clock, ManualClock, SystemClock};
use tokio::net::TcpListener;

use super::support::*;
use crate::Settings;

/// The whole way of data: presigned URLs of the local store, served by its own S3 endpoint.
#[tokio::test]
async fn data_goes_up_and_comes_down_by_presigned_url() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let store = LocalStore::open(folder.path(), clock.clone()).unwrap();
    let key = InternalKey { access_key_id: "internal".to_owned(), secret: "secret".to_owned() };
    let http = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", http.local_addr().unwrap());
    let router = axum::Router::new().fallback_service(s3_endpoint(Arc::clone(&store), &key, []));
    tokio::spawn(async move { axum::serve(http, router).await });
    let buckets = Arc::new(LocalBuckets::new(store, &url, &key));
    let installation = Installation { clock, ..Installation::new() };
    let installation = installation.with_stores(Arc::new(StoreSet::new(Some(buckets), None)));
    let node = installation.start(Settings::default()).await;
    let client = node.client();
    create_lake(&client).await;
    let body: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    let options =
        UploadOptions { content_type: "application/x-numbers".to_owned(), ..UploadOptions::default() };
    let upload = Body::Bytes(body.clone().into());
    client.upload(&lake(), &main_branch(), &path("dir/n"), &upload, &options).await.unwrap();
    commit(&client, &main_branch(), "numbers").await.unwrap();
    let mut received = Vec::new();
    let object =
        client.download(&lake(), &reference("main@"), &path("dir/n"), &mut received, None).await.unwrap();
    assert_eq!((object.entry.size, &object.entry.content_type[..]), (1_200_000, "application/x-numbers"));
    assert_eq!(received, body);
}
