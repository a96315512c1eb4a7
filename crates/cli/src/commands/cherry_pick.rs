//! `cherry-pick`: doing a commit again in a new one.

use braid_client::CherryPick as CherryPickRequest;
use clap::Args;

use crate::arguments::{Pair, Picked, map, pair};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::CommitLine;

/// Arguments of `cherry-pick`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid cherry-pick braid://lake/release experiment~1
  braid cherry-pick braid://lake/release 3f2a91c0 --parent 1")]
pub struct CherryPick {
    #[command(flatten)]
    picked: Picked,

    /// What to say of it; the picked commit's own text if it is not given
    #[arg(long, short)]
    message: Option<String>,

    /// A key and a value to add to the picked commit's own; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,
}

impl CherryPick {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request = CherryPickRequest {
            repository: self.picked.branch.repository,
            branch: self.picked.branch.reference,
            reference: self.picked.reference,
            parent_number: self.picked.parent,
            message: self.message,
            metadata: map(self.metadata),
        };
        let commit = session.client.cherry_pick(request).await?;
        session.console.report(&CommitLine::from(commit)).await?;
        Ok(Exit::Done)
    }
}
