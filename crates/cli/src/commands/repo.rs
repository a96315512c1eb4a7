//! `repo`: repositories.

use braid_client::{CreateRepository, SetBranchProtection};
use braid_types::BranchName;
use clap::{Args, Subcommand};
use futures::StreamExt;

use crate::address::RepositoryAddress;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{DeletedView, ProtectionView, RepositoryLine, RepositoryView};

/// Arguments of `repo`.
#[derive(Debug, Args)]
pub struct Repo {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a repository with one branch
    #[command(after_help = "Examples:
  braid repo create braid://lake
  braid repo create lake --storage-namespace s3://bucket/lake --default-branch trunk")]
    Create {
        /// The new repository: braid://name, or just its name
        repository: RepositoryAddress,
        /// Where to keep its objects; the server chooses a place if it is not given
        #[arg(long, value_name = "URI")]
        storage_namespace: Option<String>,
        /// Its first branch; `main` if it is not given
        #[arg(long, value_name = "NAME")]
        default_branch: Option<BranchName>,
    },
    /// List repositories by name
    #[command(after_help = "Examples:
  braid repo list
  braid repo list --prefix team- -o json")]
    List {
        /// Only names that begin with it
        #[arg(long, default_value = "")]
        prefix: String,
    },
    /// Show a repository
    #[command(after_help = "Example:
  braid repo show lake")]
    Show {
        /// braid://name, or just its name
        repository: RepositoryAddress,
    },
    /// Delete a repository with its branches, tags and history; data in its storage stays
    #[command(after_help = "Example:
  braid repo delete lake --yes")]
    Delete {
        /// braid://name, or just its name
        repository: RepositoryAddress,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Say which branches are changed by merges only: nothing can be staged on them, committed to them or reset
    #[command(after_help = "Examples:
  braid repo protect lake main 'release-*'
  braid repo protect lake                     # lifts the protection")]
    Protect {
        /// braid://name, or just its name
        repository: RepositoryAddress,
        /// Patterns of branch names, in place of those before; `*` stands for any characters, `?` for any one
        patterns: Vec<String>,
    },
    /// Show which branches are protected
    #[command(after_help = "Example:
  braid repo protection lake")]
    Protection {
        /// braid://name, or just its name
        repository: RepositoryAddress,
    },
    /// Say that nothing in a repository can be changed
    #[command(after_help = "Examples:
  braid repo read-only lake
  braid repo read-only lake --off")]
    ReadOnly {
        /// braid://name, or just its name
        repository: RepositoryAddress,
        /// It can be changed again
        #[arg(long)]
        off: bool,
    },
}

impl Repo {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::Create { repository: RepositoryAddress(name), storage_namespace, default_branch } => {
                create(CreateRepository { name, storage_namespace, default_branch }, session).await
            }
            Action::List { prefix } => list(&prefix, session).await,
            Action::Show { repository } => show(&repository, session).await,
            Action::Delete { repository, yes } => delete(&repository, yes, session).await,
            Action::Protect { repository, patterns } => protect(repository, patterns, session).await,
            Action::Protection { repository } => protection(&repository, session).await,
            Action::ReadOnly { repository, off } => read_only(&repository, !off, session).await,
        }
    }
}

async fn create(request: CreateRepository, session: Session<'_>) -> Result<Exit, Failure> {
    let repository = session.client.create_repository(request).await?;
    session.console.report(&RepositoryView::from(repository)).await?;
    Ok(Exit::Done)
}

async fn list(prefix: &str, session: Session<'_>) -> Result<Exit, Failure> {
    let mut repositories = session.client.repositories(prefix);
    while let Some(repository) = repositories.next().await {
        session.console.show(&RepositoryLine::from(repository?)).await?;
    }
    Ok(Exit::Done)
}

async fn show(repository: &RepositoryAddress, session: Session<'_>) -> Result<Exit, Failure> {
    let repository = session.client.get_repository(&repository.0).await?;
    session.console.show(&RepositoryView::from(repository)).await?;
    Ok(Exit::Done)
}

async fn delete(
    repository: &RepositoryAddress,
    yes: bool,
    mut session: Session<'_>,
) -> Result<Exit, Failure> {
    confirm(&mut session, yes, format_args!("delete {repository} with all its history")).await?;
    session.client.delete_repository(&repository.0).await?;
    session.console.report(&DeletedView { deleted: repository.to_string() }).await?;
    Ok(Exit::Done)
}

async fn protect(
    repository: RepositoryAddress,
    patterns: Vec<String>,
    session: Session<'_>,
) -> Result<Exit, Failure> {
    let request = SetBranchProtection { repository: repository.0, patterns, if_revision: None };
    let protection = session.client.set_branch_protection(request).await?;
    session.console.report(&ProtectionView::from(protection)).await?;
    Ok(Exit::Done)
}

async fn protection(repository: &RepositoryAddress, session: Session<'_>) -> Result<Exit, Failure> {
    let protection = session.client.get_branch_protection(&repository.0).await?;
    session.console.show(&ProtectionView::from(protection)).await?;
    Ok(Exit::Done)
}

async fn read_only(
    repository: &RepositoryAddress,
    read_only: bool,
    session: Session<'_>,
) -> Result<Exit, Failure> {
    let repository = session.client.set_read_only(&repository.0, read_only).await?;
    session.console.report(&RepositoryView::from(repository)).await?;
    Ok(Exit::Done)
}
