//! lakeFS's REST API on the HTTP port of a whole server.

use std::path::Path;

use braid::{Server, ServerConfig};
use braid_client::{Body, Client, UploadOptions};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::Value;

use crate::lake::{branch, create_lake, impatient, lake, path};

struct Served {
    server: Server,
    client: Client,
    http: reqwest::Client,
}

async fn serve(data: &Path) -> Served {
    let server = Server::start(ServerConfig::in_folder(data)).await.unwrap();
    let key = server.first_key().unwrap();
    let client = impatient(&server.grpc_url(), &key.id, key.secret.expose());
    create_lake(&client).await;
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Served { server, client, http: reqwest::Client::builder().no_proxy().build().unwrap() }
}

impl Served {
    /// A request with the administrator's key.
    fn get(&self, below: &str) -> RequestBuilder {
        let key = self.server.first_key().unwrap();
        self.anonymous(below).basic_auth(&key.id, Some(key.secret.expose()))
    }

    fn anonymous(&self, below: &str) -> RequestBuilder {
        self.http.get(format!("http://{}/api/v1{below}", self.server.http_address()))
    }
}

async fn json(request: RequestBuilder) -> (StatusCode, Value) {
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, serde_json::from_str(&response.text().await.unwrap()).unwrap())
}

#[tokio::test]
async fn what_grpc_wrote_is_there_by_rest() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    let options = UploadOptions::default();
    let body = Body::Bytes("hello".into());
    served.client.upload(&lake(), &branch("main"), &path("a b/é"), &body, &options).await.unwrap();

    let health = served.anonymous("/healthcheck").send().await.unwrap();
    assert_eq!(health.status(), StatusCode::NO_CONTENT);
    assert!(health.headers().contains_key("x-request-id"));
    let (status, user) = json(served.get("/user")).await;
    assert_eq!((status, &user["user"]["id"]), (StatusCode::OK, &"admin".into()));
    let (_, config) = json(served.get("/config")).await;
    assert_eq!(config["storage_config"]["pre_sign_support"], true);

    let stat = served.get("/repositories/lake/refs/main/objects/stat?path=a+b%2F%C3%A9");
    let (status, stats) = json(stat).await;
    assert_eq!((status, &stats["size_bytes"]), (StatusCode::OK, &5.into()), "{stats}");
    assert_eq!(stats["checksum"], "5d41402abc4b2a76b9719d911017c592");
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_presigned_url_works_for_a_client_that_shows_its_key_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    let (body, options) = (Body::Bytes("hello".into()), UploadOptions::default());
    served.client.upload(&lake(), &branch("main"), &path("a"), &body, &options).await.unwrap();
    let (_, stats) = json(served.get("/repositories/lake/refs/main/objects/stat?path=a&presign=True")).await;
    let key = served.server.first_key().unwrap();
    let url = stats["physical_address"].as_str().unwrap();
    let answer = served.http.get(url).basic_auth(&key.id, Some(key.secret.expose())).send().await.unwrap();
    assert_eq!((answer.status(), answer.text().await.unwrap().as_str()), (StatusCode::OK, "hello"));
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn nothing_is_told_without_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    for request in [served.anonymous("/user"), served.anonymous("/user").basic_auth("a", Some("b"))] {
        let (status, body) = json(request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["message"], "error authenticating request");
    }
    served.server.stop().await.unwrap();
}
