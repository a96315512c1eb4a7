//! One repository as the demonstration uses it: many transfers at once, and what must be there.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::task::{Context as TaskContext, Poll};

use anyhow::{Context, bail, ensure};
use braid_client::{
    Body, Client, CreateRepository, Download, Entries, Link, StreamDownloads, Upload, UploadOptions,
    UploadTarget, resumed,
};
use braid_types::{BranchName, Code, CommitId, Error, ObjectPath, PathPrefix, RefExpression, RepositoryName};
use bytes::Bytes;
use futures::stream::{self, StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};
use tokio::io::AsyncWrite;

use super::screen::Step;

/// Objects that are asked for, or linked, in one call.
const BATCH: usize = 1000;
/// How often a list is read from its beginning.
const READINGS: u32 = 5;

/// What an object must read back as: length and SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint {
    pub(super) size: u64,
    sha256: [u8; 32],
}

/// What a ref must have.
pub(super) type Expected = BTreeMap<ObjectPath, Fingerprint>;

/// Where the data of an upload is.
#[derive(Debug, Clone)]
pub(super) enum Source {
    File(PathBuf),
    Bytes(Bytes),
}

/// A repository, and a client to it.
pub(super) struct Lake {
    pub(super) client: Client,
    repository: RepositoryName,
    parallel: usize,
}

impl Lake {
    /// A new repository `demo`, or `demo-2` and so on where that is taken.
    pub(super) async fn create(client: Client, parallel: usize) -> anyhow::Result<Self> {
        for number in 1.. {
            let name = if number == 1 { "demo".to_owned() } else { format!("demo-{number}") };
            let create = CreateRepository {
                name: RepositoryName::new(name)?,
                storage_namespace: None,
                default_branch: None,
            };
            match client.create_repository(create).await {
                Ok(repository) => return Ok(Self { client, repository: repository.name, parallel }),
                Err(error) if error.code() == Code::RepositoryExists => {}
                Err(error) => return Err(error).context("cannot create a repository"),
            }
        }
        unreachable!("some number is free")
    }

    pub(super) fn repository(&self) -> &RepositoryName {
        &self.repository
    }

    /// Uploads everything to `branch` and says what it must read back as.
    pub(super) async fn upload(
        &self,
        branch: &BranchName,
        sources: Vec<(ObjectPath, Source)>,
        step: &mut Step,
    ) -> anyhow::Result<Expected> {
        let mut expected = Expected::new();
        for batch in sources.chunks(BATCH) {
            let bodies = open_all(batch, self.parallel).await?;
            let targets = bodies.iter().map(|(path, body, _)| UploadTarget {
                path: path.clone(),
                content_type: String::new(),
                size: Some(body.size()),
            });
            let uploads = self.client.create_uploads(&self.repository, branch, targets.collect()).await?;
            expected.extend(bodies.iter().map(|(path, _, fingerprint)| (path.clone(), *fingerprint)));
            let puts =
                uploads.into_iter().zip(bodies).map(|(upload, (_, body, _))| self.put(branch, upload, body));
            let mut puts = stream::iter(puts).buffer_unordered(self.parallel);
            let mut links = Vec::with_capacity(batch.len());
            while let Some(link) = puts.try_next().await? {
                links.push(link);
                step.advance();
            }
            drop(puts);
            self.client.link_uploads(&self.repository, branch, links).await?;
        }
        Ok(expected)
    }

    async fn put(&self, branch: &BranchName, upload: Upload, body: Body) -> anyhow::Result<Link> {
        Ok(Box::pin(self.client.put(&self.repository, branch, upload, &body, &UploadOptions::default()))
            .await?)
    }

    /// Reads every object of a commit by its presigned URL and compares it with what must be there; gives the number of
    /// bytes.
    pub(super) async fn verify(
        &self,
        commit: &CommitId,
        expected: &Expected,
        step: &mut Step,
    ) -> anyhow::Result<u64> {
        let reference = RefExpression::parse(&commit.to_hex())?;
        let open = |after| {
            self.client.stream_downloads(StreamDownloads {
                repository: self.repository.clone(),
                reference: reference.clone(),
                prefix: PathPrefix::default(),
                after,
            })
        };
        let downloads = resumed(open, |download| download.object.path.as_str());
        let reads = downloads.map(|download| {
            let reference = &reference;
            async move { self.read(reference, download?).await }
        });
        let mut reads = pin!(reads.buffer_unordered(self.parallel));
        let (mut objects, mut bytes) = (0, 0);
        while let Some((path, found)) = reads.try_next().await? {
            match expected.get(&path) {
                Some(wanted) if *wanted == found => {}
                Some(_) => bail!("'{path}' at '{reference}' does not read back as it was written"),
                None => bail!("'{path}' should not be at '{reference}'"),
            }
            objects += 1;
            bytes += found.size;
            step.advance();
        }
        ensure!(
            objects == expected.len(),
            "'{reference}' has {objects} objects instead of {}",
            expected.len()
        );
        Ok(bytes)
    }

