//! The HTTP port: health, and the S3 endpoint of the local store for everything else.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context;
use axum::Router;
use axum::routing::get;
use axum::serve::ListenerExt;
use braid_objects::{InternalKey, LocalStore, s3_endpoint};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::storage::LOCAL_BUCKET;

/// Takes an address to listen on.
pub(crate) async fn bind(address: SocketAddr, what: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen for {what} on {address}"))
}

/// Serves until `stop`; transfers under way end first.
pub(crate) async fn serve(
    listener: TcpListener,
    store: Arc<LocalStore>,
    key: &InternalKey,
    stop: CancellationToken,
) -> std::io::Result<()> {
    let endpoint = s3_endpoint(store, key, [LOCAL_BUCKET.to_owned()]);
    // The names hold no dot, so no bucket of the local store has them.
    let router = Router::new().route("/healthz", get(|| async { "ok\n" })).fallback_service(endpoint);
    // A connection that cannot be tuned still serves.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, router).with_graceful_shutdown(stop.cancelled_owned()).await
}
