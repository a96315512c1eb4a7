//! `branch`: branches.

use braid_client::{CreateBranch, ResetScope};
use braid_types::{ObjectPath, PathPrefix, RefExpression};
use clap::{Args, Subcommand};
use futures::StreamExt;

use crate::address::{BranchAddress, BranchTreeAddress, RepositoryAddress};
use crate::arguments::reference;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{DeletedView, RefLine, RefView};

/// Arguments of `branch`.
#[derive(Debug, Args)]
pub struct Branch {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a branch at a commit
    #[command(after_help = "Examples:
  braid branch create braid://lake/experiment
  braid branch create braid://lake/fix --from v1.2~1")]
    Create {
        /// The new branch: braid://repository/name
        branch: BranchAddress,
        /// Ref whose commit it starts at; the default branch if it is not given
        #[arg(long, value_name = "REF", value_parser = reference)]
        from: Option<RefExpression>,
    },
    /// List branches by name
    #[command(after_help = "Example:
  braid branch list lake --prefix team-")]
    List {
        /// braid://repository, or just its name
        repository: RepositoryAddress,
        /// Only names that begin with it
        #[arg(long, default_value = "")]
        prefix: String,
    },
    /// Show a branch
    #[command(after_help = "Example:
  braid branch show braid://lake/main")]
    Show {
        /// braid://repository/branch
        branch: BranchAddress,
    },
    /// Delete a branch with its uncommitted changes; its commits stay
    #[command(after_help = "Example:
  braid branch delete braid://lake/experiment --yes")]
    Delete {
        /// braid://repository/branch
        branch: BranchAddress,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Drop uncommitted changes: all, those of one path, or those under a directory
    #[command(after_help = "Examples:
  braid branch reset braid://lake/main --yes
  braid branch reset braid://lake/main/data/a.csv
  braid branch reset braid://lake/main/data/")]
    Reset {
        /// braid://repository/branch for all, with /path for one path, with /directory/ for a directory
        address: BranchTreeAddress,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

impl Branch {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::Create { branch, from } => create(branch, from, session).await,
            Action::List { repository, prefix } => list(&repository, &prefix, session).await,
            Action::Show { branch } => show(&branch, session).await,
            Action::Delete { branch, yes } => delete(&branch, yes, session).await,
            Action::Reset { address, yes } => reset(&address, yes, session).await,
        }
    }
}

async fn create(
    address: BranchAddress,
    from: Option<RefExpression>,
    session: Session<'_>,
) -> Result<Exit, Failure> {
    let (repository, name) = (address.repository, address.reference);
    let source = match from {
        Some(source) => source,
        None => {
            let default = session.client.get_repository(&repository).await?.default_branch;
            RefExpression::parse(default.as_str())?
        }
    };
    let branch =
        session.client.create_branch(CreateBranch { repository, name, source, hidden: false }).await?;
    session.console.report(&RefView::from(branch)).await?;
    Ok(Exit::Done)
}

async fn list(repository: &RepositoryAddress, prefix: &str, session: Session<'_>) -> Result<Exit, Failure> {
    let mut branches = session.client.branches(&repository.0, prefix);
    while let Some(branch) = branches.next().await {
        session.console.show(&RefLine::from(branch?)).await?;
    }
    Ok(Exit::Done)
}

async fn show(branch: &BranchAddress, session: Session<'_>) -> Result<Exit, Failure> {
    let branch = session.client.get_branch(&branch.repository, &branch.reference).await?;
    session.console.show(&RefView::from(branch)).await?;
    Ok(Exit::Done)
}

async fn delete(branch: &BranchAddress, yes: bool, mut session: Session<'_>) -> Result<Exit, Failure> {
    confirm(&mut session, yes, format_args!("delete {branch} with its uncommitted changes")).await?;
    session.client.delete_branch(&branch.repository, &branch.reference).await?;
    session.console.report(&DeletedView { deleted: branch.to_string() }).await?;
    Ok(Exit::Done)
}

async fn reset(address: &BranchTreeAddress, yes: bool, mut session: Session<'_>) -> Result<Exit, Failure> {
    let scope = scope(&address.path)?;
    confirm(&mut session, yes, format_args!("drop the uncommitted changes of {address}")).await?;
    let branch = session.client.reset_branch(&address.repository, &address.reference, scope).await?;
    session.console.report(&RefView::from(branch)).await?;
    Ok(Exit::Done)
}

fn scope(path: &PathPrefix) -> Result<ResetScope, Failure> {
    Ok(match path.as_str() {
        "" => ResetScope::All,
        directory if directory.ends_with('/') => ResetScope::Prefix(path.clone()),
        path => ResetScope::Path(ObjectPath::existing(path)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slash_at_the_end_makes_a_directory() {
        let scope = |text: &str| scope(&PathPrefix::new(text).unwrap()).unwrap();
        assert_eq!(scope(""), ResetScope::All);
        assert_eq!(scope("a/"), ResetScope::Prefix(PathPrefix::new("a/").unwrap()));
        assert_eq!(scope("a/b"), ResetScope::Path(ObjectPath::new("a/b").unwrap()));
    }
}
