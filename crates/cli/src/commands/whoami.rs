//! `whoami`: as whom the server takes the caller.

use clap::Args;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::IdentityView;

/// Arguments of `whoami`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  braid whoami -o json")]
pub struct Whoami {}

impl Whoami {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let identity = session.client.who_am_i().await?;
        session.console.show(&IdentityView::from(identity)).await?;
        Ok(Exit::Done)
    }
}
