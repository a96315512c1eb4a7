//! lakeFS's REST API on the HTTP port of a whole server.

use std::path::Path;

use braid::{Server, ServerConfig};
use braid_client::{Body, Client, UploadOptions};
use futures::stream;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

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
        self.request(Method::GET, below)
    }

    fn request(&self, method: Method, below: &str) -> RequestBuilder {
        let key = self.server.first_key().unwrap();
        let url = format!("http://{}/api/v1{below}", self.server.http_address());
        self.http.request(method, url).basic_auth(&key.id, Some(key.secret.expose()))
    }

    /// A request with a body in JSON.
    fn send(&self, method: Method, below: &str, body: &Value) -> RequestBuilder {
        self.request(method, below).body(body.to_string())
    }

    fn anonymous(&self, below: &str) -> RequestBuilder {
        self.http.get(format!("http://{}/api/v1{below}", self.server.http_address()))
    }

    async fn upload(&self, to: &str, at: &str, data: &str) {
        let below = format!("/repositories/lake/branches/{to}/objects?path={at}");
        let answer = self.request(Method::POST, &below).body(data.to_owned()).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
    }

    async fn commit(&self, on: &str) {
        let below = format!("/repositories/lake/branches/{on}/commits");
        let (status, body) = json(self.send(Method::POST, &below, &json!({ "message": "m" }))).await;
        assert_eq!(status, StatusCode::CREATED, "{body}");
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

#[tokio::test]
async fn data_goes_through_the_gateway_without_a_length_and_comes_back_in_parts() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    let objects = "/repositories/lake/branches/main/objects?path=a";
    let chunks = ["hel", "lo"].map(Ok::<_, std::io::Error>);
    let upload = served.request(Method::POST, objects).header("x-lakefs-meta-Owner", "ada");
    let (status, stats) = json(upload.body(reqwest::Body::wrap_stream(stream::iter(chunks)))).await;
    assert_eq!((status, &stats["size_bytes"]), (StatusCode::CREATED, &5.into()));
    assert_eq!(stats["metadata"], json!({ "owner": "ada" }));
    let upload = served.request(Method::POST, objects).header("if-none-match", "*").body("other");
    let (status, refused) = json(upload).await;
    assert_eq!(status, StatusCode::PRECONDITION_FAILED);
    assert!(refused["message"].as_str().unwrap().starts_with("path already exists"), "{refused}");

    let read = async |range: &str| {
        let get = served.get("/repositories/lake/refs/main/objects?path=a").header("range", range);
        let answer = get.send().await.unwrap();
        let header = answer.headers().get("content-range").map(|value| value.to_str().unwrap().to_owned());
        (answer.status().as_u16(), header.unwrap_or_default(), answer.text().await.unwrap())
    };
    assert_eq!(read("bytes=1-2").await, (206, "bytes 1-2/5".into(), "el".into()));
    assert_eq!(read("bytes=3-9").await, (206, "bytes 3-4/5".into(), "lo".into()));
    for beyond in ["bytes=5-", "bytes=0-1,3-4"] {
        let (status, range, _) = read(beyond).await;
        assert_eq!((status, range.as_str()), (416, "bytes */5"), "{beyond}");
    }
    let get = served.get("/repositories/lake/refs/main/objects?path=a");
    let etag = "\"5d41402abc4b2a76b9719d911017c592\"";
    let answer = get.header("if-none-match", etag).send().await.unwrap();
    assert_eq!(
        (answer.status(), &answer.headers()["etag"]),
        (StatusCode::NOT_MODIFIED, &etag.parse().unwrap())
    );
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn data_comes_in_a_form_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    let body = "--x\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nno\r\n--x\r\nContent-Disposition: \
                form-data; name=\"content\"; filename=\"f\"\r\nContent-Type: text/csv\r\n\r\n1,2\r\n--x--\r\n";
    let form = served.request(Method::POST, "/repositories/lake/branches/main/objects?path=a").body(body);
    let (status, stats) = json(form.header("content-type", "multipart/form-data; boundary=x")).await;
    assert_eq!(status, StatusCode::CREATED, "{stats}");
    assert_eq!((&stats["size_bytes"], &stats["content_type"]), (&3.into(), &"text/csv".into()));
    let form = served.request(Method::POST, "/repositories/lake/branches/main/objects?path=b").body("--x--");
    let (status, _) = json(form.header("content-type", "multipart/form-data; boundary=x")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_conflict_is_answered_in_the_shape_of_a_result() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    let make = json!({ "name": "side", "source": "main" });
    let made = served.send(Method::POST, "/repositories/lake/branches", &make).send().await.unwrap();
    assert!(made.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
    assert_eq!(made.text().await.unwrap().len(), 64);
    for branch in ["main", "side"] {
        served.upload(branch, "a", branch).await;
        served.commit(branch).await;
    }
    let merge = "/repositories/lake/refs/side/merge/main";
    let (status, body) = json(served.request(Method::POST, merge)).await;
    assert_eq!((status, body), (StatusCode::CONFLICT, json!({ "reference": "" })));
    let wins = json!({ "strategy": "source-wins" });
    let (status, body) = json(served.send(Method::POST, merge, &wins)).await;
    assert_eq!((status, body["reference"].as_str().unwrap().len()), (StatusCode::OK, 64));
    let (status, body) = json(served.request(Method::POST, merge)).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["message"].as_str().unwrap().starts_with("no changes"), "{body}");
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn references_are_dumped_and_what_came_of_it_can_be_asked_of_any_gateway() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    served.upload("main", "a", "1").await;
    served.commit("main").await;
    let (status, task) = json(served.request(Method::POST, "/repositories/lake/dump")).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    let status = format!("/repositories/lake/dump?task_id={}", task["id"].as_str().unwrap());
    let (_, dumped) = json(served.get(&status)).await;
    assert_eq!((&dumped["done"], &dumped["error"]), (&true.into(), &Value::Null));
    let id = dumped["refs"]["branches_meta_range_id"].as_str().unwrap();
    let (_, place) = json(served.get(&format!("/repositories/lake/metadata/meta_range/{id}"))).await;
    assert!(place["location"].as_str().unwrap().ends_with(&format!("/_lakefs/{id}")), "{place}");
    let file =
        served.get(&format!("/repositories/lake/metadata/object/meta_range/{id}")).send().await.unwrap();
    assert!(file.bytes().await.unwrap().len() > 100);
    for other in ["..%2Fdata", &"0".repeat(64)] {
        let (status, _) = json(served.get(&format!("/repositories/lake/metadata/range/{other}"))).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_branch_moves_to_a_commit_unless_anything_is_uncommitted() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    let (body, options) = (Body::Bytes("hello".into()), UploadOptions::default());
    served.client.upload(&lake(), &branch("main"), &path("a"), &body, &options).await.unwrap();
    let reset = async |to: &str| {
        let url = format!("/repositories/lake/branches/main/hard_reset{to}");
        served.request(Method::PUT, &url).send().await.unwrap().status()
    };
    assert_eq!(reset("").await, StatusCode::BAD_REQUEST, "it must be said where to");
    assert_eq!(reset("?ref=main").await, StatusCode::BAD_REQUEST, "'a' is uncommitted");
    crate::lake::commit(&served.client, "main").await.unwrap();
    assert_eq!(reset("?ref=nowhere").await, StatusCode::NOT_FOUND);
    assert_eq!(reset("?ref=main~1").await, StatusCode::NO_CONTENT);
    let (status, _) = json(served.get("/repositories/lake/refs/main/objects/stat?path=a")).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    served.server.stop().await.unwrap();
}

#[tokio::test]
async fn a_part_of_an_upload_is_copied_from_another_object() {
    let folder = tempfile::tempdir().unwrap();
    let served = serve(folder.path()).await;
    served.upload("main", "from", "0123456789").await;
    let uploads = "/repositories/lake/branches/main/staging/pmpu";
    let (_, begun) = json(served.request(Method::POST, &format!("{uploads}?path=to"))).await;
    let upload = format!("{uploads}/{}", begun["upload_id"].as_str().unwrap());
    let copy = async |part: &str, source: Value| {
        let body = json!({ "physical_address": begun["physical_address"], "copy_source": source });
        let answer = served.send(Method::PUT, &format!("{upload}/parts/{part}/copy?path=to"), &body);
        let answer = answer.send().await.unwrap();
        let tag = answer.headers().get("etag").map(|tag| tag.to_str().unwrap().to_owned());
        (answer.status().as_u16(), tag)
    };
    let from = |path: &str, range: Value| json!({ "repository": "lake", "ref": "main", "path": path, "range": range });
    let mut parts = Vec::new();
    for (part, range) in [(1, Value::Null), (2, json!("bytes=3-4"))] {
        let (status, tag) = copy(&part.to_string(), from("from", range)).await;
        assert_eq!(status, 204);
        parts.push(json!({ "part_number": part, "etag": tag.unwrap() }));
    }
    for (part, path, range, status) in [
        ("3", "none", Value::Null, 404),
        ("3", "from", json!("bytes=10-11"), 416),
        ("3", "from", json!("bytes=0-1,3-4"), 400),
        ("3", "from", json!(7), 400),
        ("10001", "from", Value::Null, 400),
        ("x", "from", Value::Null, 400),
    ] {
        assert_eq!(copy(part, from(path, range.clone())).await, (status, None), "{part} {path} {range}");
    }
    let complete = served.send(Method::PUT, &format!("{upload}?path=to"), &json!({ "parts": parts }));
    let (status, stats) = json(complete).await;
    assert_eq!((status, &stats["size_bytes"]), (StatusCode::OK, &12.into()), "{stats}");
    let read = served.get("/repositories/lake/refs/main/objects?path=to").send().await.unwrap();
    assert_eq!(read.text().await.unwrap(), "012345678934");
    served.server.stop().await.unwrap();
}
