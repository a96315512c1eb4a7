//! `merge-base`: a best common ancestor.

use braid_types::RefExpression;
use clap::Args;

use crate::address::RefAddress;
use crate::arguments::reference;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::view::MergeBaseView;

/// Arguments of `merge-base`.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  braid merge-base braid://lake/main experiment")]
pub struct MergeBase {
    /// One ref: braid://repository/ref
    left: RefAddress,

    /// Another ref of the same repository
    #[arg(value_parser = reference)]
    right: RefExpression,
}

impl MergeBase {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let base =
            session.client.find_merge_base(&self.left.repository, &self.left.reference, &self.right).await?;
        session.console.show(&MergeBaseView::from(base)).await?;
        Ok(Exit::Done)
    }
}
