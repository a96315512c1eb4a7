//! `pr`: pull requests.

use braid_client::{
    CreatePullRequest, ListMergeConflicts, MergePullRequest, PullRequest, PullRequestFilter,
    PullRequestStatus, UpdatePullRequest,
};
use braid_types::{BranchName, Code, RefExpression};
use clap::{Args, Subcommand, ValueEnum};
use futures::StreamExt;

use super::merge::{Strategy, show_conflicts};
use crate::address::{BranchAddress, PullAddress, RepositoryAddress};
use crate::arguments::{Pair, map, pair};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{PullLine, PullView};

/// Arguments of `pr`.
#[derive(Debug, Args)]
pub struct Pr {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Propose that a branch be merged into another
    #[command(after_help = "Example:
  braid pr create braid://lake/experiment main --title 'Better numbers' -d 'Run 17, without the outliers'")]
    Create {
        /// The branch to be merged: braid://repository/branch
        source: BranchAddress,
        /// The branch of the same repository to merge it into
        destination: BranchName,
        /// What to call it
        #[arg(long, short)]
        title: String,
        /// What to say of it
        #[arg(long, short, default_value = "")]
        description: String,
    },
    /// List pull requests, the newest first
    #[command(after_help = "Example:
  braid pr list lake --status all")]
    List {
        /// braid://repository, or just its name
        repository: RepositoryAddress,
        /// Which; merged ones count as closed
        #[arg(long, value_enum, default_value_t = Status::Open)]
        status: Status,
    },
    /// Show a pull request
    #[command(after_help = "Example:
  braid pr show braid://lake/55nrd5vrpb7k5sac9p0g")]
    Show {
        /// braid://repository/id
        pull_request: PullAddress,
    },
    /// Change what is said of a pull request
    #[command(after_help = "Example:
  braid pr edit braid://lake/55nrd5vrpb7k5sac9p0g --title 'Best numbers'")]
    #[command(group = clap::ArgGroup::new("change").required(true).multiple(true))]
    Edit {
        /// braid://repository/id
        pull_request: PullAddress,
        /// What to call it
        #[arg(long, short, group = "change")]
        title: Option<String>,
        /// What to say of it
        #[arg(long, short, group = "change")]
        description: Option<String>,
    },
    /// Close a pull request without merging it
    #[command(after_help = "Example:
  braid pr close braid://lake/55nrd5vrpb7k5sac9p0g")]
    Close {
        /// braid://repository/id
        pull_request: PullAddress,
    },
    /// Open a pull request again that was closed
    #[command(after_help = "Example:
  braid pr reopen braid://lake/55nrd5vrpb7k5sac9p0g")]
    Reopen {
        /// braid://repository/id
        pull_request: PullAddress,
    },
    /// Merge a pull request
    #[command(after_help = "Example:
  braid pr merge braid://lake/55nrd5vrpb7k5sac9p0g -m 'Better numbers'

The merge and the pull request's status change together. Paths that both branches changed are conflicts: without a strategy all of
them are listed with what each side did, nothing is changed, and the exit code is 1.")]
    Merge(Merging),
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    /// Those that can be merged
    Open,
    /// Those that were closed or merged
    Closed,
    /// All
    All,
}

#[derive(Debug, Args)]
struct Merging {
    /// braid://repository/id
    pull_request: PullAddress,

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
}

impl Pr {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::Create { source, destination, title, description } => {
                let (repository, source) = (source.repository, source.reference);
                let request = CreatePullRequest { repository, title, description, source, destination };
                report(session.client.create_pull_request(request).await?, session).await
            }
            Action::List { repository, status } => list(&repository, status.into(), session).await,
            Action::Show { pull_request } => show(&pull_request, session).await,
            Action::Edit { pull_request, title, description } => {
                update(UpdatePullRequest { title, description, ..nothing(pull_request) }, session).await
            }
            Action::Close { pull_request } => {
                let status = Some(PullRequestStatus::Closed);
                update(UpdatePullRequest { status, ..nothing(pull_request) }, session).await
            }
            Action::Reopen { pull_request } => {
                let status = Some(PullRequestStatus::Open);
                update(UpdatePullRequest { status, ..nothing(pull_request) }, session).await
            }
            Action::Merge(merging) => merging.run(session).await,
        }
    }
}

impl From<Status> for PullRequestFilter {
    fn from(status: Status) -> Self {
        match status {
            Status::Open => Self::Open,
            Status::Closed => Self::Closed,
            Status::All => Self::All,
        }
    }
}

async fn list(
    repository: &RepositoryAddress,
    filter: PullRequestFilter,
    session: Session<'_>,
) -> Result<Exit, Failure> {
    let mut pulls = session.client.pull_requests(&repository.0, filter);
    while let Some(pull) = pulls.next().await {
        session.console.show(&PullLine::from(pull?)).await?;
    }
    Ok(Exit::Done)
}

async fn show(at: &PullAddress, session: Session<'_>) -> Result<Exit, Failure> {
    let found = session.client.get_pull_request(&at.repository, at.reference).await?;
    session.console.show(&PullView::from(found)).await?;
    Ok(Exit::Done)
}

/// The update of a pull request that changes nothing.
fn nothing(at: PullAddress) -> UpdatePullRequest {
    let (repository, id) = (at.repository, at.reference);
    UpdatePullRequest { repository, id, title: None, description: None, status: None }
}

async fn update(request: UpdatePullRequest, session: Session<'_>) -> Result<Exit, Failure> {
    report(session.client.update_pull_request(request).await?, session).await
}

async fn report(pull: PullRequest, session: Session<'_>) -> Result<Exit, Failure> {
    session.console.report(&PullView::from(pull)).await?;
    Ok(Exit::Done)
}

impl Merging {
    async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let (repository, id) = (self.pull_request.repository, self.pull_request.reference);
        let request = MergePullRequest {
            repository: repository.clone(),
            id,
            strategy: self.strategy.map(Into::into).unwrap_or_default(),
            message: self.message,
            metadata: map(self.metadata),
            squash: self.squash,
        };
        match session.client.merge_pull_request(request).await {
            Ok(merged) => report(merged, session).await,
            Err(error) if error.code() == Code::MergeConflict => {
                let pull = session.client.get_pull_request(&repository, id).await?;
                let (source, destination) = (RefExpression::parse(pull.source.as_str())?, pull.destination);
                show_conflicts(ListMergeConflicts { repository, source, destination }, session).await?;
                Err(error.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}
