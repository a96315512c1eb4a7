//! Objects that were uploaded and can be linked, again and again.

use braid_client::{Body, CreateRepository, Link, Upload, UploadOptions, UploadTarget};
use braid_types::{BranchName, ObjectPath, RefExpression, RepositoryName};
use futures::{StreamExt, TryStreamExt, stream};

use super::fleet::Fleet;
use crate::data;

/// Places that are asked for in one call.
const BATCH: usize = 1000;
/// Transfers at a time.
const TRANSFERS: usize = 64;

/// A repository, and uploads to its branch.
pub(super) struct Pool {
    pub(super) repository: RepositoryName,
    pub(super) branch: BranchName,
    /// The branch.
    pub(super) reference: RefExpression,
    /// One for each object, in path order. An intent is good for as often as one likes.
    pub(super) links: Vec<Link>,
}

impl Pool {
    /// Uploads `objects` small objects to a new repository, and stages none.
    pub(super) async fn upload(fleet: &Fleet, objects: usize) -> anyhow::Result<Self> {
        Self::upload_into(fleet, "benchmark", objects).await
    }

    /// The same to a repository of this name.
    pub(super) async fn upload_into(fleet: &Fleet, name: &str, objects: usize) -> anyhow::Result<Self> {
        let (repository, branch) = (RepositoryName::new(name)?, BranchName::new("main")?);
        let create = CreateRepository {
            name: repository.clone(),
            storage_namespace: None,
            default_branch: Some(branch.clone()),
        };
        fleet.first().create_repository(create).await?;
        let paths = (0..objects).map(|index| ObjectPath::new(data::path(index)));
        Self::upload_to(fleet, &repository, &branch, &paths.collect::<Result<Vec<_>, _>>()?).await
    }

    /// Uploads a small object for each of these paths of a branch.
    pub(super) async fn upload_to(
        fleet: &Fleet,
        repository: &RepositoryName,
        branch: &BranchName,
        paths: &[ObjectPath],
    ) -> anyhow::Result<Self> {
        let (repository, branch) = (repository.clone(), branch.clone());
        let reference = RefExpression::parse(branch.as_str())?;
        let mut pool = Self { repository, branch, reference, links: Vec::with_capacity(paths.len()) };
        for batch in paths.chunks(BATCH) {
            pool.upload_batch(fleet, batch).await?;
        }
        Ok(pool)
    }

    async fn upload_batch(&mut self, fleet: &Fleet, paths: &[ObjectPath]) -> anyhow::Result<()> {
        let targets = paths.iter().map(|path| UploadTarget {
            path: path.clone(),
            content_type: String::new(),
            size: Some(body(path).size()),
        });
        let client = fleet.first();
        let uploads = client.create_uploads(&self.repository, &self.branch, targets.collect()).await?;
        let puts = stream::iter(uploads).map(|upload| self.put(fleet, upload)).buffered(TRANSFERS);
        let links: Vec<Link> = puts.try_collect().await?;
        self.links.extend(links);
        Ok(())
    }

    async fn put(&self, fleet: &Fleet, upload: Upload) -> anyhow::Result<Link> {
        let (body, options) = (body(&upload.path), UploadOptions::default());
        let put = fleet.first().put(&self.repository, &self.branch, upload, &body, &options);
        Ok(Box::pin(put).await?)
    }
}

/// An object's data: its own path, so that no two objects are the same content.
fn body(path: &ObjectPath) -> Body {
    Body::Bytes(path.as_str().to_owned().into())
}
