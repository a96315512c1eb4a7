//! The data folder of an embedded installation: who holds it, which version wrote it, and its master key.
//!
//! ```text
//! DATA/FORMAT       what this is, and the version of its layout
//! DATA/LOCK         held while a process uses the folder
//! DATA/master.key   the key that seals stored secrets (mode 0600)
//! DATA/kv.redb      mutable state
//! DATA/objects/     the local object store
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use braid_auth::MasterKey;
use braid_types::Random;

/// The layout that this version writes, and the newest that it reads.
const FORMAT_VERSION: u32 = 1;
const FORMAT_FILE: &str = "FORMAT";
const FORMAT_TITLE: &str = "braid data folder";
const LOCK_FILE: &str = "LOCK";
const MASTER_KEY_FILE: &str = "master.key";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another process uses it.
    #[error("data folder '{}' is in use by another process", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// A newer version wrote it.
    #[error(
        "data folder '{}' has format version {found}; this version of Braid reads up to {FORMAT_VERSION}",
        folder.display()
    )]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// The version found.
        found: u32,
    },
    /// It holds something else.
    #[error("'{}' is not a Braid data folder: {reason}", folder.display())]
    Foreign {
        /// The folder.
        folder: PathBuf,
        /// What is there or missing.
        reason: String,
    },
    /// The file system refused.
    #[error("cannot {action} '{}': {cause}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
}

/// A data folder, held for this process until dropped.
#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Opens the folder, or makes it if it is absent or empty.
    pub fn open(path: &Path) -> Result<Self, DataFolderError> {
        make_folder(path)?;
        let found = read_optional(&path.join(FORMAT_FILE))?;
        match &found {
            Some(text) => check_format(path, text)?,
            None => refuse_foreign(path)?,
        }
        let lock = lock(path)?;
        if found.is_none() {
            let text = format!("{FORMAT_TITLE}\nversion {FORMAT_VERSION}\n");
            write_durably(path, FORMAT_FILE, text.as_bytes(), 0o644)?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Opens a folder that was made before.
    pub fn open_existing(path: &Path) -> Result<Self, DataFolderError> {
        if path.is_dir() {
            return Self::open(path);
        }
        let reason = "there is no such folder".to_owned();
        Err(DataFolderError::Foreign { folder: path.to_owned(), reason })
    }

    /// The file of the embedded key-value store.
    pub fn kv_file(&self) -> PathBuf {
        self.path.join("kv.redb")
    }

    /// The folder of the local object store.
    pub fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The installation's master key; made when the folder has none yet and nothing that needs it.
    pub fn master_key(&self, random: &dyn Random) -> Result<MasterKey, DataFolderError> {
        let file = self.path.join(MASTER_KEY_FILE);
        if let Some(text) = read_optional(&file)? {
            return text.parse().map_err(|error| self.foreign(format!("'{MASTER_KEY_FILE}': {error}")));
        }
        if self.kv_file().exists() {
            return Err(self.foreign(format!(
                "'{MASTER_KEY_FILE}' is missing; without it no stored secret can be read"
            )));
        }
        let key = MasterKey::generate(random);
        write_durably(&self.path, MASTER_KEY_FILE, key.to_hex().as_bytes(), 0o600)?;
        Ok(key)
    }

    fn foreign(&self, reason: String) -> DataFolderError {
        DataFolderError::Foreign { folder: self.path.clone(), reason }
    }
}

fn make_folder(path: &Path) -> Result<(), DataFolderError> {
    if path.is_dir() {
        return Ok(());
    }
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(io("make", path))?;
    // The new folder's own entry must survive a crash as well.
    match path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        Some(parent) => sync_folder(parent),
        None => sync_folder(Path::new(".")),
    }
}

fn check_format(folder: &Path, text: &str) -> Result<(), DataFolderError> {
    let foreign = || DataFolderError::Foreign {
        folder: folder.to_owned(),
        reason: format!("its file '{FORMAT_FILE}' is not what Braid writes"),
    };
    let mut lines = text.lines();
    if lines.next() != Some(FORMAT_TITLE) {
        return Err(foreign());
    }
    let version =
        lines.next().and_then(|line| line.strip_prefix("version ")).and_then(|text| text.parse().ok());
    match version.ok_or_else(foreign)? {
        FORMAT_VERSION => Ok(()),
        found => Err(DataFolderError::Newer { folder: folder.to_owned(), found }),
    }
}

