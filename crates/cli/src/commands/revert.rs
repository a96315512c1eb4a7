//! `revert`: undoing a commit in a new one.

use braid_client::Revert as RevertRequest;
use braid_types::RefExpression;
use clap::Args;

use crate::address::BranchAddress;
use crate::arguments::{Pair, map, pair, reference};
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
    /// The branch to commit to: braid://repository/branch
    branch: BranchAddress,

    /// The commit to undo: a ref of the same repository
    #[arg(value_name = "REF", value_parser = reference)]
    reference: RefExpression,

    /// Which parent to compare with, counted from 1; a merge commit needs one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    parent: Option<u32>,

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
            repository: self.branch.repository,
            branch: self.branch.reference,
            reference: self.reference,
            parent_number: self.parent,
            allow_empty: self.allow_empty,
            message: self.message,
            metadata: map(self.metadata),
        };
        let commit = session.client.revert(request).await?;
        session.console.report(&CommitLine::from(commit)).await?;
        Ok(Exit::Done)
    }
}
