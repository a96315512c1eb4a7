//! Sending: files become objects.
//!
//! Files go in batches: places for all of them are asked for at once, their data is sent side by side, and those that
//! arrived whole are linked in one transaction. Nothing is seen of a file before that. Large files go in parts, one file
//! after another, and each is linked for itself.

use std::path::Path;
use std::pin::pin;

use braid_client::{Body, Client, IN_PARTS_ABOVE, Link, Object, Upload, UploadOptions, UploadTarget};
use braid_types::limits::PAGE_ITEMS;
use braid_types::{BranchName, Error, ObjectPath, PathPrefix, RepositoryName};
use futures::StreamExt;
use futures::stream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::spawn_blocking;

use crate::console::Console;
use crate::failure::Failure;
use crate::transfer::report::Outcome;
use crate::transfer::walk::{Found, walk};
use crate::transfer::{LocalFile, Meter, Tally, Trouble, open};

/// A batch is full with this many bytes: what was sent is to be linked before its intent expires.
const BATCH_BYTES: u64 = 1 << 30;
/// Batches under way: while the last files of one are sent, the next one begins.
const BATCHES: usize = 2;

/// Where files are sent to, and how.
pub(crate) struct Sending<'a> {
    pub(crate) client: &'a Client,
    pub(crate) repository: &'a RepositoryName,
    pub(crate) branch: &'a BranchName,
    /// Content type, metadata and precondition of every object.
    pub(crate) options: UploadOptions,
    pub(crate) meter: Meter,
    /// Files that may be sent at a time.
    pub(crate) parallel: usize,
    /// One for each of them, over all batches.
    pub(crate) permits: Semaphore,
}

/// A file and the path that it is for.
struct Planned {
    path: ObjectPath,
    file: LocalFile,
}

#[derive(Default)]
struct Batch {
    files: Vec<Planned>,
    outcomes: Vec<Outcome>,
    bytes: u64,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.files.len().max(self.outcomes.len()) >= PAGE_ITEMS || self.bytes >= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        self.files.is_empty() && self.outcomes.is_empty()
    }

    fn add(&mut self, prefix: &PathPrefix, found: Found) {
        match found {
            Found::Skipped { path, reason } => self.outcomes.push(Outcome::Skipped { path, reason }),
            Found::Unfit { path, reason } => self.outcomes.push(Outcome::Failed { path, reason }),
            Found::File(relative, file) => match ObjectPath::new(format!("{prefix}{relative}")) {
                Ok(path) => {
                    self.bytes += file.size;
                    self.files.push(Planned { path, file });
                }
                Err(error) => {
                    self.outcomes.push(Outcome::Failed { path: relative, reason: error.to_string() });
                }
            },
        }
    }
}

/// Sends everything in `folder` to paths under `prefix`. What cannot be sent is counted and shown; the rest is sent all the
/// same.
///
/// # Errors
/// What keeps all of it from being sent.
pub(crate) async fn send_all(
    sending: &Sending<'_>,
    folder: &Path,
    follow: bool,
    prefix: &PathPrefix,
    tally: &mut Tally,
    console: &mut Console,
) -> Result<(), Failure> {
    let found = walk_aside(folder, follow);
    let batches =
        stream::unfold(
            found,
            |mut found| async move { Some((next_batch(&mut found, prefix).await?, found)) },
        );
    let mut outcomes = pin!(batches.map(|batch| send_batch(sending, batch)).buffered(BATCHES));
    while let Some(outcomes) = outcomes.next().await {
        for outcome in outcomes? {
            tally.take(outcome, console).await?;
        }
    }
    Ok(())
}

/// Walks on a thread of its own, which waits when it is ahead and ends when nobody listens any more.
fn walk_aside(folder: &Path, follow: bool) -> mpsc::Receiver<Found> {
    let (sender, receiver) = mpsc::channel(PAGE_ITEMS);
    let folder = folder.to_owned();
    spawn_blocking(move || {
        for found in walk(&folder, follow) {
            if sender.blocking_send(found).is_err() {
                return;
            }
        }
    });
    receiver
}

