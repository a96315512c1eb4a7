//! Objects that are uploaded in parts, through presigned URLs of a whole server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use braid::{Server, ServerConfig};
use braid_client::{Body, IN_PARTS_ABOVE, UploadOptions};

use crate::lake::{branch, create_lake, impatient, lake, path, reference};

#[tokio::test]
async fn a_large_body_goes_in_parts_and_comes_back_whole() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(ServerConfig::in_folder(folder.path())).await.unwrap();
    let key = server.first_key().unwrap();
    let client = impatient(&server.grpc_url(), &key.id, key.secret.expose());
    create_lake(&client).await;

    let size = IN_PARTS_ABOVE + 1_000_003;
    let data: Vec<u8> = (0..size).map(|i| (i % 251) as u8).collect();
    let moved = Arc::new(AtomicU64::new(0));
    let told = Arc::clone(&moved);
    let options = UploadOptions {
        content_type: "text/plain".to_owned(),
        progress: Some(Arc::new(move |moved| told.store(moved, Ordering::SeqCst))),
        ..UploadOptions::default()
    };
    let body = Body::Bytes(data.clone().into());
    let object = client.upload(&lake(), &branch("main"), &path("large"), &body, &options).await.unwrap();
    assert_eq!((object.entry.size, moved.load(Ordering::SeqCst)), (size, size));
    assert!(object.entry.checksum.ends_with("-5"), "{}", object.entry.checksum);
    assert_eq!(object.entry.content_type, "text/plain");

    let mut read = Vec::new();
    client.download(&lake(), &reference("main"), &path("large"), &mut read, None).await.unwrap();
    assert!(read == data, "what comes back is what was sent");
    server.stop().await.unwrap();
}