/// A folder that was made and never finished holds a lock file at most.
fn refuse_foreign(folder: &Path) -> Result<(), DataFolderError> {
    for entry in std::fs::read_dir(folder).map_err(io("read", folder))? {
        let name = entry.map_err(io("read", folder))?.file_name();
        if name != LOCK_FILE && name != temporary(FORMAT_FILE).as_str() {
            let reason = format!("it holds '{}' and no file '{FORMAT_FILE}'", name.display());
            return Err(DataFolderError::Foreign { folder: folder.to_owned(), reason });
        }
    }
    Ok(())
}

fn lock(folder: &Path) -> Result<File, DataFolderError> {
    let path = folder.join(LOCK_FILE);
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(DataFolderError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(cause)) => Err(io("lock", &path)(cause)),
    }
}

fn read_optional(path: &Path) -> Result<Option<String>, DataFolderError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io("open", path)(error)),
    };
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(io("read", path))?;
    Ok(Some(text))
}

/// Writes a file so that after a crash it is there whole or not at all.
fn write_durably(folder: &Path, name: &str, content: &[u8], mode: u32) -> Result<(), DataFolderError> {
    let (path, new) = (folder.join(name), folder.join(temporary(name)));
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(mode)
        .open(&new)
        .map_err(io("create", &new))?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(io("write", &new))?;
    std::fs::rename(&new, &path).map_err(io("rename", &new))?;
    sync_folder(folder)
}

fn temporary(name: &str) -> String {
    format!("{name}.new")
}

fn sync_folder(folder: &Path) -> Result<(), DataFolderError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync", folder))
}

fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(std::io::Error) -> DataFolderError + 'a {
    move |cause| DataFolderError::Io { action, path: path.to_owned(), cause }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use braid_types::SystemRandom;

    use super::*;

    #[test]
    fn a_folder_is_made_kept_and_opened_again_with_its_key() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("new/data");
        let folder = DataFolder::open(&path).unwrap();
        let key = folder.master_key(&SystemRandom).unwrap().to_hex();
        drop(folder);
        let folder = DataFolder::open(&path).unwrap();
        assert_eq!(folder.master_key(&SystemRandom).unwrap().to_hex(), key);
        let mode = std::fs::metadata(path.join(MASTER_KEY_FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_second_process_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let _first = DataFolder::open(parent.path()).unwrap();
        let error = DataFolder::open(parent.path()).unwrap_err();
        assert!(matches!(error, DataFolderError::InUse { .. }));
        assert!(error.to_string().contains("in use by another process"), "{error}");
    }

    #[test]
    fn newer_and_foreign_folders_are_refused_by_name() {
        let parent = tempfile::tempdir().unwrap();
        std::fs::write(parent.path().join(FORMAT_FILE), "braid data folder\nversion 2\n").unwrap();
        let error = DataFolder::open(parent.path()).unwrap_err();
        assert!(error.to_string().contains("format version 2"), "{error}");
        std::fs::write(parent.path().join(FORMAT_FILE), "something").unwrap();
        assert!(matches!(DataFolder::open(parent.path()).unwrap_err(), DataFolderError::Foreign { .. }));
        std::fs::remove_file(parent.path().join(FORMAT_FILE)).unwrap();
        std::fs::write(parent.path().join("thesis.txt"), "x").unwrap();
        let error = DataFolder::open(parent.path()).unwrap_err();
        assert!(error.to_string().contains("'thesis.txt'"), "{error}");
    }

    #[test]
    fn a_lost_master_key_is_not_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(parent.path()).unwrap();
        std::fs::write(folder.kv_file(), "x").unwrap();
        let error = folder.master_key(&SystemRandom).unwrap_err();
        assert!(error.to_string().contains("is missing"), "{error}");
    }
}
