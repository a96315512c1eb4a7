//! `log`: history.

use braid_client::Log as LogRequest;
use braid_types::{ObjectPath, PathPrefix, RefExpression, Time};
use clap::Args;
use futures::StreamExt;

use crate::address::RefAddress;
use crate::arguments::{reference, time};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::CommitView;

/// Arguments of `log`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid log braid://lake/main --limit 10
  braid log braid://lake/main --since 2026-01-01T00:00:00Z --first-parent
  braid log braid://lake/main --path data/a.csv --prefix logs/")]
pub struct Log {
    /// braid://repository/ref
    at: RefAddress,

    /// Most commits to show
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,

    /// Follow first parents only
    #[arg(long)]
    first_parent: bool,

    /// Only commits at or after this time
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Time>,

    /// The last commit to show
    #[arg(long, value_name = "REF", value_parser = reference)]
    stop_at: Option<RefExpression>,

    /// Only commits that changed this path; may be given again
    #[arg(long, value_name = "PATH", value_parser = path)]
    path: Vec<ObjectPath>,

    /// Only commits that changed something under this prefix; may be given again
    #[arg(long, value_name = "PREFIX", value_parser = prefix)]
    prefix: Vec<PathPrefix>,
}

fn path(text: &str) -> Result<ObjectPath, braid_types::Error> {
    ObjectPath::existing(text)
}

fn prefix(text: &str) -> Result<PathPrefix, braid_types::Error> {
    PathPrefix::new(text)
}

impl Log {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request = LogRequest {
            repository: self.at.repository,
            reference: self.at.reference,
            limit: self.limit,
            first_parent: self.first_parent,
            since: self.since,
            stop_at: self.stop_at,
            after: None,
            paths: self.path,
            prefixes: self.prefix,
        };
        let mut commits = session.client.log(request);
        while let Some(commit) = commits.next().await {
            session.console.show(&CommitView::from(commit?)).await?;
        }
        Ok(Exit::Done)
    }
}
