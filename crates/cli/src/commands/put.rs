//! `put`: files become objects.

use std::fs;
use std::io::Seek;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use braid_client::{Body, Object, UploadOptions};
use braid_types::{ObjectPath, PathPrefix};
use clap::Args;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::address::BranchTreeAddress;
use crate::arguments::{Pair, etag, map, pair};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::transfer::{LocalFile, Meter, Outcome, Sending, Tally, open, send_all, send_one};

/// Arguments of `put`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid put a.csv braid://lake/main/data/a.csv
  braid put a.csv braid://lake/main/data/
  braid put data braid://lake/main/data/ --parallel 32
  gzip -c a.csv | braid put - braid://lake/main/data/a.csv.gz
  braid put a.csv braid://lake/main/data/a.csv --if-absent

A folder is uploaded with everything in it, in transactions of up to 1,000 files. Files that cannot be read, and those whose
names are not UTF-8 or too long, are named; the rest is uploaded, and the exit code is 3. Symlinks are left out and named,
which is no failure, unless --follow is given.")]
pub struct Put {
    /// File or folder to upload; `-` is standard input
    source: PathBuf,

    /// braid://repository/branch/path; after a path that ends in a slash comes the name of the file
    target: BranchTreeAddress,

    /// Upload a folder; this goes without saying
    #[arg(long, short)]
    recursive: bool,

    /// Follow symlinks in a folder
    #[arg(long)]
    follow: bool,

    /// Files to upload at a time
    #[arg(long, value_name = "N", default_value = "16")]
    parallel: NonZeroUsize,

    /// MIME type to store with the data
    #[arg(long, value_name = "TYPE", default_value = "", hide_default_value = true)]
    content_type: String,

    /// A key and a value to store with each object; may be given again
    #[arg(long = "meta", value_name = "KEY=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,

    /// Refuse where there is an object already
    #[arg(long, visible_alias = "no-overwrite", conflicts_with_all = ["if_etag", "if_generation"])]
    if_absent: bool,

    /// Refuse unless the object there now has this etag, as `braid stat` shows it; for one file
    #[arg(long, value_name = "ETAG", value_parser = etag)]
    if_etag: Option<String>,

    /// Refuse unless this version of the object is there now, as `braid stat` shows it, or none for 0; for one file
    #[arg(long, value_name = "N", conflicts_with = "if_etag")]
    if_generation: Option<u64>,
}

impl Put {
    pub(crate) async fn run(self, mut session: Session<'_>) -> Result<Exit, Failure> {
        if self.source.as_os_str() == "-" {
            return Box::pin(self.send_stdin(&mut session)).await;
        }
        let shown = self.source.display();
        let found = fs::metadata(&self.source).map_err(Failure::local(format!("read '{shown}'")))?;
        match found.file_type() {
            kind if kind.is_dir() => Box::pin(self.send_folder(&mut session)).await,
            kind if kind.is_file() => Box::pin(self.send_file(&mut session, found.len())).await,
            _ => Err(Failure::Unfit(format!(
                "'{shown}' is neither a file nor a folder; `-` reads from a pipe"
            ))),
        }
    }

    async fn send_stdin(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let path = path_of(&self.target, None)?;
        let body = spooled(session).await?;
        let meter = Meter::start(session.console, Some(body.size()));
        let sending = self.sending(&session.client, meter);
        let what = format!("upload to '{path}'");
        let sent = send_one(&sending, path, &body, async { Ok(()) }).await;
        let object = sent.map_err(|trouble| trouble.alone(&what))?;
        report(object, session).await
    }

    async fn send_file(self, session: &mut Session<'_>, size: u64) -> Result<Exit, Failure> {
        let path = path_of(&self.target, Some(&self.source))?;
        let what = format!("upload '{}'", self.source.display());
        let file = LocalFile { path: self.source.clone(), size, follow: true };
        let opened = open(file).await.map_err(|trouble| trouble.alone(&what))?;
        let meter = Meter::start(session.console, Some(size));
        let sending = self.sending(&session.client, meter);
        let body = opened.body();
        let sent = send_one(&sending, path, &body, opened.check_unchanged()).await;
        let object = sent.map_err(|trouble| trouble.alone(&what))?;
        report(object, session).await
    }