async fn next_batch(found: &mut mpsc::Receiver<Found>, prefix: &PathPrefix) -> Option<Batch> {
    let mut batch = Batch::default();
    while !batch.is_full() {
        match found.recv().await {
            Some(found) => batch.add(prefix, found),
            None if batch.is_empty() => return None,
            None => break,
        }
    }
    Some(batch)
}

async fn send_batch(sending: &Sending<'_>, batch: Batch) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = batch.outcomes;
    let is_large = |planned: &Planned| planned.file.size > IN_PARTS_ABOVE;
    let (large, small): (Vec<_>, Vec<_>) = batch.files.into_iter().partition(is_large);
    let placed = place(sending, small, &mut outcomes).await?;
    let mut links = Vec::with_capacity(placed.len());
    let sent = placed.into_iter().map(|(planned, upload)| Box::pin(send_file(sending, planned, upload)));
    let mut sent = stream::iter(sent).buffer_unordered(sending.parallel);
    while let Some((path, ended)) = sent.next().await {
        match ended {
            Ok(link) => links.push(link),
            Err(trouble) => outcomes.push(Outcome::of(path.as_str(), Err(trouble))?),
        }
    }
    link(sending, links, &mut outcomes).await?;
    for planned in large {
        outcomes.push(send_large(sending, planned).await?);
    }
    Ok(outcomes)
}

/// Sends a large file in parts, and links it.
async fn send_large(sending: &Sending<'_>, planned: Planned) -> Result<Outcome, Failure> {
    let _permit = sending.permits.acquire().await.expect("the semaphore is never closed");
    let path = planned.path.clone();
    let sent = async {
        let opened = open(planned.file).await?;
        let body = opened.body();
        Box::pin(send_one(sending, planned.path, &body, opened.check_unchanged())).await
    };
    match sent.await {
        Ok(object) => Ok(done(&object)),
        Err(trouble) => Outcome::of(path.as_str(), Err(trouble)),
    }
}

/// Asks for places for all files at once. Files that the server names as refused are left out.
async fn place(
    sending: &Sending<'_>,
    mut files: Vec<Planned>,
    outcomes: &mut Vec<Outcome>,
) -> Result<Vec<(Planned, Upload)>, Failure> {
    while !files.is_empty() {
        let targets = files.iter().map(|file| target(sending, &file.path, file.file.size)).collect();
        match sending.client.create_uploads(sending.repository, sending.branch, targets).await {
            Ok(uploads) => return Ok(files.into_iter().zip(uploads).collect()),
            Err(error) => leave_out(&mut files, |file| &file.path, error, outcomes)?,
        }
    }
    Ok(Vec::new())
}

/// Links all files in one transaction. Files that the server names as refused are left out.
async fn link(
    sending: &Sending<'_>,
    mut links: Vec<Link>,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), Failure> {
    while !links.is_empty() {
        match sending.client.link_uploads(sending.repository, sending.branch, links.clone()).await {
            Ok(objects) => {
                outcomes.extend(objects.iter().map(done));
                return Ok(());
            }
            Err(error) => leave_out(&mut links, |link| &link.path, error, outcomes)?,
        }
    }
    Ok(())
}

fn done(object: &Object) -> Outcome {
    Outcome::Done { path: object.path.as_str().to_owned(), size: object.entry.size }
}

/// Takes out the item whose path a refusal names, so that the others can be tried without it.
///
/// # Errors
/// The refusal, if it names none of them or concerns all of them.
fn leave_out<T>(
    items: &mut Vec<T>,
    path_of: fn(&T) -> &ObjectPath,
    error: Error,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), Failure> {
    let refused = items.iter().position(|item| path_of(item).as_str() == error.subject());
    let Some(refused) = refused else { return Err(error.into()) };
    let path = path_of(&items.swap_remove(refused)).as_str().to_owned();
    outcomes.push(Outcome::of(path, Err(error.into()))?);
    Ok(())
}

