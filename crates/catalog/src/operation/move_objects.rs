//! Moving: a directory, whatever it holds, or one object.

use std::collections::BTreeMap;

use async_trait::async_trait;
use braid_tree::Value;
use braid_types::{BranchName, Code, Error, ObjectPath, PathPrefix, RepositoryName, Result, limits};
use bytes::Bytes;

use super::restructure::{Decision, Plan, Scene};
use super::small_directory::Contents;
use super::stage::StagedOperation;
use crate::catalog::Catalog;
use crate::mutation::Mutation;
use crate::record::Layer;

/// A directory to move: both names end in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MoveDirectory {
    /// The branch.
    pub branch: BranchName,
    /// The directory.
    pub source: PathPrefix,
    /// Its new name.
    pub destination: PathPrefix,
    /// Whether what is in the destination may be lost.
    pub overwrite: bool,
}

impl Catalog {
    /// Renames a directory in one transaction, whose cost does not depend on what is in it.
    ///
    /// # Errors
    /// [`Code::InvalidPath`] if a name is no directory's, or a path would become too long; [`Code::IntoItself`];
    /// [`Code::ObjectNotFound`] if nothing is in the source; [`Code::DestinationExists`]; [`Code::Busy`] if the branch has
    /// too many layers already.
    pub async fn move_directory(
        &self,
        repository: &RepositoryName,
        what: &MoveDirectory,
        mutation: &Mutation,
    ) -> Result<()> {
        check_directory(&what.source)?;
        check_directory(&what.destination)?;
        check_apart(&what.source, &what.destination)?;
        let overwrite = if what.overwrite { "overwrite" } else { "" };
        let (source, destination) = (what.source.as_str(), what.destination.as_str());
        let arguments = [repository.as_str(), what.branch.as_str(), source, destination, overwrite];
        let request = mutation.of("move directory", &arguments);
        self.restructure(repository, &what.branch, &request, what).await.map(|_| ())
    }

    /// Moves one object.
    ///
    /// # Errors
    /// [`Code::IntoItself`]; [`Code::ObjectNotFound`] if there is no object; [`Code::DestinationExists`] if there is one at
    /// the destination, which may not be overwritten.
    pub async fn move_object(
        &self,
        repository: &RepositoryName,
        branch: &BranchName,
        [source, destination]: [ObjectPath; 2],
        overwrite: bool,
        mutation: &Mutation,
    ) -> Result<()> {
        let operation = StagedOperation::Move { source, destination, overwrite };
        self.stage(repository, branch, &[operation], mutation).await.map(|_| ())
    }
}

#[async_trait]
impl Plan for MoveDirectory {
    async fn decide(&self, scene: &Scene<'_>) -> Result<Decision> {
        let source = scene.contents(self.source.as_bytes()).await?;
        if source.is_empty() {
            let message = format!("there is nothing under '{}' on branch '{}'", self.source, self.branch);
            return Err(Error::new(Code::ObjectNotFound, self.source.as_str(), message));
        }
        let destination = scene.contents(self.destination.as_bytes()).await?;
        if let (Some(first), false) = (destination.entries().first(), self.overwrite) {
            return Err(taken(&first.key, self.destination.as_str()));
        }
        self.check_lengths(&source)?;
        Ok(match (source, destination) {
            (Contents::Few(source), Contents::Few(destination)) => {
                let mut entries: BTreeMap<Bytes, Option<Value>> = BTreeMap::new();
                entries.extend(destination.into_iter().map(|entry| (entry.key, None)));
                entries.extend(source.iter().map(|entry| (entry.key.clone(), None)));
                entries.extend(source.into_iter().map(|entry| (self.moved(&entry.key), Some(entry.value))));
                Decision::Rewrite(entries.into_iter().collect())
            }
            _ => Decision::Push(Layer::Moved { from: self.source.clone(), to: self.destination.clone() }),
        })
    }
}

impl MoveDirectory {
    fn moved(&self, path: &[u8]) -> Bytes {
        let rest = path.strip_prefix(self.source.as_bytes()).expect("it was listed under the source");
        [self.destination.as_bytes(), rest].concat().into()
    }

    /// Refuses paths that would be too long, as far as they were looked at. What a whole directory holds is known when it
    /// is committed, and refused there: neither ranges nor their descriptions tell their longest path, in a format that others
    /// read too, and a length kept in the branch would be lost with every tree that comes from elsewhere by a merge, an import
    /// or a restore.
    fn check_lengths(&self, source: &Contents) -> Result<()> {
        let paths = source.entries().iter().map(|entry| self.moved(&entry.key));
        paths.into_iter().try_for_each(|path| check_moved_path(&path))
    }
}

/// Refuses a path that is longer than one may become by moves.
pub(super) fn check_moved_path(path: &[u8]) -> Result<()> {
    let most = limits::MOVED_PATH_BYTES;
    if path.len() <= most {
        return Ok(());
    }
    let shown = String::from_utf8_lossy(&path[..60]).into_owned();
    let message = format!("path '{shown}…' would have {} bytes; moves may make it {most} long", path.len());
    Err(Error::new(Code::InvalidPath, shown, message))
}

/// Refuses a name that is no directory's.
pub(super) fn check_directory(prefix: &PathPrefix) -> Result<()> {
    if prefix.as_str().ends_with('/') {
        return Ok(());
    }
    let message = format!("'{prefix}' is no directory: its name must end in '/'");
    Err(Error::new(Code::InvalidPath, prefix.as_str(), message))
}

fn check_apart(source: &PathPrefix, destination: &PathPrefix) -> Result<()> {
    let (from, to) = (source.as_str(), destination.as_str());
    if from == to {
        return Err(into_itself(from, format!("'{from}' cannot be moved to where it is")));
    }
    if to.starts_with(from) {
        return Err(into_itself(from, format!("'{from}' cannot be moved into itself, to '{to}'")));
    }
    if from.starts_with(to) {
        let message = format!("'{from}' cannot be moved to '{to}', which it is in");
        return Err(into_itself(from, message));
    }
    Ok(())
}

pub(super) fn into_itself(source: &str, message: String) -> Error {
    Error::new(Code::IntoItself, source, message)
}

fn taken(found: &[u8], destination: &str) -> Error {
    let found = String::from_utf8_lossy(found);
    let message = format!("there is an object '{found}' under '{destination}' already");
    Error::new(Code::DestinationExists, destination, message)
}
