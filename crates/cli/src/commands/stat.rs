//! `stat`: what is known of an object.

use clap::Args;

use crate::address::ObjectAddress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::ObjectView;

/// Arguments of `stat`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid stat braid://lake/main/data/a.csv
  braid stat braid://lake/v1.0/data/a.csv -o json")]
pub struct Stat {
    /// braid://repository/ref/path
    object: ObjectAddress,
}

impl Stat {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let at = self.object;
        let object = session.client.stat_object(&at.repository, &at.reference, &at.path).await?;
        session.console.show(&ObjectView::from(object)).await?;
        Ok(Exit::Done)
    }
}
