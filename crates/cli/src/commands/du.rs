//! `du`: how much is stored under a prefix.

use braid_client::{GetUsage, PrefixUsage, StreamUsage};
use clap::Args;
use futures::StreamExt;

use crate::address::TreeAddress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::UsageLine;

/// Arguments of `du`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid du braid://lake/main
  braid du braid://lake/v1.0/data/2026/ --directories
  braid du braid://lake/main@ --bytes -o json

Shows size, number of objects and address of all paths that begin with the one given: end it in a slash for a directory.
Data that several paths share counts for each of them. A bare branch counts uncommitted changes in; `branch@` does not.")]
pub struct Du {
    /// braid://repository/ref/prefix
    tree: TreeAddress,

    /// Each directory one level down as well, before the sum
    #[arg(long, short)]
    directories: bool,

    /// Sizes in bytes
    #[arg(long)]
    bytes: bool,
}

impl Du {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        if self.directories {
            return self.show_directories(session).await;
        }
        let TreeAddress { repository, reference, path: prefix } = self.tree.clone();
        let request = GetUsage { repository, reference, prefix: prefix.clone() };
        let usage = session.client.get_usage(request).await?;
        session.console.show(&self.line(&PrefixUsage { prefix, usage })).await?;
        Ok(Exit::Done)
    }

    async fn show_directories(&self, session: Session<'_>) -> Result<Exit, Failure> {
        let TreeAddress { repository, reference, path: prefix } = self.tree.clone();
        let request = StreamUsage { repository, reference, prefix, delimiter: Some("/".to_owned()) };
        let mut usages = session.client.stream_usage(request);
        while let Some(usage) = usages.next().await {
            session.console.show(&self.line(&usage?)).await?;
        }
        Ok(Exit::Done)
    }

    fn line(&self, usage: &PrefixUsage) -> UsageLine {
        let address = TreeAddress { path: usage.prefix.clone(), ..self.tree.clone() };
        UsageLine::new(usage, address.to_string(), self.bytes)
    }
}
