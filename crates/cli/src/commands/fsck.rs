//! `fsck`: checking what is stored.

use braid_client::{Fsck as FsckRequest, FsckEvent, FsckProgress};
use braid_types::RefExpression;
use clap::Args;
use futures::StreamExt;

use crate::address::RepositoryAddress;
use crate::arguments::reference;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gauge::Gauge;
use crate::session::Session;
use crate::view::{FaultView, FsckSummary};

/// Arguments of `fsck`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid fsck lake                    the heads of all branches, and all tags
  braid fsck lake main~3             one commit
  braid fsck lake main --history     a commit and all before it
  braid fsck lake --history -o json

Reads the stored files of trees, as they are on the disk or in the bucket, and the records of commits; checks every checksum,
hash, count, order and entry; and names each fault by file and offset as it is found. Changes nothing. What is
uncommitted, and the data of objects, is not looked at. The exit code is 0 if everything is sound, 4 if there are faults, and 1
if the check could not be finished.")]
pub struct Fsck {
    /// braid://repository, or just its name
    repository: RepositoryAddress,

    /// The only commit to check: a ref of the repository
    #[arg(value_name = "REF", value_parser = reference)]
    reference: Option<RefExpression>,

    /// Check all commits that can be reached from there as well
    #[arg(long)]
    history: bool,
}

impl Fsck {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let request =
            FsckRequest { repository: self.repository.0, reference: self.reference, history: self.history };
        let mut events = session.client.fsck(request);
        let gauge = Gauge::start(session.console);
        let (mut progress, mut faults) = (FsckProgress::default(), 0);
        while let Some(event) = events.next().await {
            match event? {
                FsckEvent::Progress(further) => progress = further,
                FsckEvent::Fault(fault) => {
                    faults += 1;
                    session.console.show(&FaultView::from(fault)).await?;
                    session.console.flush().await?;
                }
            }
            gauge.tell(&FsckSummary::new(progress, faults));
        }
        session.console.bar.finish_and_clear();
        session.console.report(&FsckSummary::new(progress, faults)).await?;
        Ok(if faults == 0 { Exit::Done } else { Exit::Faulty })
    }
}
