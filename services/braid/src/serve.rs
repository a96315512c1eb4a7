//! A server as a process: from its start to the signal that ends it.

use crate::config::ServerConfig;
use crate::server::Server;
use crate::shutdown;

/// Serves until told to stop, also while it waits for what it needs; `announce` says that it is up.
pub(crate) async fn run(config: ServerConfig, announce: impl FnOnce(&Server)) -> anyhow::Result<()> {
    let server = tokio::select! {
        started = Box::pin(Server::start(config)) => started?,
        requested = shutdown::requested() => return requested,
    };
    announce(&server);
    tokio::select! {
        requested = shutdown::requested() => requested?,
        () = server.failed() => {}
    }
    Box::pin(server.stop()).await
}
