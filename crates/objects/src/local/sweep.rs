//! What an earlier process left behind: temporary files, and content that nobody names.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::files::Files;
use super::index::Index;
use super::record::FileId;

/// Removes what processes before the opening `boot` left. Ends early when `stop` is set.
pub(super) fn sweep(files: &dyn Files, index: &Index, boot: u64, stop: &AtomicBool) {
    let mut removed = 0;
    let dirs = std::iter::once(("tmp".to_owned(), true)).chain(shards().map(|shard| (shard, false)));
    for (dir, temporary) in dirs {
        match sweep_dir(files, index, boot, stop, &dir, temporary) {
            Ok(count) => removed += count,
            Err(error) => tracing::warn!(%dir, %error, "folder not swept; the next start tries again"),
        }
    }
    if removed > 0 {
        tracing::info!(removed, "content that nobody names removed");
    }
}

/// The folders that hold content files.
pub(super) fn shards() -> impl Iterator<Item = String> {
    (0..256).map(|number| FileId { boot: 0, number }.shard())
}

fn sweep_dir(
    files: &dyn Files,
    index: &Index,
    boot: u64,
    stop: &AtomicBool,
    dir: &str,
    temporary: bool,
) -> io::Result<usize> {
    let mut removed = 0;
    let left = files.list(dir)?.into_iter().filter_map(|name| FileId::parse(&name));
    for file in left.filter(|file| file.boot < boot) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        if temporary || !index.read(|snapshot| snapshot.names(file)).map_err(io::Error::other)? {
            files.remove(&format!("{dir}/{file}"))?;
            removed += 1;
        }
    }
    Ok(removed)
}
