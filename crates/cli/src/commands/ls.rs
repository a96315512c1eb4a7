//! `ls`: objects by path.

use braid_client::StreamObjects;
use clap::Args;
use futures::StreamExt;

use crate::address::TreeAddress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::ListLine;

/// Arguments of `ls`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid ls braid://lake/main/
  braid ls -r braid://lake/v1.0/data/ --limit 100
  braid ls -r braid://lake/main -o json

Shows kind, size, time and path of all paths that begin with the one given. Without -r, paths that go on after the next
slash are shown as one prefix. A bare branch shows uncommitted changes; `branch@` does not.")]
pub struct Ls {
    /// braid://repository/ref/prefix
    tree: TreeAddress,

    /// Every path, instead of one level
    #[arg(long, short)]
    recursive: bool,

    /// Most lines to show
    #[arg(long, value_name = "N")]
    limit: Option<usize>,

    /// Sizes in bytes
    #[arg(long)]
    bytes: bool,
}

impl Ls {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request = StreamObjects {
            repository: self.tree.repository,
            reference: self.tree.reference,
            prefix: self.tree.path,
            delimiter: (!self.recursive).then(|| "/".to_owned()),
            after: None,
        };
        let mut items = session.client.stream_objects(request).take(self.limit.unwrap_or(usize::MAX));
        while let Some(item) = items.next().await {
            session.console.show(&ListLine::new(item?, self.bytes)).await?;
        }
        Ok(Exit::Done)
    }
}
