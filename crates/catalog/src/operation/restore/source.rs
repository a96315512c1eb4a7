//! The dump that is restored.

use std::sync::Arc;

use braid_tree::{LabelledReader, Labels, RangeStore};
use braid_types::{BranchName, Code, Error, MetarangeId, RepositoryName, Result};

use crate::catalog::Catalog;
use crate::operation::dump::RefsProgress;
use crate::refs_dump::{BRANCHES, COMMITS, RefsManifest, TAGS, read_branch};

/// What a repository's default branch is called where nothing else is said.
const USUAL_DEFAULT_BRANCH: &str = "main";

/// A dump, and how far it was read.
pub(super) struct Source {
    files: Files,
    manifest: RefsManifest,
    pub(super) commits: LabelledReader,
    pub(super) branches: LabelledReader,
    pub(super) tags: LabelledReader,
}

/// Where its files are.
struct Files {
    catalog: Catalog,
    ranges: Arc<dyn RangeStore>,
}

impl Files {
    async fn open(&self, id: MetarangeId, labels: Labels) -> Result<LabelledReader> {
        let (ranges, pool) = (Arc::clone(&self.ranges), self.catalog.pool().clone());
        Ok(LabelledReader::open(ranges, pool, id, labels.entity).await?)
    }
}

impl Source {
    /// Opens a dump in a storage namespace: the one that is asked for, or that which the manifest there names.
    ///
    /// # Errors
    /// [`Code::DumpNotFound`]; [`Code::Corrupt`] if any of its three trees is missing or damaged.
    pub(super) async fn open(
        catalog: &Catalog,
        namespace: &str,
        asked: Option<RefsManifest>,
    ) -> Result<Self> {
        let storage = &catalog.parts.storage;
        let manifest = match asked {
            Some(manifest) => manifest,
            None => storage.refs_manifest(namespace).await?.ok_or_else(|| no_dump(namespace))?,
        };
        let files = Files { catalog: catalog.clone(), ranges: storage.ranges(namespace).await? };
        Ok(Self {
            commits: files.open(manifest.commits, COMMITS).await?,
            branches: files.open(manifest.branches, BRANCHES).await?,
            tags: files.open(manifest.tags, TAGS).await?,
            files,
            manifest,
        })
    }

    /// How much it says is in it.
    pub(super) fn counts(&self) -> RefsProgress {
        let commits = self.commits.count();
        RefsProgress {
            commits,
            commits_total: commits,
            branches: self.branches.count(),
            tags: self.tags.count(),
            checked: commits,
        }
    }

    /// The branch of the dump that is to be the default one: the one that is wanted, else `main`, else the only one.
    ///
    /// # Errors
    /// [`Code::InvalidDump`] if there is no such branch.
    pub(super) async fn default_branch(
        &self,
        repository: &RepositoryName,
        wanted: Option<&BranchName>,
    ) -> Result<BranchName> {
        let looked_for = wanted.map_or(USUAL_DEFAULT_BRANCH, |name| name.as_str());
        let mut branches = self.files.open(self.manifest.branches, BRANCHES).await?;
        let mut last = None;
        while let Some(found) = branches.next().await? {
            let (name, _) = read_branch(&found)?;
            if name.as_str() == looked_for {
                return Ok(name);
            }
            last = Some(name);
        }
        match (wanted, last, branches.count()) {
            (None, Some(only), 1) => Ok(only),
            (Some(wanted), ..) => Err(no_default_branch(repository, wanted.as_str())),
            (None, ..) => Err(no_default_branch(repository, USUAL_DEFAULT_BRANCH)),
        }
    }
}

fn no_dump(namespace: &str) -> Error {
    let message = format!("storage namespace '{namespace}' has no manifest of a dump of references");
    Error::new(Code::DumpNotFound, namespace, message)
}

fn no_default_branch(repository: &RepositoryName, branch: &str) -> Error {
    let message = format!(
        "the dump has no branch '{branch}', which would be the default branch of repository '{repository}'"
    );
    Error::new(Code::InvalidDump, branch, message)
}
