//! `mv`: moving an object or a directory.

use std::fmt;

use braid_client::{MoveDirectory, MoveObject};
use braid_types::{Code, Error, ObjectPath, PathPrefix};
use clap::Args;
use serde::Serialize;

use crate::address::{BranchTreeAddress, directory};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::Session;
use crate::text::Plain;

/// Arguments of `mv`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  braid mv braid://lake/main/data/a.csv braid://lake/main/data/b.csv
  braid mv braid://lake/main/data/a.csv braid://lake/main/old/
  braid mv braid://lake/main/2025/ braid://lake/main/archive/2025/

A source that ends in a slash is a directory: what is in it is then in the destination, whether or not that ends in a slash,
and an object that only begins like it stays. A source without one is the object of that name or, if there is none, the
directory. An object that is moved to a destination that ends in a slash keeps the last part of its name there.

A directory is moved at once, whatever it holds. What is at the destination is in the way: with --overwrite it is lost, for a
directory everything in it.")]
pub struct Mv {
    /// braid://repository/branch/path
    source: BranchTreeAddress,

    /// braid://repository/branch/path, on the same branch
    destination: BranchTreeAddress,

    /// Lose what is at the destination
    #[arg(long)]
    overwrite: bool,
}

impl Mv {
    pub(crate) async fn run(self, session: Session<'_>) -> Result<Exit, Failure> {
        self.check()?;
        let moved = if self.source.path.as_str().ends_with('/') {
            self.move_directory(&session).await?
        } else {
            match self.move_object(&session).await {
                Err(Failure::Service(error)) if error.code() == Code::ObjectNotFound => {
                    self.move_directory(&session).await.map_err(|failure| self.neither(failure))?
                }
                moved => moved?,
            }
        };
        session.console.report(&moved).await?;
        Ok(Exit::Done)
    }

    fn check(&self) -> Result<(), Failure> {
        let Self { source, destination, .. } = self;
        if source.path.is_empty() {
            return Err(Failure::Usage(format!("'{source}' names no object and no directory")));
        }
        if (&source.repository, &source.reference) != (&destination.repository, &destination.reference) {
            let message = format!("'{source}' and '{destination}' are not on one branch");
            return Err(Failure::Usage(message));
        }
        Ok(())
    }

    async fn move_object(&self, session: &Session<'_>) -> Result<MovedView, Failure> {
        let source = ObjectPath::existing(self.source.path.as_str())?;
        let destination = object_destination(source.as_str(), self.destination.path.as_str());
        let request = MoveObject {
            repository: self.source.repository.clone(),
            branch: self.source.reference.clone(),
            source,
            destination: ObjectPath::existing(destination)?,
            overwrite: self.overwrite,
        };
        let destination = PathPrefix::new(request.destination.as_str())?;
        session.client.move_object(request).await?;
        Ok(self.moved(self.source.path.clone(), destination))
    }

    async fn move_directory(&self, session: &Session<'_>) -> Result<MovedView, Failure> {
        let (source, destination) = (directory(&self.source.path)?, directory(&self.destination.path)?);
        if destination.is_empty() {
            let message = format!("'{}' names no directory to move to", self.destination);
            return Err(Failure::Usage(message));
        }
        let request = MoveDirectory {
            repository: self.source.repository.clone(),
            branch: self.source.reference.clone(),
            source: source.clone(),
            destination: destination.clone(),
            overwrite: self.overwrite,
        };
        session.client.move_directory(request).await?;
        Ok(self.moved(source, destination))
    }

    fn moved(&self, source: PathPrefix, destination: PathPrefix) -> MovedView {
        let address = |path| BranchTreeAddress { path, ..self.source.clone() }.to_string();
        MovedView { moved: address(source), to: address(destination) }
    }

    /// What is said when neither an object nor a directory was found.
    fn neither(&self, failure: Failure) -> Failure {
        match failure {
            Failure::Service(error) if error.code() == Code::ObjectNotFound => {
                let message = format!("there is no object and no directory '{}'", self.source);
                Error::new(Code::ObjectNotFound, self.source.path.as_str(), message).into()
            }
            other => other,
        }
    }
}

/// Into a directory an object takes the last part of its name along.
pub(super) fn object_destination(source: &str, destination: &str) -> String {
    if !destination.is_empty() && !destination.ends_with('/') {
        return destination.to_owned();
    }
    let name = source.rsplit('/').next().unwrap_or(source);
    format!("{destination}{name}")
}

/// What was moved.
#[derive(Serialize)]
struct MovedView {
    moved: String,
    to: String,
}

impl fmt::Display for MovedView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "moved {} to {}", Plain(&self.moved), Plain(&self.to))
    }
}
