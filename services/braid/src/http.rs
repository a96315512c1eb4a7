//! The HTTP port: health, readiness, and what [`dispatch`](crate::dispatch) finds for everything else.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use axum::{Json, Router};
use braid_objects::{InternalKey, LocalStore, s3_endpoint};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::dispatch::ServedStore;
use crate::readiness::Readiness;
use crate::storage::LOCAL_BUCKET;

/// Takes an address to listen on.
pub(crate) async fn bind(address: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen for {what} on {address}"))
}

/// Answers `/healthz`: this process runs.
pub(crate) fn health() -> Router {
    Router::new().route("/healthz", get(|| async { "ok\n" }))
}

/// Answers `/readyz`: this process has all that it needs, or what is missing.
pub(crate) fn ready(readiness: Arc<Readiness>) -> Router {
    let answer = move || {
        let readiness = Arc::clone(&readiness);
        async move { say(&readiness).await }
    };
    Router::new().route("/readyz", get(answer))
}

async fn say(readiness: &Readiness) -> Response {
    let report = readiness.report().await;
    let status = if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(report)).into_response()
}

/// The local store, to be served.
pub(crate) fn served(store: Arc<LocalStore>, key: &InternalKey) -> ServedStore {
    let endpoint = s3_endpoint(store, key, [LOCAL_BUCKET.to_owned()]);
    ServedStore { endpoint, key_id: key.access_key_id.clone() }
}

/// Serves until `stop`; transfers under way end first.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> std::io::Result<()> {
    // A connection that cannot be tuned still serves.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}
