//! A large lake, and commits into it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use braid_client::{
    CreateRepository, Import, ImportCommit, ImportSource, ImportSourceKind, ImportStatus, StartImport,
};
use braid_objects::{Buckets, InternalKey, LocalBuckets, LocalStore, PutOptions};
use braid_types::{BranchName, ObjectPath, PathPrefix, RefExpression, RepositoryName, SystemClock};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};

use super::super::backend::Backend;
use super::super::commit;
use super::super::fleet::Fleet;
use super::super::pool::Pool;
use crate::data;
use crate::figures::Figures;
use crate::timing::middle;

/// Changes of one commit.
const CHANGES: usize = 10_000;
/// Objects that are put at a time.
const AT_ONCE: usize = 512;
/// What is imported.
const SOURCE: &str = "s3://braid.local/sources/";

/// How many objects the lake has.
pub(super) fn entries() -> anyhow::Result<usize> {
    match std::env::var("ENTRIES") {
        Ok(entries) => entries.parse().with_context(|| format!("ENTRIES is '{entries}', not a number")),
        Err(_) => Ok(1_000_000),
    }
}

/// Puts what is to be imported where the server is going to have its data.
pub(super) async fn put_sources(data: &Path, entries: usize) -> anyhow::Result<()> {
    std::fs::create_dir_all(data)?;
    let folder = braid::DataFolder::open(data)?.objects();
    let store = LocalStore::open(&folder, Arc::new(SystemClock))?;
    let key = InternalKey { access_key_id: "benchmark".to_owned(), secret: "benchmark".to_owned() };
    let bucket = LocalBuckets::new(store, "http://127.0.0.1:1", &key).bucket("braid.local");
    let puts = stream::iter(0..entries).map(|index| {
        let (bucket, key) = (Arc::clone(&bucket), format!("sources/{}", data::path(index)));
        async move { bucket.put(&key, Bytes::from_static(b"data"), PutOptions::default()).await }
    });
    puts.buffer_unordered(AT_ONCE).try_for_each(|_| async { Ok(()) }).await?;
    Ok(())
}

/// A repository with the lake on its main branch, committed.
pub(super) struct Lake {
    pub(super) repository: RepositoryName,
    pub(super) branch: BranchName,
    pub(super) reference: RefExpression,
    pub(super) entries: usize,
}

impl Lake {
    /// Imports the sources.
    pub(super) async fn import(fleet: &Fleet) -> anyhow::Result<Self> {
        let lake = Self {
            repository: RepositoryName::new("lake")?,
            branch: BranchName::new("main")?,
            reference: RefExpression::parse("main")?,
            entries: entries()?,
        };
        let (client, repository) = (fleet.first(), lake.repository.clone());
        let (storage_namespace, default_branch) = (None, Some(lake.branch.clone()));
        let create = CreateRepository { name: repository.clone(), storage_namespace, default_branch };
        client.create_repository(create).await?;
        let (kind, uri) = (ImportSourceKind::Prefix, SOURCE.to_owned());
        let start = StartImport {
            repository: repository.clone(),
            branch: lake.branch.clone(),
            sources: vec![ImportSource { kind, uri, destination: String::new() }],
            commit: Some(ImportCommit { message: "the lake".to_owned(), ..ImportCommit::default() }),
        };
        let mut import: Import = client.start_import(start).await?;
        while import.status == ImportStatus::Running {
            tokio::time::sleep(Duration::from_millis(100)).await;
            import = client.get_import(&repository, import.id).await?;
        }
        anyhow::ensure!(import.status == ImportStatus::Finished, "the import ended as {:?}", import.status);
        Ok(lake)
    }

    /// Commits of changes, in one directory and all over the lake.
    pub(super) async fn commits(
        &self,
        figures: &mut Figures,
        backend: &Backend,
        fleet: &Fleet,
        rounds: usize,
    ) -> anyhow::Result<()> {
        let step = (self.entries / CHANGES).max(1);
        let one = |round: usize, index: usize| format!("{}.{round}.{index:05}", data::path(self.entries / 2));
        let scattered = |round: usize, index: usize| data::path((index * step + round) % self.entries);
        let one = self.commit_each(fleet, rounds, one).await?;
        figures.time(&backend.name("commit_10k_one_directory_ms"), one)?;
        let scattered = self.commit_each(fleet, rounds, scattered).await?;
        figures.time(&backend.name("commit_10k_scattered_ms"), scattered)
    }

    /// Makes a directory of so many objects, committed. Gives the name of one of them.
    pub(super) async fn make_directory(
        &self,
        fleet: &Fleet,
        directory: &str,
        objects: usize,
    ) -> anyhow::Result<String> {
        let name = |index: usize| format!("object-{index:05}");
        let paths = (0..objects).map(|index| ObjectPath::new(format!("{directory}{}", name(index))));
        let paths: Vec<ObjectPath> = paths.collect::<Result<_, _>>()?;
        let pool = self.link(fleet, &paths).await?;
        commit(fleet, &pool).await?;
        Ok(name(0))
    }

    /// Uploads and stages an object at each of the paths.
    async fn link(&self, fleet: &Fleet, paths: &[ObjectPath]) -> anyhow::Result<Pool> {
        let pool = Pool::upload_to(fleet, &self.repository, &self.branch, paths).await?;
        for links in pool.links.chunks(1000) {
            fleet.first().link_uploads(&self.repository, &self.branch, links.to_vec()).await?;
        }
        Ok(pool)
    }

    /// The median time of commits of objects at these paths, each time others.
    async fn commit_each(
        &self,
        fleet: &Fleet,
        rounds: usize,
        path: impl Fn(usize, usize) -> String,
    ) -> anyhow::Result<Duration> {
        let mut times = Vec::with_capacity(rounds);
        for round in 0..rounds {
            let paths = (0..CHANGES).map(|index| ObjectPath::new(path(round, index)));
            let paths: Vec<ObjectPath> = paths.collect::<Result<_, _>>()?;
            let pool = self.link(fleet, &paths).await?;
            times.push(commit(fleet, &pool).await?);
        }
        Ok(middle(times))
    }
}

/// The prefix that is this text.
pub(super) fn prefix(text: &str) -> anyhow::Result<PathPrefix> {
    Ok(PathPrefix::new(text)?)
}
