//! `rm`: deleting objects.

use std::fmt;
use std::pin::pin;

use braid_client::{Client, ListItem, StreamObjects};
use braid_types::limits::TRANSACTION_OPERATIONS;
use braid_types::{BranchName, Code, Error, ObjectPath, PathPrefix, RefExpression};
use clap::Args;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::address::BranchTreeAddress;
use crate::arguments::etag;
use crate::confirm::confirm;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::resume::resumed;
use crate::session::Session;
use crate::text::{Count, Plain};
use crate::view::DeletedView;

/// Arguments of `rm`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid rm braid://lake/main/data/a.csv
  braid rm -r braid://lake/main/data/ --yes
  braid rm braid://lake/main/data/a.csv --if-etag 0cc175b9c0f1b6a831c399e269772661

What is not there cannot be deleted: that is an error. With -r the path is a directory, and everything in it is deleted,
10,000 objects in a transaction; objects that only begin like it stay.")]
pub struct Rm {
    /// braid://repository/branch/path
    address: BranchTreeAddress,

    /// Everything in a directory
    #[arg(long, short)]
    recursive: bool,

    /// Refuse unless the object has this etag, as `braid stat` shows it
    #[arg(long, value_name = "ETAG", value_parser = etag, conflicts_with = "recursive")]
    if_etag: Option<String>,

    /// Do not ask
    #[arg(long, short)]
    yes: bool,
}

impl Rm {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        if self.recursive {
            return remove_all(self.address, self.yes, session).await;
        }
        remove_one(&self.address, self.if_etag.as_deref(), session).await
    }
}

async fn remove_one(
    address: &BranchTreeAddress,
    if_etag: Option<&str>,
    session: Session<'_>,
) -> Result<Exit, Failure> {
    if address.path.is_empty() {
        return Err(Failure::Usage(format!(
            "'{address}' names no object; -r deletes everything in a directory"
        )));
    }
    let (repository, branch) = (&address.repository, &address.reference);
    let path = ObjectPath::existing(address.path.as_str())?;
    if let Some(etag) = if_etag {
        session.client.delete_object_if_etag(repository, branch, &path, etag).await?;
    } else if !session.client.delete_object(repository, branch, &path).await? {
        return Err(nothing_at(address, format_args!("there is no object '{address}'")));
    }
    session.console.report(&DeletedView { deleted: address.to_string() }).await?;
    Ok(Exit::Done)
}

async fn remove_all(
    address: BranchTreeAddress,
    yes: bool,
    mut session: Session<'_>,
) -> Result<Exit, Failure> {
    let address = BranchTreeAddress { path: directory(&address.path)?, ..address };
    confirm(&mut session, yes, format_args!("delete everything under {address}")).await?;
    let mut removed = 0;
    let ended = remove_under(&address, &session.client, &mut removed).await;
    if ended.is_err() && removed > 0 {
        session.console.note(format_args!("{} were deleted before this failed", Count(removed, "object")));
    }
    ended?;
    if removed == 0 {
        return Err(nothing_at(&address, format_args!("there is nothing under '{address}'")));
    }
    session.console.report(&RemovedView { deleted: address.to_string(), objects: removed }).await?;
    Ok(Exit::Done)
}

/// Deletes everything under the address, a transaction at a time, and counts it in `removed`.
async fn remove_under(
    address: &BranchTreeAddress,
    client: &Client,
    removed: &mut u64,
) -> Result<(), Failure> {
    let reference = staged(&address.reference)?;
    let open = |after| {
        client.stream_objects(StreamObjects {
            repository: address.repository.clone(),
            reference: reference.clone(),
            prefix: address.path.clone(),
            delimiter: None,
            after,
        })
    };
    let listed = resumed(open, path_of).map_ok(|item| ObjectPath::existing(path_of(&item)));
    let mut batches = pin!(listed.try_chunks(TRANSACTION_OPERATIONS));
    while let Some(batch) = batches.next().await {
        let paths: Vec<ObjectPath> =
            batch.map_err(|broken| broken.1)?.into_iter().collect::<Result<_, _>>()?;
        let existed = client.delete_objects(&address.repository, &address.reference, paths).await?;
        *removed += existed.iter().filter(|existed| **existed).count() as u64;
    }
    Ok(())
}

fn nothing_at(address: &BranchTreeAddress, message: fmt::Arguments<'_>) -> Failure {
    Error::new(Code::ObjectNotFound, address.path.as_str(), message.to_string()).into()
}

/// The branch with its uncommitted changes.
fn staged(branch: &BranchName) -> Result<RefExpression, Error> {
    RefExpression::parse(&format!("{branch}$"))
}

/// A directory ends in a slash, whether it was given or not.
fn directory(path: &PathPrefix) -> Result<PathPrefix, Error> {
    if path.is_empty() || path.as_str().ends_with('/') {
        return Ok(path.clone());
    }
    PathPrefix::new(format!("{path}/"))
}

fn path_of(item: &ListItem) -> &str {
    match item {
        ListItem::Object(object) => object.path.as_str(),
        ListItem::CommonPrefix(prefix) => prefix.as_str(),
    }
}

/// How much was deleted.
#[derive(Serialize)]
struct RemovedView {
    deleted: String,
    objects: u64,
}

impl fmt::Display for RemovedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "deleted {} under {}", Count(self.objects, "object"), Plain(&self.deleted))
    }
}