    async fn read(
        &self,
        reference: &RefExpression,
        download: Download,
    ) -> anyhow::Result<(ObjectPath, Fingerprint)> {
        let path = download.object.path.clone();
        let mut sink = HashingSink::default();
        Box::pin(self.client.get(&self.repository, reference, download, &mut sink, None)).await?;
        Ok((path, sink.fingerprint()))
    }
}

/// All items of a list. If the node that gives them goes away in the middle, another one is asked for all of them.
pub(super) async fn whole<T>(list: impl Fn() -> Entries<T>) -> Result<Vec<T>, Error> {
    let mut more = 1..READINGS;
    loop {
        match list().try_collect().await {
            Err(error) if error.is_retryable() && more.next().is_some() => {}
            ended => return ended,
        }
    }
}

type Opened = (ObjectPath, Body, Fingerprint);

async fn open_all(batch: &[(ObjectPath, Source)], parallel: usize) -> anyhow::Result<Vec<Opened>> {
    let opened = batch.iter().map(|(path, source)| open(path.clone(), source.clone()));
    stream::iter(opened).buffered(parallel).try_collect().await
}

async fn open(path: ObjectPath, source: Source) -> anyhow::Result<Opened> {
    let bytes = match source {
        Source::Bytes(bytes) => bytes,
        Source::File(file) => {
            let named = || format!("cannot read '{}'", file.display());
            let fingerprint = fingerprint_file(file.clone()).await.with_context(named)?;
            return Ok((path, Body::open(&file).await.with_context(named)?, fingerprint));
        }
    };
    let fingerprint = Fingerprint { size: bytes.len() as u64, sha256: Sha256::digest(&bytes).into() };
    Ok((path, Body::Bytes(bytes), fingerprint))
}

async fn fingerprint_file(file: PathBuf) -> std::io::Result<Fingerprint> {
    let hashing = tokio::task::spawn_blocking(move || {
        let mut hasher = Sha256::new();
        let size = std::io::copy(&mut std::fs::File::open(file)?, &mut HashWriter(&mut hasher))?;
        Ok(Fingerprint { size, sha256: hasher.finalize().into() })
    });
    hashing.await.expect("hashing does not panic")
}

struct HashWriter<'a>(&'a mut Sha256);

impl std::io::Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Takes a download and keeps only its fingerprint.
#[derive(Default)]
struct HashingSink {
    hasher: Sha256,
    size: u64,
}

impl HashingSink {
    fn fingerprint(self) -> Fingerprint {
        Fingerprint { size: self.size, sha256: self.hasher.finalize().into() }
    }
}

impl AsyncWrite for HashingSink {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        let sink = self.get_mut();
        sink.hasher.update(bytes);
        sink.size += bytes.len() as u64;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn lists(broken: u32) -> (impl Fn() -> Entries<u8>, std::rc::Rc<Cell<u32>>) {
        let asked = std::rc::Rc::new(Cell::new(0));
        let count = std::rc::Rc::clone(&asked);
        let list = move || {
            count.set(count.get() + 1);
            let last =
                if count.get() > broken { Ok(2) } else { Err(Error::new(Code::Unavailable, "", "gone")) };
            stream::iter([Ok(1), last]).boxed()
        };
        (list, asked)
    }

    #[tokio::test]
    async fn a_list_that_breaks_off_is_read_from_its_beginning() {
        let (list, asked) = lists(READINGS - 1);
        assert_eq!(whole(list).await.unwrap(), [1, 2]);
        assert_eq!(asked.get(), READINGS);
        let (list, asked) = lists(READINGS);
        assert_eq!(whole(list).await.unwrap_err().code(), Code::Unavailable);
        assert_eq!(asked.get(), READINGS, "it is given up");
    }

    #[tokio::test]
    async fn a_refused_list_is_not_asked_for_again() {
        let refused = || stream::iter([Err::<u8, _>(Error::new(Code::RefNotFound, "", ""))]).boxed();
        assert_eq!(whole(refused).await.unwrap_err().code(), Code::RefNotFound);
    }
}
