//! `dump`: references as files beside the trees.

use braid_client::DumpEvent;
use clap::Args;
use futures::StreamExt;

use crate::address::RepositoryAddress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gauge::Gauge;
use crate::session::Session;
use crate::text::{Count, Few};
use crate::view::{DumpView, RefsProgressView};

/// Arguments of `dump`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid dump lake
  braid dump lake -o json > refs_manifest.json
  braid dump lake -o json | lakectl refs-restore lakefs://lake --manifest -

Writes commits, branches and tags as they are now into the repository's storage namespace, in lakeFS's format, and a manifest
beside them (_lakefs/refs_manifest.json) in place of any before. `braid restore` brings them back, and so does lakeFS: `lakectl repo
create-bare` over the same namespace, then `lakectl refs-restore` with the manifest. What is uncommitted is in no dump. With -o json the
output is the manifest, with a few more fields. A dump that is interrupted leaves the manifest as it was.")]
pub struct Dump {
    /// braid://repository, or just its name
    repository: RepositoryAddress,
}

impl Dump {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let mut events = session.client.dump_refs(&self.repository.0);
        let gauge = Gauge::start(session.console);
        while let Some(event) = events.next().await {
            match event? {
                DumpEvent::Progress(progress) => gauge.tell(&RefsProgressView::dumped(progress)),
                DumpEvent::Done(dumped) => {
                    session.console.bar.finish_and_clear();
                    if dumped.uncommitted > 0 {
                        session.console.note(format_args!(
                            "uncommitted changes of {} are not in the dump: {}",
                            Count(dumped.uncommitted, "branch"),
                            Few(&dumped.uncommitted_branches, dumped.uncommitted),
                        ));
                    }
                    session.console.report(&DumpView::from(dumped)).await?;
                    return Ok(Exit::Done);
                }
            }
        }
        Err(Failure::cut_off("dump"))
    }
}
