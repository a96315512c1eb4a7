//! `commit`: a branch's changes become a commit.

use braid_client::CommitBranch;
use braid_types::Time;
use clap::Args;

use crate::address::BranchAddress;
use crate::arguments::{Pair, map, pair, time};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::CommitLine;

/// Arguments of `commit`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid commit braid://lake/main -m 'January'
  braid commit braid://lake/main -m 'January' --meta job=42 --date 2026-01-31T12:00:00Z")]
pub struct Commit {
    /// braid://repository/branch
    branch: BranchAddress,

    /// What to say of it
    #[arg(long, short)]
    message: String,

    /// A key and a value to go with it; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,

    /// Commit also when nothing changed
    #[arg(long)]
    allow_empty: bool,

    /// Time to give the commit instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    date: Option<Time>,
}

impl Commit {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request = CommitBranch {
            repository: self.branch.repository,
            branch: self.branch.reference,
            message: self.message,
            metadata: map(self.metadata),
            allow_empty: self.allow_empty,
            date: self.date,
        };
        let commit = session.client.commit(request).await?;
        session.console.report(&CommitLine::from(commit)).await?;
        Ok(Exit::Done)
    }
}
