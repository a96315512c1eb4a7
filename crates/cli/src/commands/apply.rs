//! `apply`: uploads, deletes, copies and checks on several branches, all or none.

use std::fmt;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use braid_client::{
    Apply as Request, ApplyOperation, ApplyResult, Client, Operation, Precondition, Rule, UploadOptions,
    UploadTarget,
};
use clap::Args;
use futures::{StreamExt, TryStreamExt, stream};
use serde::Serialize;

use crate::address::BranchObjectAddress;
use crate::commands::apply_lines::{Line, Put, parse};
use crate::commands::source::read_source;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::Plain;
use crate::transfer::{LocalFile, open};

/// Arguments of `apply`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid apply changes.jsonl
  make-changes | braid apply -

Each line is a JSON object, of one of four kinds:
  {\"op\": \"put\", \"address\": \"braid://lake/main/a.csv\", \"file\": \"local/a.csv\"}
  {\"op\": \"delete\", \"address\": \"braid://lake/other/b.csv\"}
  {\"op\": \"copy\", \"from\": \"braid://lake/v1/a.csv\", \"address\": \"braid://lake/main/old.csv\"}
  {\"op\": \"check\", \"address\": \"braid://lake/main/c.csv\", \"if_absent\": true}

A put may have `content_type` and `metadata` (an object of texts), and `if_absent`, `if_etag` or `if_generation`; a delete may
have `if_etag` or `if_generation`; a check has one of the three. A copy shares the data of another object of its repository;
it may have conditions like a put, and `metadata` in place of that object's. Files are uploaded first; then everything is done
in one transaction: up to 10,000 puts, deletes and copies on up to 1,000 branches, of one or several repositories. If one
condition does not hold, nothing is done, and it is named. Checks are about what is there before; the other conditions, and
copies from a branch, about what is there when their line's turn comes.")]
pub struct Apply {
    /// File with one JSON object a line; `-` is standard input
    source: PathBuf,

    /// Files to upload at a time
    #[arg(long, value_name = "N", default_value = "16")]
    parallel: NonZeroUsize,
}

impl Apply {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<Exit, Failure> {
        let lines = parse(&read_source(&self.source, &mut session).await?)?;
        let (addresses, request) = self.prepare(lines, &session.client).await?;
        let results = session.client.apply(request).await?;
        for ((op, address), result) in addresses.iter().zip(&results) {
            session.console.report(&AppliedView::new(op, address, result)).await?;
        }
        Ok(Exit::Done)
    }

    /// Uploads what is to be put. Gives what is done where, and the request.
    async fn prepare(
        &self,
        lines: Vec<Line>,
        client: &Client,
    ) -> Result<(Vec<(&'static str, BranchObjectAddress)>, Request), Failure> {
        let mut preconditions = Vec::new();
        let mut changes = Vec::new();
        for line in lines {
            match line {
                Line::Check(address, rule) => preconditions.push(precondition(address, rule)),
                change => changes.push(change),
            }
        }
        let done =
            stream::iter(changes).map(|change| operation(change, client)).buffered(self.parallel.get());
        let (addresses, operations) = done.try_collect::<Vec<_>>().await?.into_iter().unzip();
        Ok((addresses, Request { preconditions, operations }))
    }
}

fn precondition(address: BranchObjectAddress, rule: Rule) -> Precondition {
    Precondition { repository: address.repository, branch: address.reference, path: address.path, rule }
}

async fn operation(
    change: Line,
    client: &Client,
) -> Result<((&'static str, BranchObjectAddress), ApplyOperation), Failure> {
    let op = change.op();
    let (address, operation) = match change {
        Line::Put(put) => Box::pin(upload(put, client)).await?,
        Line::Delete(address, removal) => (address, Operation::Delete(removal)),
        Line::Copy(address, copy) => (address, Operation::Copy(copy)),
        Line::Check(..) => unreachable!("checks are no operations"),
    };
    let (repository, branch) = (address.repository.clone(), address.reference.clone());
    Ok(((op, address), ApplyOperation { repository, branch, operation }))
}

/// Sends the file of a put; nothing is seen of it yet.
async fn upload(put: Put, client: &Client) -> Result<(BranchObjectAddress, Operation), Failure> {
    let what = format!("upload '{}'", put.file.display());
    let size = tokio::fs::metadata(&put.file).await.map_err(Failure::local(what.clone()))?.len();
    let file = LocalFile { path: put.file, size, follow: true };
    let opened = open(file).await.map_err(|trouble| trouble.alone(&what))?;
    let options = UploadOptions {
        content_type: put.content_type.clone(),
        metadata: put.metadata,
        if_absent: put.if_absent,
        if_etag: put.if_etag,
        if_generation: put.if_generation,
        progress: None,
    };
    let target =
        UploadTarget { path: put.address.path.clone(), content_type: put.content_type, size: Some(size) };
    let (repository, branch) = (&put.address.repository, &put.address.reference);
    let place = client.create_upload(repository, branch, target).await?;
    let link = client.put(repository, branch, place, &opened.body(), &options).await?;
    opened.check_unchanged().await.map_err(|trouble| trouble.alone(&what))?;
    Ok((put.address, Operation::Put(link)))
}

/// What was done to one object.
#[derive(Serialize)]
struct AppliedView {
    op: &'static str,
    address: String,
    /// Whether there was something to delete.
    #[serde(skip_serializing_if = "Option::is_none")]
    existed: Option<bool>,
    /// The checksum of what was put or copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
}

impl AppliedView {
    fn new(op: &'static str, address: &BranchObjectAddress, result: &ApplyResult) -> Self {
        let address = address.to_string();
        match result {
            ApplyResult::Put(object) => {
                Self { op, address, existed: None, etag: Some(object.entry.checksum.clone()) }
            }
            ApplyResult::Deleted(existed) => Self { op, address, existed: Some(*existed), etag: None },
        }
    }
}

impl fmt::Display for AppliedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let done = match (self.op, self.existed) {
            ("put", _) => "put",
            ("copy", _) => "copied to",
            (_, Some(false)) => "nothing to delete at",
            _ => "deleted",
        };
        write!(f, "{done} {}", Plain(&self.address))
    }
}
