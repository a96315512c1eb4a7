//! Text that a command is given as a file or on standard input.

use std::path::Path;

use tokio::io::AsyncReadExt;

use crate::failure::Failure;
use crate::session::Session;

/// All of a file; `-` is standard input.
pub(super) async fn read_source(source: &Path, session: &mut Session<'_>) -> Result<String, Failure> {
    if source.as_os_str() != "-" {
        let what = format!("read '{}'", source.display());
        return tokio::fs::read_to_string(source).await.map_err(Failure::local(what));
    }
    let mut text = String::new();
    let read = session.stdin.read_to_string(&mut text).await;
    read.map_err(Failure::local("read standard input"))?;
    Ok(text)
}
