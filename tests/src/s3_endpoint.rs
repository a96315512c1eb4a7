//! The store's S3 endpoint as any HTTP client sees it, which knows nothing but a URL and headers.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use braid::{Server, ServerConfig, StoreServer};
use braid_client::{Client, Link, Upload, UploadTarget};
use braid_objects::{
    Buckets, ObjectError, ObjectStore, PresignGetOptions, PresignPutOptions, PutOptions, S3Buckets, S3Config,
    S3Credentials,
};
use braid_types::{Clock, Code, ManualClock, SystemClock, SystemRandom, Time};
use reqwest::header::{CONTENT_TYPE, HOST};
use reqwest::{RequestBuilder, StatusCode};

use crate::lake::{branch, create_lake, impatient, lake, path, read, reference};

const BUCKET: &str = "braid.local";
const TTL: Duration = Duration::from_secs(600);

fn any_port() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// A server in this process, with its administrator's client.
async fn serve(data: &Path, public_url: Option<String>) -> (Server, Client) {
    let config = ServerConfig { public_url, ..ServerConfig::in_folder(data) };
    let server = Server::start(config).await.unwrap();
    let key = server.first_key().unwrap();
    let client = impatient(&format!("http://{}", server.grpc_address()), &key.id, key.secret.expose());
    create_lake(&client).await;
    (server, client)
}

/// The bucket of the store at `address` for whoever has this key, by this clock.
fn bucket(address: SocketAddr, id: &str, secret: &str, clock: Arc<dyn Clock>) -> Arc<dyn ObjectStore> {
    let credentials = S3Credentials {
        access_key_id: id.to_owned(),
        secret_access_key: secret.to_owned(),
        session_token: None,
    };
    let endpoint_url = Some(format!("http://{address}"));
    let config = S3Config { endpoint_url, ..S3Config::aws("us-east-1", credentials) };
    S3Buckets::new(&config, clock, Arc::new(SystemRandom)).bucket(BUCKET)
}

fn http() -> reqwest::Client {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn answer(request: RequestBuilder) -> (StatusCode, String) {
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap())
}

/// `curl -X PUT -H … --data-binary BODY URL`.
fn put(url: &str, upload: &Upload, body: &str) -> RequestBuilder {
    let request = http().put(url).body(body.to_owned());
    upload.headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

async fn upload_for(client: &Client, at: &str, size: u64) -> Upload {
    let target = UploadTarget { path: path(at), content_type: "text/csv".to_owned(), size: Some(size) };
    client.create_upload(&lake(), &branch("main"), target).await.unwrap()
}

fn link(upload: &Upload, checksum: &str, size: u64) -> Link {
    Link {
        path: upload.path.clone(),
        intent: upload.intent.clone(),
        checksum: checksum.to_owned(),
        size,
        content_type: "text/csv".to_owned(),
        metadata: [].into(),
        if_absent: false,
        if_etag: None,
        if_generation: None,
    }
}

/// Puts by the presigned URL alone, and links.
async fn put_and_link(client: &Client, upload: &Upload, request: RequestBuilder, size: u64) {
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let etag = response.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
    client.link_upload(&lake(), &branch("main"), link(upload, &etag, size)).await.unwrap();
}

#[tokio::test]
async fn presigned_urls_work_in_any_http_client() {
    let data = tempfile::tempdir().unwrap();
    let (server, client) = serve(data.path(), None).await;
    let upload = upload_for(&client, "dir/a b+é.csv", 4).await;
    put_and_link(&client, &upload, put(&upload.url, &upload, "1,2\n"), 4).await;
    let at = (reference("main"), path("dir/a b+é.csv"));
    let download = client.get_download_url(&lake(), &at.0, &at.1).await.unwrap();
    let response = http().get(&download.url).send().await.unwrap();
    assert_eq!(response.headers()[CONTENT_TYPE], "text/csv");
    assert_eq!(response.text().await.unwrap(), "1,2\n");
    let (status, part) = answer(http().get(&download.url).header("range", "bytes=2-")).await;
    assert_eq!((status, &*part), (StatusCode::PARTIAL_CONTENT, "2\n"));
    let (status, _) = answer(put(&upload.url, &upload, "3,4\n")).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED, "what is linked cannot be replaced");
    assert_eq!(read(&client, "main", "dir/a b+é.csv").await, "1,2\n");
    server.stop().await.unwrap();
}

/// The URL with another last digit of its signature.
fn forged(url: &str) -> String {
    let at = url.find("X-Amz-Signature=").unwrap() + "X-Amz-Signature=".len();
    let digit = if url[at..].starts_with('0') { "1" } else { "0" };
    format!("{}{digit}{}", &url[..at], &url[at + 1..])
}

