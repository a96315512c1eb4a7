//! `cp`: showing an object at another path.

use std::fmt;

use braid_client::{CopyObject, ObjectMetadata};
use braid_types::ObjectPath;
use clap::Args;
use serde::Serialize;

use crate::address::{BranchTreeAddress, ObjectAddress};
use crate::arguments::{Pair, etag, map, pair};
use crate::commands::mv::object_destination;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::Plain;

/// Arguments of `cp`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid cp braid://lake/main/data/a.csv braid://lake/main/data/b.csv
  braid cp braid://lake/v1.0/data/a.csv braid://lake/main/old/
  braid cp braid://lake/main/a.csv braid://lake/main/a.csv --meta color=red

The data is not copied: both paths share it. The source may be at any ref of the repository; of a branch it is what is seen on it
now, with uncommitted changes. A destination that ends in a slash takes the last part of the source's name.")]
pub struct Cp {
    /// braid://repository/ref/path
    source: ObjectAddress,

    /// braid://repository/branch/path, in the same repository
    destination: BranchTreeAddress,

    /// A key and a value that the copy has, in place of all those of the source; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,

    /// Refuse where there is an object already
    #[arg(long, visible_alias = "no-overwrite", conflicts_with_all = ["if_etag", "if_generation"])]
    if_absent: bool,

    /// Refuse unless the object at the destination now has this etag, as `braid stat` shows it
    #[arg(long, value_name = "ETAG", value_parser = etag)]
    if_etag: Option<String>,

    /// Refuse unless this version of the object is at the destination now, as `braid stat` shows it, or none for 0
    #[arg(long, value_name = "N", conflicts_with = "if_etag")]
    if_generation: Option<u64>,
}

impl Cp {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let Self { source, destination, metadata, if_absent, if_etag, if_generation } = self;
        if source.repository != destination.repository {
            let message = format!("'{source}' and '{destination}' are not in one repository");
            return Err(Failure::Usage(message));
        }
        let path = object_destination(source.path.as_str(), destination.path.as_str());
        let request = CopyObject {
            repository: source.repository.clone(),
            reference: source.reference.clone(),
            source: source.path.clone(),
            branch: destination.reference.clone(),
            path: ObjectPath::new(path)?,
            metadata: (!metadata.is_empty()).then(|| ObjectMetadata { entries: map(metadata) }),
            if_absent,
            if_etag,
            if_generation,
        };
        let object = session.client.copy_object(request).await?;
        let to = format!("braid://{}/{}/{}", destination.repository, destination.reference, object.path);
        session.console.report(&CopiedView { copied: source.to_string(), to }).await?;
        Ok(Exit::Done)
    }
}

/// What was copied.
#[derive(Serialize)]
struct CopiedView {
    copied: String,
    to: String,
}

impl fmt::Display for CopiedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "copied {} to {}", Plain(&self.copied), Plain(&self.to))
    }
}
