//! `rm`: deleting objects.

use std::fmt;

use braid_client::DeletePrefix;
use braid_types::{Code, Error, ObjectPath};
use clap::Args;
use serde::Serialize;

use crate::address::{BranchTreeAddress, directory};
use crate::arguments::etag;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::Plain;
use crate::view::DeletedView;

/// Arguments of `rm`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid rm braid://lake/main/data/a.csv
  braid rm -r braid://lake/main/data/ --yes
  braid rm braid://lake/main/data/a.csv --if-etag 0cc175b9c0f1b6a831c399e269772661
  braid rm braid://lake/main/data/a.csv --if-generation 12205421968325301047

What is not there cannot be deleted: that is an error. With -r the path is a directory, and everything in it is deleted at
once, however much it is; objects that only begin like it stay. `braid du` tells how much there is.")]
pub struct Rm {
    /// braid://repository/branch/path
    address: BranchTreeAddress,

    /// Everything in a directory
    #[arg(long, short)]
    recursive: bool,

    /// Refuse unless the object has this etag, as `braid stat` shows it
    #[arg(long, value_name = "ETAG", value_parser = etag, conflicts_with = "recursive")]
    if_etag: Option<String>,

    /// Refuse unless it is this version of the object, as `braid stat` shows it
    #[arg(long, value_name = "N", conflicts_with_all = ["recursive", "if_etag"])]
    if_generation: Option<u64>,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Rm {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        if self.recursive {
            return remove_all(self.address, self.yes, session).await;
        }
        self.remove_one(session).await
    }

    async fn remove_one(&self, session: Session<'_>) -> Result<Exit, Failure> {
        let address = &self.address;
        if address.path.is_empty() {
            return Err(Failure::Usage(format!(
                "'{address}' names no object; -r deletes everything in a directory"
            )));
        }
        let (client, repository, branch) = (&session.client, &address.repository, &address.reference);
        let path = ObjectPath::existing(address.path.as_str())?;
        if let Some(etag) = &self.if_etag {
            client.delete_object_if_etag(repository, branch, &path, etag).await?;
        } else if let Some(generation) = self.if_generation {
            client.delete_object_if_generation(repository, branch, &path, generation).await?;
        } else if !client.delete_object(repository, branch, &path).await? {
            return Err(nothing_at(address, format_args!("there is no object '{address}'")));
        }
        session.console.report(&DeletedView { deleted: address.to_string() }).await?;
        Ok(Exit::Done)
    }
}

async fn remove_all(
    address: BranchTreeAddress,
    yes: bool,
    mut session: Session<'_>,
) -> Result<Exit, Failure> {
    let address = BranchTreeAddress { path: directory(&address.path)?, ..address };
    confirm(&mut session, yes, format_args!("delete everything under {address}")).await?;
    let BranchTreeAddress { repository, reference: branch, path: prefix } = address.clone();
    if !session.client.delete_prefix(DeletePrefix { repository, branch, prefix }).await? {
        return Err(nothing_at(&address, format_args!("there is nothing under '{address}'")));
    }
    session.console.report(&RemovedView { deleted: address.to_string() }).await?;
    Ok(Exit::Done)
}

fn nothing_at(address: &BranchTreeAddress, message: fmt::Arguments<'_>) -> Failure {
    Error::new(Code::ObjectNotFound, address.path.as_str(), message.to_string()).into()
}

/// What everything was deleted under.
#[derive(Serialize)]
struct RemovedView {
    deleted: String,
}

impl fmt::Display for RemovedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deleted everything under {}", Plain(&self.deleted))
    }
}
