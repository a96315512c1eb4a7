//! Fetching: downloads become files.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use braid_client::{Client, Download, RefKind, StreamDownloads, resumed};
use braid_types::{Error, PathPrefix, Random, RefExpression, RepositoryName, View};
use futures::{StreamExt, TryStreamExt};

use crate::console::Console;
use crate::failure::Failure;
use crate::transfer::names::Names;
use crate::transfer::report::Outcome;
use crate::transfer::{LocalName, Meter, Tally, Target, Trouble};

/// What is fetched, and how.
pub(crate) struct Fetching<'a> {
    pub(crate) client: &'a Client,
    pub(crate) repository: &'a RepositoryName,
    pub(crate) reference: RefExpression,
    pub(crate) random: &'a dyn Random,
    pub(crate) meter: Meter,
}

/// Fetches everything under `prefix` into `target`, as many files at a time as `parallel` says. What cannot be fetched is
/// counted and shown; the rest is fetched all the same.
///
/// # Errors
/// What keeps all of it from being fetched.
pub(crate) async fn fetch_all(
    fetching: &Fetching<'_>,
    prefix: &PathPrefix,
    target: &Target,
    parallel: usize,
    tally: &mut Tally,
    console: &mut Console,
) -> Result<(), Failure> {
    let reference = pinned(fetching).await?;
    let fetching = &Fetching { reference, meter: fetching.meter.clone(), ..*fetching };
    let resumed_later = AtomicBool::new(false);
    let open = |after: Option<PathPrefix>| {
        resumed_later.fetch_or(after.is_some(), Ordering::Relaxed);
        fetching.client.stream_downloads(StreamDownloads {
            repository: fetching.repository.clone(),
            reference: fetching.reference.clone(),
            prefix: prefix.clone(),
            after,
        })
    };
    let mut names = Names::default();
    let planned = resumed(open, path_of).map_ok(|download| {
        let name = local_name(&mut names, prefix, path_of(&download));
        (download, name)
    });
    let outcomes = planned.map(|planned| async move { settle(fetching, target, planned?).await });
    let mut outcomes = pin!(outcomes.buffer_unordered(parallel));
    while let Some(outcome) = outcomes.next().await {
        tally.take(outcome?, console).await?;
    }
    if resumed_later.load(Ordering::Relaxed) && !is_commit(&fetching.reference) {
        console.note(
            "it took longer than the server holds one state of a branch: later files are of a later state",
        );
    }
    Ok(())
}

async fn settle(
    fetching: &Fetching<'_>,
    target: &Target,
    (download, name): (Download, Result<LocalName, Trouble>),
) -> Result<Outcome, Failure> {
    let path = path_of(&download).to_owned();
    let fetched = match name {
        Ok(name) => Box::pin(fetch_one(fetching, target, name, download)).await,
        Err(refused) => Err(refused),
    };
    Outcome::of(path, fetched)
}

/// Fetches one download into the file `name`, and says how many bytes that were. The file is there when all of it is, and
/// right.
pub(crate) async fn fetch_one(
    fetching: &Fetching<'_>,
    target: &Target,
    name: LocalName,
    download: Download,
) -> Result<u64, Trouble> {
    let size = download.object.entry.size;
    let mut partial = target.begin(name, fetching.random).await?;
    let mut writer = partial.writer();
    let progress = Some(fetching.meter.of_one());
    let got = fetching.client.get(fetching.repository, &fetching.reference, download, &mut writer, progress);
    Box::pin(got).await?;
    partial.keep().await?;
    Ok(size)
}

fn local_name(names: &mut Names, prefix: &PathPrefix, path: &str) -> Result<LocalName, Trouble> {
    let Some(relative) = path.strip_prefix(prefix.as_str()) else {
        return Err(Trouble::this("the server sent it unasked: it is not under the prefix"));
    };
    names.accept(relative).map_err(Trouble::this)
}

fn path_of(download: &Download) -> &str {
    download.object.path.as_str()
}

/// The commit that the ref names now, so that everything is of one state however long it takes. A branch with its
/// uncommitted changes has no name of that kind.
async fn pinned(fetching: &Fetching<'_>) -> Result<RefExpression, Error> {
    let reference = &fetching.reference;
    if reference.view() == View::Staged {
        return Ok(reference.clone());
    }
    let resolved = fetching.client.resolve_ref(fetching.repository, reference).await?;
    if reference.is_plain() && resolved.kind == RefKind::Branch {
        return Ok(reference.clone());
    }
    RefExpression::parse(&resolved.commit_id.to_hex())
}

/// Whether `reference`, once pinned, is a commit.
fn is_commit(reference: &RefExpression) -> bool {
    reference.text().parse::<braid_types::CommitId>().is_ok()
}
