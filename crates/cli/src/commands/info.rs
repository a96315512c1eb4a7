//! `info`: the server.

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::ServerView;

/// Arguments of `info`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  braid info --endpoint https://braid.example.com:8001")]
pub struct Info {}

impl Info {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let info = session.client.server_info().await?;
        session.console.show(&ServerView::from(info)).await?;
        Ok(Exit::Done)
    }
}
