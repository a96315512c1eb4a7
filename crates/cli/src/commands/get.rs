//! `get`: objects become files.

use std::num::NonZeroUsize;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use braid_client::{Client, Download};
use braid_types::{Code, Error, ObjectPath, PathPrefix, Random};
use clap::Args;

use crate::address::{ObjectAddress, TreeAddress};
use crate::commands::cat::print;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::transfer::{Fetching, LocalName, Meter, Outcome, Tally, Target, fetch_all, fetch_one};

/// Arguments of `get`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid get braid://lake/main/data/a.csv
  braid get braid://lake/main/data/a.csv b.csv
  braid get braid://lake/main/data/a.csv -
  braid get braid://lake/v1.0/data/ data --parallel 32

A path that ends in a slash, or at which there is no object, is a directory, and so is every path with -r. Files appear when
they are whole; files of the same name are replaced. Nothing is written outside of the folder: objects whose names a folder
cannot hold are named, the rest is fetched, and the exit code is 3.")]
pub struct Get {
    /// braid://repository/ref/path for an object, braid://repository/ref/directory/ for a directory
    source: TreeAddress,

    /// File or folder to write; `-` is standard output
    #[arg(default_value = ".")]
    target: PathBuf,

    /// Take the path as a directory
    #[arg(long, short)]
    recursive: bool,

    /// Files to fetch at a time
    #[arg(long, value_name = "N", default_value = "16")]
    parallel: NonZeroUsize,
}

impl Get {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<Exit, Failure> {
        let is_directory = self.recursive || is_directory(&self.source.path);
        if self.target.as_os_str() == "-" {
            return print(&self.object(is_directory)?, session).await;
        }
        if is_directory {
            return self.fetch_directory(&mut session, None).await;
        }
        let object = self.object(false)?;
        let found =
            session.client.get_download_url(&object.repository, &object.reference, &object.path).await;
        match found {
            Ok(download) => Box::pin(self.fetch_object(&mut session, download)).await,
            Err(error) if error.code() == Code::ObjectNotFound => {
                self.fetch_directory(&mut session, Some(error)).await
            }
            Err(error) => Err(error.into()),
        }
    }

    fn object(&self, is_directory: bool) -> Result<ObjectAddress, Failure> {
        let TreeAddress { repository, reference, path } = self.source.clone();
        if is_directory {
            return Err(Failure::Usage(format!(
                "'{}' is a directory, and '-' takes one object",
                self.source
            )));
        }
        Ok(ObjectAddress { repository, reference, path: ObjectPath::existing(path.as_str())? })
    }

    async fn fetch_object(self, session: &mut Session<'_>, download: Download) -> Result<Exit, Failure> {
        let path = download.object.path.as_str().to_owned();
        let (target, name) = place(&self.target, &path)?;
        let meter = Meter::start(session.console, Some(download.object.entry.size));
        let fetching = self.fetching(&session.client, &*session.random, meter);
        let what = format!("download '{path}'");
        let fetched = fetch_one(&fetching, &target, name, download).await;
        let size = fetched.map_err(|trouble| trouble.alone(&what))?;
        session.console.bar.finish_and_clear();
        session.console.report(&Outcome::Done { path, size }).await?;
        Ok(Exit::Done)
    }

    /// Fetches everything in the directory. If there is nothing, that is an error: `missing`, if an object was looked for
    /// before.
    async fn fetch_directory(
        self,
        session: &mut Session<'_>,
        missing: Option<Error>,
    ) -> Result<Exit, Failure> {
        let prefix = directory(&self.source.path)?;
        let target = Target::created(&self.target)?;
        let meter = Meter::start(session.console, None);
        let fetching = self.fetching(&session.client, &*session.random, meter);
        let (mut tally, parallel) = (Tally::new("downloaded"), self.parallel.get());
        let fetched = fetch_all(&fetching, &prefix, &target, parallel, &mut tally, session.console).await;
        if fetched.is_err() {
            tally.break_off(session.console);
        }
        fetched?;
        if tally.is_empty() {
            return Err(missing.unwrap_or_else(|| nothing(&self.source)).into());
        }
        tally.finish(session.console).await
    }

    fn fetching<'a>(&'a self, client: &'a Client, random: &'a dyn Random, meter: Meter) -> Fetching<'a> {
        let (repository, reference) = (&self.source.repository, self.source.reference.clone());
        Fetching { client, repository, reference, random, meter }
    }
}

fn is_directory(path: &PathPrefix) -> bool {
    path.is_empty() || path.as_str().ends_with('/')
}

fn directory(path: &PathPrefix) -> Result<PathPrefix, Error> {
    if is_directory(path) { Ok(path.clone()) } else { PathPrefix::new(format!("{path}/")) }
}

fn nothing(source: &TreeAddress) -> Error {
    let message = format!("there is nothing under '{source}'");
    Error::new(Code::ObjectNotFound, source.path.as_str(), message)
}

/// The folder and the name in it that the object at `path` is written to: a folder takes the last part of the path.
fn place(target: &Path, path: &str) -> Result<(Target, LocalName), Failure> {
    if target.is_dir() || target.as_os_str().as_bytes().ends_with(b"/") {
        let last = path.rsplit('/').next().unwrap_or(path);
        let name = LocalName::new(last).map_err(|refusal| {
            Failure::Unfit(format!("cannot download '{path}' into a folder: {refusal}"))
        })?;
        return Ok((Target::existing(target)?, name));
    }
    let Some(file) = target.file_name() else {
        return Err(Failure::Usage(format!("'{}' is no name for a file", target.display())));
    };
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    Ok((Target::existing(folder)?, LocalName { folders: Vec::new(), file: file.to_owned() }))
}
