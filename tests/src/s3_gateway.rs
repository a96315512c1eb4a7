//! The S3 API of a whole server, by the SDK and by requests that are signed by hand.

mod copying;
mod hosts;
mod listing;
mod names;
mod reading;
mod refusing;
mod signed;
mod uploads;
mod writing;

use std::path::Path;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use braid::{Server, ServerConfig};
use braid_client::Client;
use tempfile::TempDir;

use crate::lake::{create_lake, impatient};

/// A server with a repository `lake`, and clients of its administrator.
struct Lake {
    server: Server,
    grpc: Client,
    s3: aws_sdk_s3::Client,
    _folder: TempDir,
}

impl Lake {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::start_as(ServerConfig::in_folder(folder.path()), folder).await
    }

    async fn start_as(config: ServerConfig, folder: TempDir) -> Self {
        let server = Server::start(config).await.unwrap();
        let key = server.first_key().unwrap();
        let grpc = impatient(&server.grpc_url(), &key.id, key.secret.expose());
        create_lake(&grpc).await;
        let s3 = sdk(&server, &key.id, key.secret.expose());
        Self { server, grpc, s3, _folder: folder }
    }

    async fn put(&self, key: &str, body: &'static str) {
        let body = body.as_bytes().to_vec().into();
        self.s3.put_object().bucket("lake").key(key).body(body).send().await.unwrap();
    }

    async fn get(&self, key: &str) -> String {
        let answer = self.s3.get_object().bucket("lake").key(key).send().await.unwrap();
        String::from_utf8(answer.body.collect().await.unwrap().to_vec()).unwrap()
    }

    /// How many objects of users the store holds, staged or not.
    fn stored(&self) -> usize {
        files(&self._folder.path().join("objects/content"))
    }
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    entries.map(|entry| if entry.file_type().unwrap().is_dir() { files(&entry.path()) } else { 1 }).sum()
}

/// The SDK with this key, as it comes: checksums on, paths for buckets.
fn sdk(server: &Server, id: &str, secret: &str) -> aws_sdk_s3::Client {
    let http = aws_smithy_http_client::Builder::new();
    let http = http.tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http)
        .region(Region::new("us-east-1"))
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
        .endpoint_url(format!("http://{}", server.http_address()))
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

/// The status and S3 code of a refusal.
#[track_caller]
fn refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    outcome: Result<T, SdkError<E>>,
) -> (u16, String) {
    match outcome {
        Err(SdkError::ServiceError(refused)) => {
            let code = refused.err().code().unwrap_or_default().to_owned();
            (refused.raw().status().as_u16(), code)
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn refused(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}
