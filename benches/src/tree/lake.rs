//! Lakes that are kept between runs: a tree in a local object store of its own, and a stamp that says what it was made by.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use braid_tree::testing::MemoryRangeStore;
use braid_tree::{FileId, RangeStore, TreeId, build, open_tree};
use futures::executor::block_on;

use super::generator::Generator;
use super::room::{Cores, cached, format, local_store, pool, runtime, small_cache};
use super::settings::Settings;
use crate::data::{self, Addresses, GENERATOR_VERSION};

/// What gives the entries of every lake.
const SEED: u64 = 1;

/// Entries of the small lake, which a large one is compared with.
const SMALL_ENTRIES: usize = 100_000;

/// Entries whose files are compared with what the lake's program wrote for them. Enough for several ranges.
const SAMPLE_ENTRIES: usize = 20_000;

/// What begins the names of folders that a run leaves if it is killed.
pub(super) const SCRATCH: &str = "scratch-";

/// A tree that is kept.
#[derive(Debug)]
pub(super) struct Lake {
    folder: PathBuf,
    pub(super) entries: usize,
    pub(super) tree: TreeId,
}

impl Lake {
    /// The lake that the settings ask for.
    pub(super) fn open(settings: &Settings) -> anyhow::Result<Self> {
        Self::kept(&settings.home, settings.entries)
    }

    /// The lake of [`SMALL_ENTRIES`].
    pub(super) fn open_small(settings: &Settings) -> anyhow::Result<Self> {
        Self::kept(&settings.home, SMALL_ENTRIES)
    }

    /// Where its object store is.
    pub(super) fn objects(&self) -> PathBuf {
        self.folder.join("objects")
    }

    fn kept(home: &Path, entries: usize) -> anyhow::Result<Self> {
        let folder = folder(home, entries);
        let stamp = std::fs::read_to_string(folder.join("stamp"))
            .with_context(|| format!("there is no lake in '{}'", folder.display()))?;
        let id = stamp.lines().find_map(|line| line.strip_prefix("tree "));
        let tree = id.context("a stamp names its tree")?.parse().context("the tree of a stamp")?;
        Ok(Self { folder, entries, tree: Some(tree) })
    }
}

/// Makes the lakes of these settings that are not there, or that another generator or another format wrote.
pub(super) fn ensure_all(settings: &Settings) -> anyhow::Result<()> {
    std::fs::create_dir_all(&settings.home)?;
    remove_scratch(&settings.home)?;
    let made_by = made_by()?;
    for entries in [SMALL_ENTRIES, settings.entries] {
        ensure(&settings.home, entries, &made_by)?;
    }
    Ok(())
}

fn ensure(home: &Path, entries: usize, made_by: &str) -> anyhow::Result<()> {
    let folder = folder(home, entries);
    let stamp = folder.join("stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|stamp| stamp.starts_with(made_by)) {
        return Ok(());
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("to remove '{}'", folder.display()))?;
    }
    std::fs::create_dir_all(&folder)?;
    eprintln!("making a lake of {entries} entries in '{}'", folder.display());
    let tree = make(&folder.join("objects"), entries)?.context("a lake has entries")?;
    // It is there last, and only then is the lake.
    Ok(std::fs::write(stamp, format!("{made_by}tree {tree}\n"))?)
}

fn make(folder: &Path, entries: usize) -> anyhow::Result<TreeId> {
    let runtime = runtime(Cores::Both)?;
    let store = cached(small_cache(), local_store(folder)?);
    let records = Generator::new(data::records(SEED, entries, Addresses::Batched));
    Ok(runtime.block_on(build(&store, &pool(Cores::Both), &format(), records))?.tree)
}

fn folder(home: &Path, entries: usize) -> PathBuf {
    home.join(format!("lake-{entries}"))
}

/// The lines that begin the stamp of every lake that this program would make as it is: the version of the generator, and a
/// checksum of the files it writes for some entries, which changes with whatever changes in them.
fn made_by() -> anyhow::Result<String> {
    let store: Arc<dyn RangeStore> = Arc::new(MemoryRangeStore::new());
    let records = Generator::new(data::records(SEED, SAMPLE_ENTRIES, Addresses::Batched));
    let tree = block_on(build(&store, &pool(Cores::One), &format(), records))?.tree;
    let metarange = block_on(open_tree(&*store, tree))?;
    let ranges = metarange.ranges().iter().map(|range| FileId::from(range.id));
    let mut checksum = 0;
    for file in ranges.chain(tree.map(FileId::from)) {
        checksum = crc32c::crc32c_append(checksum, &block_on(store.file(file))?);
    }
    Ok(format!("generator {GENERATOR_VERSION}\nfiles {checksum:08x}\n"))
}

/// Removes what runs left that were killed. There is one run at a time in a folder.
fn remove_scratch(home: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(home)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(SCRATCH) {
            std::fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lake_is_made_once_and_again_if_another_program_made_it() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("scratch-left")).unwrap();
        remove_scratch(home.path()).unwrap();
        assert!(!home.path().join("scratch-left").exists());
        assert!(Lake::kept(home.path(), 1000).is_err());

        let made_by = made_by().unwrap();
        ensure(home.path(), 1000, &made_by).unwrap();
        let lake = Lake::kept(home.path(), 1000).unwrap();
        let mark = lake.folder.join("mark");
        std::fs::write(&mark, "").unwrap();
        ensure(home.path(), 1000, &made_by).unwrap();
        assert!(mark.exists());

        ensure(home.path(), 1000, "generator 0\n").unwrap();
        assert!(!mark.exists());
        let again = Lake::kept(home.path(), 1000).unwrap();
        assert_eq!((again.tree, again.entries), (lake.tree, 1000));
    }

    #[test]
    fn what_a_lake_is_made_by_is_the_same_each_time() {
        assert_eq!(made_by().unwrap(), made_by().unwrap());
    }
}
