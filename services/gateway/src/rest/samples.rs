//! Sample data for a repository to try things on.

use std::io;

use braid_client::{CommitBranch, Link, Repository};
use braid_types::ObjectPath;
use bytes::Bytes;
use futures::stream;

use super::App;
use super::caller::Caller;
use super::error::ApiError;
use super::objects::{target, unconditional};
use crate::data::Place;

/// What lakeFS says of its own.
const MESSAGE: &str = "Add sample data";

/// A file of the sample.
struct Sample {
    path: &'static str,
    content_type: &'static str,
    data: &'static str,
}

const SAMPLES: [Sample; 2] = [
    Sample { path: "README.md", content_type: "text/markdown", data: include_str!("samples/README.md") },
    Sample { path: "data/lakes.csv", content_type: "text/csv", data: include_str!("samples/lakes.csv") },
];

/// Puts the samples onto the default branch of a fresh repository, and commits them.
pub(crate) async fn fill(app: &App, caller: &Caller, repository: &Repository) -> Result<(), ApiError> {
    let mut links = Vec::with_capacity(SAMPLES.len());
    for sample in &SAMPLES {
        links.push(write(app, caller, repository, sample).await?);
    }
    caller.client.link_uploads(&repository.name, &repository.default_branch, links).await?;
    let commit = CommitBranch {
        repository: repository.name.clone(),
        branch: repository.default_branch.clone(),
        message: MESSAGE.to_owned(),
        metadata: [].into(),
        allow_empty: false,
        date: None,
    };
    caller.client.commit(commit).await?;
    Ok(())
}

async fn write(
    app: &App,
    caller: &Caller,
    repository: &Repository,
    sample: &Sample,
) -> Result<Link, ApiError> {
    let path = ObjectPath::new(sample.path)?;
    let (name, branch) = (&repository.name, &repository.default_branch);
    let upload = caller.client.create_upload(name, branch, target(path)).await?;
    let place = Place::at(&*app.parts.stores, &upload.physical_address)?;
    let data = Bytes::from_static(sample.data.as_bytes());
    let length = Some(data.len() as u64);
    let content_type = sample.content_type.to_owned();
    let body = stream::iter([Ok::<_, io::Error>(data)]);
    let written = place.write(body, length, Some(content_type.clone()), sample.path).await?;
    Ok(Link { checksum: written.etag, size: written.size, content_type, ..unconditional(upload) })
}
