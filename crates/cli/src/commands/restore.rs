//! `restore`: references from a dump.

use std::path::PathBuf;

use braid_client::{RefsManifest, RestoreEvent, RestoreRefs};
use braid_types::{BranchName, MetarangeId};
use clap::Args;
use futures::StreamExt;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::address::RepositoryAddress;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gauge::Gauge;
use crate::session::Session;
use crate::view::{RefsProgressView, RestoreView};

/// A manifest longer than this is none, in bytes.
const MANIFEST_BYTES: u64 = 64 << 10;

/// Said where the manifest of a place that another installation held was found in it: there may be a newer dump.
const FOUND_MANIFEST: &str = "this is the dump that the manifest in the storage namespace names; `lakectl refs-dump` does not write it \
                              but prints its own, for --manifest";

/// Arguments of `restore`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid restore lake
  braid restore lake --manifest refs_manifest.json
  braid restore lake --storage-namespace s3://bucket/lake
  lakectl refs-dump lakefs://lake | braid restore lake --storage-namespace s3://bucket/theirs --take-over --manifest -

Restores commits, branches and tags from a dump that Braid or lakeFS wrote into a storage namespace (`braid dump`, `lakectl refs-dump`),
with the same commit ids. lakectl prints the manifest of its dump and does not store it: one that is in the namespace is of another dump,
and older. The repository must be empty: nothing but its first commit, nothing uncommitted. With --storage-namespace it is made,
over a place that has a dump and the trees. --take-over takes a place that lakeFS, or another installation of Braid, holds: it must not
write there any more.

Every file and every commit is checked against its hash before it is used. Nothing is seen before all of it is; a restore that is interrupted
or fails is simply run again. The trees that the commits refer to are not read: `braid fsck REPOSITORY --history` does that.")]
pub struct Restore {
    /// braid://repository, or just its name
    repository: RepositoryAddress,

    /// The manifest of the dump, `-` for standard input; the one in the storage namespace if it is not given
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,

    /// Make the repository over this place, which has a dump
    #[arg(long, value_name = "URI")]
    storage_namespace: Option<String>,

    /// The default branch of the repository that is made, one of the dump's; `main` or the only branch if it is not given
    #[arg(long, value_name = "NAME", requires = "storage_namespace")]
    default_branch: Option<BranchName>,

    /// Take the place though another installation holds it
    #[arg(long, requires = "storage_namespace")]
    take_over: bool,
}

impl Restore {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let Session { client, console, stdin, .. } = session;
        let manifest = match &self.manifest {
            Some(path) => Some(read_manifest(path, stdin).await?),
            None => None,
        };
        let is_by_found_manifest = self.take_over && manifest.is_none();
        let mut events = client.restore_refs(RestoreRefs {
            repository: self.repository.0,
            manifest,
            storage_namespace: self.storage_namespace,
            default_branch: self.default_branch,
            take_over: self.take_over,
        });
        let gauge = Gauge::start(console);
        while let Some(event) = events.next().await {
            match event? {
                RestoreEvent::Progress(progress) => gauge.tell(&RefsProgressView::restored(progress)),
                RestoreEvent::Done(restored) => {
                    console.bar.finish_and_clear();
                    if is_by_found_manifest {
                        console.note(FOUND_MANIFEST);
                    }
                    console.report(&RestoreView::from(restored)).await?;
                    return Ok(Exit::Done);
                }
            }
        }
        Err(Failure::cut_off("restore"))
    }
}

/// A manifest as `dump`, `lakectl refs-dump` and storage namespaces have it.
#[derive(Deserialize)]
struct ManifestFile {
    commits_meta_range_id: String,
    branches_meta_range_id: String,
    tags_meta_range_id: String,
}

async fn read_manifest(
    path: &PathBuf,
    stdin: Box<dyn AsyncRead + Send + Unpin>,
) -> Result<RefsManifest, Failure> {
    let what = format!("read '{}'", path.display());
    let source: Box<dyn AsyncRead + Send + Unpin> = if path.as_os_str() == "-" {
        stdin
    } else {
        Box::new(tokio::fs::File::open(path).await.map_err(Failure::local(what.clone()))?)
    };
    let mut text = Vec::new();
    source.take(MANIFEST_BYTES).read_to_end(&mut text).await.map_err(Failure::local(what))?;
    parse_manifest(&text).map_err(|reason| {
        Failure::Unfit(format!("'{}' is not a manifest of a dump: {reason}", path.display()))
    })
}

fn parse_manifest(text: &[u8]) -> Result<RefsManifest, String> {
    let file: ManifestFile = serde_json::from_slice(text).map_err(|error| error.to_string())?;
    let id = |id: String| id.parse::<MetarangeId>().map_err(|error| error.to_string());
    Ok(RefsManifest {
        commits_meta_range_id: id(file.commits_meta_range_id)?,
        branches_meta_range_id: id(file.branches_meta_range_id)?,
        tags_meta_range_id: id(file.tags_meta_range_id)?,
    })
}
