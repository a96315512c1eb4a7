//! The file itself: made whole or not at all.
//!
//! redb does not make a new database atomically: a crash meanwhile leaves a file that it refuses for ever. So a new
//! store is made under another name, synced, and renamed.

use super::format::{self, failure};
use super::shared::Length;
use crate::KvError;
use braid_types::Random;
use redb::backends::FileBackend;
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

/// Opens the store in the file `path`, after making one there if there is none.
pub(super) fn open(path: &Path, random: &dyn Random) -> Result<FileBackend, KvError> {
    let directory = open_directory(path).map_err(|error| storage("open the directory", &error))?;
    if !exists(path).map_err(|error| storage("open the file", &error))? {
        // Of two who make the same store one waits here, and finds it made.
        directory.lock().map_err(|error| storage("lock the directory", &error))?;
        if !exists(path).map_err(|error| storage("open the file", &error))? {
            make(path, random)?;
        }
        directory.unlock().map_err(|error| storage("unlock the directory", &error))?;
    }
    // Also where the file was there: whoever made it may have come to its end before this.
    directory.sync_all().map_err(|error| storage("sync the directory", &error))?;
    let file = OpenOptions::new().read(true).write(true).open(path);
    let file = file.map_err(|error| storage("open the file", &error))?;
    FileBackend::new(file).map_err(|error| format::open_error(error, &path.display()))
}

/// How to find out the length of the file `path`; 0 where it cannot be.
pub(super) fn length_of(path: &Path) -> Length {
    let path = path.to_owned();
    Box::new(move || fs::metadata(&path).map_or(0, |metadata| metadata.len()))
}

fn open_directory(path: &Path) -> io::Result<File> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))
}

/// An empty file is none: redb would begin to make a database in it.
fn exists(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.len() > 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

fn make(path: &Path, random: &dyn Random) -> Result<(), KvError> {
    let new = name_while_new(path);
    let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&new);
    let file = file.map_err(|error| storage("make the file", &error))?;
    let kept = file.try_clone().map_err(|error| storage("make the file", &error))?;
    let database = redb::Builder::new().create_file(file);
    let database = database.map_err(|error| failure("make the file", error))?;
    format::prepare(&database, random)?;
    drop(database);
    kept.sync_all().map_err(|error| storage("sync the file", &error))?;
    fs::rename(&new, path).map_err(|error| storage("name the file", &error))
}

/// What the file is called until it is whole.
pub(super) fn name_while_new(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".new");
    name.into()
}

fn storage(operation: &'static str, error: &io::Error) -> KvError {
    KvError::Storage { operation, cause: error.to_string() }
}
