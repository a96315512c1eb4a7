//! When a server is told to stop.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Ends at the first SIGINT or SIGTERM.
pub(crate) async fn requested() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot watch for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot watch for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