async fn send_file(
    sending: &Sending<'_>,
    planned: Planned,
    upload: Upload,
) -> (ObjectPath, Result<Link, Trouble>) {
    let _permit = sending.permits.acquire().await.expect("the semaphore is never closed");
    let sent = async {
        let opened = open(planned.file).await?;
        let link = put(sending, upload, &opened.body()).await?;
        opened.check_unchanged().await?;
        Ok(link)
    };
    (planned.path, sent.await)
}

/// Sends `body` to `path`, and links it if `is_whole` says so afterwards.
pub(crate) async fn send_one(
    sending: &Sending<'_>,
    path: ObjectPath,
    body: &Body,
    is_whole: impl Future<Output = Result<(), Trouble>>,
) -> Result<Object, Trouble> {
    let (client, repository, branch) = (sending.client, sending.repository, sending.branch);
    if body.size() > IN_PARTS_ABOVE {
        let options = options(sending);
        let sent = Box::pin(client.put_parts(repository, branch, &path, body, &options)).await?;
        if let Err(trouble) = is_whole.await {
            // What cannot be given up now, the service gives up later.
            let _ = client.abort_multipart_upload(sent.upload).await;
            return Err(trouble);
        }
        return Ok(client.link_parts(sent, &options).await?);
    }
    let upload = client.create_upload(repository, branch, target(sending, &path, body.size())).await?;
    let link = put(sending, upload, body).await?;
    is_whole.await?;
    Ok(client.link_upload(repository, branch, link).await?)
}

async fn put(sending: &Sending<'_>, upload: Upload, body: &Body) -> Result<Link, Trouble> {
    let options = options(sending);
    let put = sending.client.put(sending.repository, sending.branch, upload, body, &options);
    Ok(Box::pin(put).await?)
}

/// The options of one more object.
fn options(sending: &Sending<'_>) -> UploadOptions {
    UploadOptions { progress: Some(sending.meter.of_one()), ..sending.options.clone() }
}

fn target(sending: &Sending<'_>, path: &ObjectPath, size: u64) -> UploadTarget {
    let content_type = sending.options.content_type.clone();
    UploadTarget { path: path.clone(), content_type, size: Some(size) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use braid_types::Code;

    use super::*;

    fn with(sizes: &[u64]) -> Batch {
        let mut batch = Batch::default();
        for (number, &size) in sizes.iter().enumerate() {
            let file = LocalFile { path: PathBuf::new(), size, follow: false };
            batch.add(&PathPrefix::default(), Found::File(number.to_string(), file));
        }
        batch
    }

    #[test]
    fn a_batch_is_full_with_many_files_or_many_bytes() {
        assert!(!with(&[1; PAGE_ITEMS - 1]).is_full());
        assert!(with(&[1; PAGE_ITEMS]).is_full());
        assert!(!with(&[BATCH_BYTES - 1]).is_full());
        assert!(with(&[BATCH_BYTES - 1, 1]).is_full());
    }

    #[test]
    fn trouble_fills_a_batch_too() {
        let mut batch = Batch::default();
        for _ in 0..PAGE_ITEMS {
            assert!(!batch.is_full());
            batch.add(&PathPrefix::default(), Found::Unfit { path: "p".into(), reason: "r".into() });
        }
        assert!(batch.is_full());
    }

    #[test]
    fn a_refusal_takes_out_what_it_names() {
        let path = |text: &str| ObjectPath::new(text).unwrap();
        let mut paths = vec![path("a"), path("b"), path("c")];
        let mut outcomes = Vec::new();
        let refusal = |code, subject: &str| Error::new(code, subject, "no");
        leave_out(&mut paths, |path| path, refusal(Code::InvalidPath, "a"), &mut outcomes).unwrap();
        assert_eq!(paths, [path("c"), path("b")]);
        assert_eq!(outcomes, [Outcome::Failed { path: "a".into(), reason: "no".into() }]);
        for of_all in [refusal(Code::InvalidPath, "main"), refusal(Code::OutcomeUnknown, "b")] {
            assert!(leave_out(&mut paths, |path| path, of_all, &mut outcomes).is_err());
        }
    }
}
