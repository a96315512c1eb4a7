//! `import`: objects that are already in a bucket get paths on a branch.

use std::time::Duration;

use braid_client::{
    Client, Import as Found, ImportCommit, ImportSource, ImportSourceKind, ImportStatus, StartImport,
};
use braid_types::{Code, Error, ImportId, RepositoryName};
use clap::Args;

use crate::address::{BranchTreeAddress, directory};
use crate::arguments::{Pair, map, pair};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::gauge::Gauge;
use crate::session::Session;
use crate::view::ImportView;

/// How often the server is asked how far it is.
const ASKED: Duration = Duration::from_millis(300);

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid import s3://bucket/raw/ braid://lake/main/raw/ -m 'Import raw data'
  braid import s3://bucket/raw/a.csv braid://lake/main/a.csv --object
  braid import s3://bucket/raw/ braid://lake/main/raw/ --detach
  braid import --follow 5f0c… braid://lake/main/

No data is copied: the paths refer to the objects where they are. All objects whose addresses begin with the URI are listed, and what
follows its last slash in an address comes after the destination, a directory. What that had before is replaced. It is all seen at
once, or not at all. With -m it becomes a commit, which needs a branch without uncommitted changes; without, it stays uncommitted.

The server does the work: an interrupt cancels it, and with --detach the command ends when it has begun. --follow waits for one that
goes on, which an interrupt leaves alone. Objects that are changed or deleted in the bucket later are changed or lost here as well.")]
pub struct Import {
    /// s3://bucket/prefix, or with --follow the id of an import
    source: String,

    /// braid://repository/branch/directory/
    destination: BranchTreeAddress,

    /// Import the one object of this name, to a path
    #[arg(long, conflicts_with = "follow")]
    object: bool,

    /// Commit it, and say this of it
    #[arg(long, short, conflicts_with = "follow")]
    message: Option<String>,

    /// A key and a value to go with the commit; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair, requires = "message")]
    metadata: Vec<Pair>,

    /// Do not wait for its end
    #[arg(long)]
    detach: bool,

    /// Wait for the end of an import that was begun before
    #[arg(long, conflicts_with = "detach")]
    follow: bool,
}

impl Import {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        let repository = self.destination.repository.clone();
        let Self { follow, detach, .. } = self;
        let found = match follow {
            true => session.client.get_import(&repository, self.source.parse()?).await?,
            false => session.client.start_import(self.request()?).await?,
        };
        if detach {
            session.console.report(&ImportView::from(found)).await?;
            return Ok(Exit::Done);
        }
        if !follow {
            session.farewell.set(cancel(session.client.clone(), repository.clone(), found.id));
        }
        let gauge = Gauge::start(session.console);
        let ended = wait(&session.client, &repository, found, &gauge).await?;
        session.farewell.clear();
        session.console.bar.finish_and_clear();
        if let Some(error) = failure(&ended) {
            return Err(error.into());
        }
        session.console.report(&ImportView::from(ended)).await?;
        Ok(Exit::Done)
    }

    fn request(self) -> Result<StartImport, Failure> {
        let (kind, destination) = match self.object {
            true => (ImportSourceKind::Object, self.destination.path.to_string()),
            false => (ImportSourceKind::Prefix, directory(&self.destination.path)?.to_string()),
        };
        let metadata = map(self.metadata);
        Ok(StartImport {
            repository: self.destination.repository,
            branch: self.destination.reference,
            sources: vec![ImportSource { kind, uri: self.source, destination }],
            commit: self.message.map(|message| ImportCommit { message, metadata }),
        })
    }
}

/// Asks until the import is over.
async fn wait(
    client: &Client,
    repository: &RepositoryName,
    mut found: Found,
    gauge: &Gauge,
) -> Result<Found, Failure> {
    while found.status == ImportStatus::Running {
        gauge.tell(&format_args!("imported {} objects", found.objects));
        tokio::time::sleep(ASKED).await;
        found = client.get_import(repository, found.id).await?;
    }
    Ok(found)
}

/// After an interrupt: what is over by then stays.
async fn cancel(client: Client, repository: RepositoryName, id: ImportId) {
    let _ = client.cancel_import(&repository, id).await;
}

fn failure(ended: &Found) -> Option<Error> {
    let id = ended.id.to_hex();
    match ended.status {
        ImportStatus::Running | ImportStatus::Finished => None,
        ImportStatus::Cancelled => {
            let message = format!("import '{id}' was cancelled: nothing was changed");
            Some(Error::new(Code::ImportOver, id, message))
        }
        ImportStatus::Failed => {
            let code = ended.error_code.as_deref().and_then(Code::from_name).unwrap_or(Code::Internal);
            Some(Error::new(code, id, ended.error_message.clone().unwrap_or_default()))
        }
    }
}
