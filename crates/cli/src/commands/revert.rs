//! `revert`: undoing a commit in a new one.

use braid_client::Revert as RevertRequest;
use clap::Args;

use crate::arguments::{Pair, Picked, map, pair};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::CommitLine;

/// Arguments of `revert`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid revert braid://lake/main main~2
  braid revert braid://lake/main 3f2a91c0 --parent 1 -m 'Take the merge back'")]
pub struct Revert {
    #[command(flatten)]
    picked: Picked,

    /// What to say of it; the server writes a text if it is not given
    #[arg(long, short)]
    message: Option<String>,

    /// A key and a value to go with it; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,

    /// Commit also when nothing changes
    #[arg(long)]
    allow_empty: bool,
}

impl Revert {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request = RevertRequest {
            repository: self.picked.branch.repository,
            branch: self.picked.branch.reference,
            reference: self.picked.reference,
            parent_number: self.picked.parent,
            allow_empty: self.allow_empty,
            message: self.message,
            metadata: map(self.metadata),
        };
        let commit = session.client.revert(request).await?;
        session.console.report(&CommitLine::from(commit)).await?;
        Ok(Exit::Done)
    }
}
