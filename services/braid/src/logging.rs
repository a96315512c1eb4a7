//! Logs of this process, on standard error.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

/// Starts logging at `level` unless `BRAID_LOG` says otherwise (such as `info,braid_kv=debug`).
pub(crate) fn start(level: &str) {
    let filter = EnvFilter::try_from_env("BRAID_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .try_init();
    // In one process of many tests the first one wins.
    drop(started);
}