    async fn send_folder(self, session: &mut Session<'_>) -> Result<Exit, Failure> {
        let about_one =
            [("--if-etag", self.if_etag.is_some()), ("--if-generation", self.if_generation.is_some())];
        if let Some((option, _)) = about_one.into_iter().find(|(_, given)| *given) {
            let shown = self.source.display();
            return Err(Failure::Usage(format!("{option} is about one object, and '{shown}' is a folder")));
        }
        let prefix = prefix_of(&self.target.path)?;
        let meter = Meter::start(session.console, None);
        let mut tally = Tally::new("uploaded");
        let sending = self.sending(&session.client, meter);
        let sent = send_all(&sending, &self.source, self.follow, &prefix, &mut tally, session.console).await;
        if sent.is_err() {
            tally.break_off(session.console);
        }
        sent?;
        tally.finish(session.console).await
    }

    fn sending<'a>(&'a self, client: &'a braid_client::Client, meter: Meter) -> Sending<'a> {
        let options = UploadOptions {
            content_type: self.content_type.clone(),
            metadata: map(self.metadata.clone()),
            if_absent: self.if_absent,
            if_etag: self.if_etag.clone(),
            if_generation: self.if_generation,
            progress: None,
        };
        Sending {
            client,
            repository: &self.target.repository,
            branch: &self.target.reference,
            options,
            meter,
            parallel: self.parallel.get(),
            permits: Semaphore::new(self.parallel.get()),
        }
    }
}

async fn report(object: Object, session: &mut Session<'_>) -> Result<Exit, Failure> {
    session.console.bar.finish_and_clear();
    let done = Outcome::Done { path: object.path.as_str().to_owned(), size: object.entry.size };
    session.console.report(&done).await?;
    Ok(Exit::Done)
}

/// All of standard input, in a file without a name: an upload may have to begin anew, and needs its size beforehand.
async fn spooled(session: &mut Session<'_>) -> Result<Body, Failure> {
    let file = tempfile::tempfile().map_err(Failure::local("make a temporary file"))?;
    let mut spool = tokio::fs::File::from_std(file);
    let copied = tokio::io::copy(&mut session.stdin, &mut spool).await;
    copied.map_err(Failure::local("read standard input"))?;
    spool.flush().await.map_err(Failure::local("write a temporary file"))?;
    let mut file = spool.into_std().await;
    file.rewind().map_err(Failure::local("read a temporary file"))?;
    Body::from_file(file).map_err(Failure::local("read a temporary file"))
}

/// The path that one file is for. A directory takes the file's own name.
fn path_of(target: &BranchTreeAddress, source: Option<&Path>) -> Result<ObjectPath, Failure> {
    let path = target.path.as_str();
    if !path.is_empty() && !path.ends_with('/') {
        return Ok(ObjectPath::new(path)?);
    }
    let Some(source) = source else {
        return Err(Failure::Usage(format!("standard input has no name: give '{target}' a whole path")));
    };
    match source.file_name().map(|name| name.to_str()) {
        Some(Some(name)) => Ok(ObjectPath::new(format!("{path}{name}"))?),
        Some(None) => Err(Failure::Unfit(format!("the name of '{}' is not UTF-8", source.display()))),
        None => {
            Err(Failure::Usage(format!("'{}' has no name of its own: give a whole path", source.display())))
        }
    }
}

/// What the paths of a folder begin with.
fn prefix_of(path: &PathPrefix) -> Result<PathPrefix, Failure> {
    if path.is_empty() || path.as_str().ends_with('/') {
        return Ok(path.clone());
    }
    Ok(PathPrefix::new(format!("{path}/"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(target: &str, source: Option<&str>) -> Result<String, Failure> {
        path_of(&target.parse().unwrap(), source.map(Path::new)).map(|path| path.as_str().to_owned())
    }

    #[test]
    fn directories_take_the_name_of_the_file() {
        assert_eq!(path("braid://lake/main/a/b", Some("x/c")).unwrap(), "a/b");
        assert_eq!(path("braid://lake/main/a/", Some("x/c")).unwrap(), "a/c");
        assert_eq!(path("braid://lake/main", Some("c")).unwrap(), "c");
        assert!(matches!(path("braid://lake/main/a/", None), Err(Failure::Usage(_))));
        assert!(matches!(path("braid://lake/main/a/", Some("..")), Err(Failure::Usage(_))));
    }
}
