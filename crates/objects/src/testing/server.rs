//! The S3 endpoint on a loopback port.

use std::sync::Arc;

use axum::Router;
use braid_types::{Clock, SeededRandom};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Lossy;
use crate::{
    Buckets, InternalKey, LocalBuckets, LocalStore, ObjectStore, S3Buckets, S3Config, S3Credentials,
    S3Timeouts, s3_endpoint,
};

/// The bucket that tests use.
pub(crate) const BUCKET: &str = "braid.local";

/// A served store; it stops when this is dropped.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) store: Arc<LocalStore>,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The key that the server knows.
pub(crate) fn internal_key() -> InternalKey {
    InternalKey { access_key_id: "internal".to_owned(), secret: "the secret".to_owned() }
}

/// Serves an empty store, on a disk in memory, that dates objects by `clock`.
pub(crate) async fn serve(clock: Arc<dyn Clock>) -> Server {
    serve_behind(clock, |router| router).await
}

/// Serves an empty store behind what `layer` puts in front.
pub(crate) async fn serve_behind(clock: Arc<dyn Clock>, layer: impl FnOnce(Router) -> Router) -> Server {
    let store = LocalStore::open_in(Arc::new(Lossy::default()), clock, 1024).unwrap();
    let endpoint = s3_endpoint(Arc::clone(&store), &internal_key(), [BUCKET.to_owned()]);
    let router = layer(Router::new().fallback_service(endpoint));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    Server { url, store, task }
}

impl Server {
    /// How to reach the server as an S3.
    pub(crate) fn config(&self) -> S3Config {
        let key = internal_key();
        let credentials = S3Credentials {
            access_key_id: key.access_key_id,
            secret_access_key: key.secret,
            session_token: None,
        };
        let timeouts =
            S3Timeouts { first_pause: std::time::Duration::from_millis(1), ..S3Timeouts::default() };
        let endpoint_url = Some(self.url.clone());
        S3Config { endpoint_url, timeouts, ..S3Config::aws("us-east-1", credentials) }
    }

    /// The bucket through the S3 client, which presigns by `clock`.
    pub(crate) fn over_s3(&self, clock: Arc<dyn Clock>) -> Arc<dyn ObjectStore> {
        S3Buckets::new(&self.config(), clock, Arc::new(SeededRandom::new(1))).bucket(BUCKET)
    }

    /// The bucket on the disk, presigned with `key` by the store's clock.
    pub(crate) fn on_disk(&self, key: &InternalKey) -> Arc<dyn ObjectStore> {
        LocalBuckets::new(Arc::clone(&self.store), &self.url, key).bucket(BUCKET)
    }

    /// The SDK's client.
    pub(crate) fn sdk(&self) -> aws_sdk_s3::Client {
        crate::s3::client(&self.config(), Some(&self.url))
    }
}

/// A plain HTTP client.
pub(crate) fn http() -> reqwest::Client {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::new()
}
