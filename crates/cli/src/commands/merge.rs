//! `merge`: a ref's changes come into a branch.

use braid_client::{ListMergeConflicts, Merge as MergeRequest, MergeStrategy};
use braid_types::{BranchName, Code};
use clap::{Args, ValueEnum};
use futures::StreamExt;

use crate::address::RefAddress;
use crate::arguments::{Pair, map, pair};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::Count;
use crate::view::{CommitLine, ConflictView};

/// Arguments of `merge`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid merge braid://lake/experiment main
  braid merge braid://lake/experiment main --strategy source-wins -m 'Take it all'

Paths that both sides changed are conflicts: without a strategy all of them are listed with what each side did, nothing is
changed, and the exit code is 1.")]
pub struct Merge {
    /// What to merge: braid://repository/ref
    source: RefAddress,

    /// The branch of the same repository to merge into
    branch: BranchName,

    /// Whose content to take where both sides changed a path
    #[arg(long, value_enum)]
    strategy: Option<Strategy>,

    /// What to say of it; the server writes a text if it is not given
    #[arg(long, short)]
    message: Option<String>,

    /// A key and a value to go with it; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,

    /// Make a commit whose only parent is the branch's head
    #[arg(long)]
    squash: bool,

    /// Merge also when the source changed nothing
    #[arg(long)]
    allow_empty: bool,
}

/// What `--strategy` takes.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Strategy {
    /// The source's
    SourceWins,
    /// The branch's
    DestWins,
}

impl From<Strategy> for MergeStrategy {
    fn from(strategy: Strategy) -> Self {
        match strategy {
            Strategy::SourceWins => Self::SourceWins,
            Strategy::DestWins => Self::DestinationWins,
        }
    }
}

impl Merge {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request = MergeRequest {
            repository: self.source.repository,
            source: self.source.reference,
            destination: self.branch,
            strategy: self.strategy.map(Into::into).unwrap_or_default(),
            message: self.message,
            metadata: map(self.metadata),
            squash: self.squash,
            allow_empty: self.allow_empty,
        };
        match session.client.merge(request.clone()).await {
            Ok(commit) => {
                session.console.report(&CommitLine::from(commit)).await?;
                Ok(Exit::Done)
            }
            Err(error) if error.code() == Code::MergeConflict => {
                let MergeRequest { repository, source, destination, .. } = request;
                show_conflicts(ListMergeConflicts { repository, source, destination }, session).await?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Shows all conflicts of a merge, and how many they are.
pub(super) async fn show_conflicts(merge: ListMergeConflicts, session: Session<'_>) -> Result<(), Failure> {
    let mut conflicts = session.client.list_merge_conflicts(merge);
    let mut count = 0;
    while let Some(conflict) = conflicts.next().await {
        session.console.show(&ConflictView::from(conflict?)).await?;
        count += 1;
    }
    session.console.note(Count(count, "conflict"));
    Ok(())
}
