//! `tag`: tags.

use braid_client::CreateTag;
use braid_types::RefExpression;
use clap::{Args, Subcommand};
use futures::StreamExt;

use crate::address::{RepositoryAddress, TagAddress};
use crate::arguments::reference;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::{DeletedView, RefLine, RefView};

/// Arguments of `tag`.
#[derive(Debug, Args)]
pub struct Tag {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a tag at a commit
    #[command(after_help = "Example:
  braid tag create braid://lake/v1.0 main")]
    Create {
        /// The new tag: braid://repository/name
        tag: TagAddress,
        /// Ref whose commit is tagged
        #[arg(value_name = "REF", value_parser = reference)]
        reference: RefExpression,
    },
    /// List tags by name
    #[command(after_help = "Example:
  braid tag list lake --prefix v1.")]
    List {
        /// braid://repository, or just its name
        repository: RepositoryAddress,
        /// Only names that begin with it
        #[arg(long, default_value = "")]
        prefix: String,
    },
    /// Show a tag
    #[command(after_help = "Example:
  braid tag show braid://lake/v1.0")]
    Show {
        /// braid://repository/tag
        tag: TagAddress,
    },
    /// Delete a tag; its commit stays
    #[command(after_help = "Example:
  braid tag delete braid://lake/v1.0")]
    Delete {
        /// braid://repository/tag
        tag: TagAddress,
    },
}

impl Tag {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        match self.action {
            Action::Create { tag, reference } => create(tag, reference, session).await,
            Action::List { repository, prefix } => list(&repository, &prefix, session).await,
            Action::Show { tag } => show(&tag, session).await,
            Action::Delete { tag } => delete(&tag, session).await,
        }
    }
}

async fn create(tag: TagAddress, reference: RefExpression, session: Session<'_>) -> Result<Exit, Failure> {
    let request = CreateTag { repository: tag.repository, name: tag.reference, reference };
    let tag = session.client.create_tag(request).await?;
    session.console.report(&RefView::from(tag)).await?;
    Ok(Exit::Done)
}

async fn list(repository: &RepositoryAddress, prefix: &str, session: Session<'_>) -> Result<Exit, Failure> {
    let mut tags = session.client.tags(&repository.0, prefix);
    while let Some(tag) = tags.next().await {
        session.console.show(&RefLine::from(tag?)).await?;
    }
    Ok(Exit::Done)
}

async fn show(tag: &TagAddress, session: Session<'_>) -> Result<Exit, Failure> {
    let tag = session.client.get_tag(&tag.repository, &tag.reference).await?;
    session.console.show(&RefView::from(tag)).await?;
    Ok(Exit::Done)
}

async fn delete(tag: &TagAddress, session: Session<'_>) -> Result<Exit, Failure> {
    session.client.delete_tag(&tag.repository, &tag.reference).await?;
    session.console.report(&DeletedView { deleted: tag.to_string() }).await?;
    Ok(Exit::Done)
}