#[tokio::test]
async fn a_wrong_signature_opens_nothing() {
    let data = tempfile::tempdir().unwrap();
    let (server, client) = serve(data.path(), None).await;
    let upload = upload_for(&client, "a", 1).await;
    let (status, _) = answer(put(&forged(&upload.url), &upload, "1")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let unsigned = upload.url.split('?').next().unwrap();
    assert_eq!(answer(put(unsigned, &upload, "1")).await.0, StatusCode::FORBIDDEN);
    let error = client.link_upload(&lake(), &branch("main"), link(&upload, "x", 1)).await.unwrap_err();
    assert_eq!(error.code(), Code::UploadMismatch, "nothing was stored: {error}");

    put_and_link(&client, &upload, put(&upload.url, &upload, "1"), 1).await;
    let download = client.get_download_url(&lake(), &reference("main"), &path("a")).await.unwrap();
    for url in [forged(&download.url), download.url.split('?').next().unwrap().to_owned()] {
        let (status, said) = answer(http().get(url)).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{said}");
    }
    assert_eq!(answer(http().get(&download.url)).await, (StatusCode::OK, "1".to_owned()));
    server.stop().await.unwrap();
}

#[tokio::test]
async fn an_expired_url_opens_nothing() {
    let data = tempfile::tempdir().unwrap();
    let server = StoreServer::start(data.path(), any_port()).await.unwrap();
    let key = server.key().clone();
    let at = |clock| bucket(server.address(), &key.access_key_id, &key.secret, clock);
    let hour_ago = Time::from_seconds(SystemClock.now().seconds - 3600);
    let (now, then) = (at(Arc::new(SystemClock)), at(Arc::new(ManualClock::at(hour_ago))));
    now.put("a", "1".into(), PutOptions::default()).await.unwrap();
    let get = then.presign_get("a", TTL, PresignGetOptions::default()).await.unwrap();
    let (status, said) = answer(http().get(&get.url)).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(said.contains("expired"), "{said}");
    let put = then.presign_put("b", TTL, PresignPutOptions::default()).await.unwrap();
    assert_eq!(answer(http().put(&put.url).body("1")).await.0, StatusCode::FORBIDDEN);
    assert!(matches!(now.head("b").await, Err(ObjectError::NotFound { .. })));
    let get = now.presign_get("a", TTL, PresignGetOptions::default()).await.unwrap();
    assert_eq!(answer(http().get(&get.url)).await.0, StatusCode::OK);
    server.stop().await.unwrap();
}

#[tokio::test]
async fn the_key_of_a_user_does_not_open_the_store() {
    let data = tempfile::tempdir().unwrap();
    let (server, client) = serve(data.path(), None).await;
    let upload = upload_for(&client, "a", 1).await;
    put_and_link(&client, &upload, put(&upload.url, &upload, "1"), 1).await;
    let key = server.first_key().unwrap();
    let store = bucket(server.http_address(), &key.id, key.secret.expose(), Arc::new(SystemClock));
    let stored = upload.physical_address.strip_prefix(&format!("s3://{BUCKET}/")).unwrap();
    let refused = [
        store.get(stored, None).await.map(|_| ()),
        store.put("mine/a", "1".into(), PutOptions::default()).await.map(|_| ()),
        store.delete(stored).await,
        store.list("", None, 10).await.map(|_| ()),
    ];
    // Who signs with such a key is taken to speak to the gateway, where there is no such bucket.
    for answer in refused {
        let error = answer.unwrap_err();
        assert!(matches!(error, ObjectError::InvalidRequest { .. }), "{error}");
        assert!(error.to_string().contains("NoSuchBucket"), "{error}");
    }
    let read_url = store.presign_get(stored, TTL, PresignGetOptions::default()).await.unwrap().url;
    let write_url = store.presign_put("mine/a", TTL, PresignPutOptions::default()).await.unwrap().url;
    for request in [http().get(&read_url), http().put(&write_url).body("1")] {
        let (status, told) = answer(request).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(told.contains("<Code>NoSuchBucket</Code>"), "{told}");
    }
    assert_eq!(read(&client, "main", "a").await, "1", "nothing was deleted");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn urls_begin_with_the_public_url_and_work_there() {
    let data = tempfile::tempdir().unwrap();
    let public = "http://lake.example:8080";
    let (server, client) = serve(data.path(), Some(public.to_owned())).await;
    // What a reverse proxy does: another address, the same `Host`.
    let real = format!("http://{}", server.http_address());
    let through = |url: &str| url.replace(public, &real);
    let upload = upload_for(&client, "a", 1).await;
    assert!(upload.url.starts_with(public), "{}", upload.url);
    let request = put(&through(&upload.url), &upload, "1").header(HOST, "lake.example:8080");
    put_and_link(&client, &upload, request, 1).await;
    let download = client.get_download_url(&lake(), &reference("main"), &path("a")).await.unwrap();
    assert!(download.url.starts_with(public), "{}", download.url);
    let get = || http().get(through(&download.url));
    assert_eq!(answer(get().header(HOST, "lake.example:8080")).await, (StatusCode::OK, "1".to_owned()));
    assert_eq!(answer(get()).await.0, StatusCode::FORBIDDEN, "the name is signed");
    server.stop().await.unwrap();
}
