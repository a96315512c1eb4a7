//! `diff`: what differs between two refs, or what is not committed.

use braid_client::{Diff as DiffRequest, DiffBranch, DiffItem, DiffMode, Entries};
use braid_types::{BranchName, PathPrefix, RefExpression};
use clap::Args;
use futures::StreamExt;

use crate::address::RefAddress;
use crate::arguments::reference;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{ChangeView, SummaryView};

/// Arguments of `diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid diff braid://lake/main                  what is not committed on main
  braid diff braid://lake/main experiment       what merging experiment into main would bring
  braid diff braid://lake/main v1.0 --two-dot   main against v1.0, whatever came between
  braid diff braid://lake/main --prefix data/ --summary
  braid diff braid://lake/main v1.0 --prefix data/ --directories

`+` is only on the right, `-` only on the left, `~` on both with other content. With --directories, paths that go on after the
next slash behind the prefix are counted in one line. Whether anything differs does not change the exit code.")]
pub struct Diff {
    /// The left side: braid://repository/ref; alone, a branch that is compared with its uncommitted changes
    left: RefAddress,

    /// The right side: a ref of the same repository; `branch$` takes its uncommitted changes in
    #[arg(value_parser = reference)]
    right: Option<RefExpression>,

    /// Compare with the left side itself, instead of the merge base of both
    #[arg(long, requires = "right")]
    two_dot: bool,

    /// Only paths that begin with it
    #[arg(long, default_value = "", hide_default_value = true, value_parser = prefix)]
    prefix: PathPrefix,

    /// Only how much differs
    #[arg(long)]
    summary: bool,

    /// One level: how much differs in each directory, instead of every path
    #[arg(long, short, conflicts_with = "summary")]
    directories: bool,
}

fn prefix(text: &str) -> Result<PathPrefix, braid_types::Error> {
    PathPrefix::new(text)
}

impl Diff {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let summary = self.summary;
        let changes = self.changes(&session)?;
        if summary { show_summary(changes, session).await } else { show_all(changes, session).await }
    }

    fn changes(self, session: &Session<'_>) -> Result<Entries<DiffItem>, Failure> {
        let (repository, left, prefix) = (self.left.repository, self.left.reference, self.prefix);
        let (delimiter, after) = (self.directories.then(|| "/".to_owned()), None);
        let Some(right) = self.right else {
            let branch = BranchName::new(left.text()).map_err(|_| no_branch(&left))?;
            return Ok(session.client.diff_branch(DiffBranch {
                repository,
                branch,
                prefix,
                delimiter,
                after,
            }));
        };
        let mode = if self.two_dot { DiffMode::TwoDot } else { DiffMode::ThreeDot };
        Ok(session.client.diff(DiffRequest { repository, left, right, mode, prefix, delimiter, after }))
    }
}

fn no_branch(left: &RefExpression) -> Failure {
    Failure::Usage(format!("'{left}' is not a branch, so nothing of it is uncommitted: name a second ref"))
}

/// Shows each change.
pub(crate) async fn show_all(mut changes: Entries<DiffItem>, session: Session<'_>) -> Result<Exit, Failure> {
    while let Some(change) = changes.next().await {
        session.console.show(&ChangeView::from(change?)).await?;
    }
    Ok(Exit::Done)
}

async fn show_summary(mut changes: Entries<DiffItem>, session: Session<'_>) -> Result<Exit, Failure> {
    let mut summary = SummaryView::default();
    while let Some(change) = changes.next().await {
        if let DiffItem::Entry(entry) = change? {
            summary.count(&entry);
        }
    }
    session.console.show(&summary).await?;
    Ok(Exit::Done)
}
