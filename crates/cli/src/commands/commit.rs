//! `commit`: a branch's changes become a commit.

use braid_client::{CommitBranch, CommitTree};
use braid_types::{MetarangeId, Time};
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
  braid commit braid://lake/main -m 'January' --meta job=42 --date 2026-01-31T12:00:00Z

With --tree the commit has the tree with this metarange, which is in the repository's storage; the branch must have no uncommitted
changes.")]
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

    /// Commit the tree with this metarange instead of what is uncommitted
    #[arg(long, value_name = "METARANGE_ID", conflicts_with = "allow_empty")]
    tree: Option<MetarangeId>,

    /// Time to give the commit instead of now
    #[arg(long, value_name = "TIME", value_parser = time)]
    date: Option<Time>,
}

impl Commit {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let Self { branch, message, allow_empty, date, tree, .. } = self;
        let (repository, branch, metadata) = (branch.repository, branch.reference, map(self.metadata));
        let commit = match tree {
            Some(metarange_id) => {
                let request = CommitTree { repository, branch, metarange_id, message, metadata, date };
                session.client.commit_tree(request).await?
            }
            None => {
                let request = CommitBranch { repository, branch, message, metadata, allow_empty, date };
                session.client.commit(request).await?
            }
        };
        session.console.report(&CommitLine::from(commit)).await?;
        Ok(Exit::Done)
    }
}
