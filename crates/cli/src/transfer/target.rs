//! The folder that files are fetched into.
//!
//! It is opened once; everything after that goes component by component from the open folder, follows no symlink, and so
//! cannot leave it whatever happens to it meanwhile. A file gets its name only when it is whole: until then it has a
//! temporary one beside, which goes when it is given up.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::sync::Arc;

use braid_types::Random;
use cap_fs_ext::DirExt;
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};
use tokio::task::spawn_blocking;

use crate::failure::Failure;
use crate::transfer::{LocalName, Trouble};

/// The folder that files are fetched into. Clones are the same folder.
#[derive(Debug, Clone)]
pub(crate) struct Target(Arc<Dir>);

impl Target {
    /// The folder at `path`, which must be there.
    pub(crate) fn existing(path: &Path) -> Result<Self, Failure> {
        let opened = Dir::open_ambient_dir(path, ambient_authority());
        let folder = opened.map_err(Failure::local(format!("open folder '{}'", path.display())))?;
        Ok(Self(Arc::new(folder)))
    }

    /// The folder at `path`, made if it is not there.
    pub(crate) fn created(path: &Path) -> Result<Self, Failure> {
        let created = Dir::create_ambient_dir_all(path, ambient_authority());
        created.map_err(Failure::local(format!("make folder '{}'", path.display())))?;
        Self::existing(path)
    }

    /// Begins to write the file `name`. What is there now stays until the new file is whole.
    ///
    /// # Errors
    /// [`Trouble::This`] if something is in the way.
    pub(crate) async fn begin(&self, name: LocalName, random: &dyn Random) -> Result<Partial, Trouble> {
        let root = Arc::clone(&self.0);
        let temporary = format!(".braid-{}.part", hex::encode(random.bytes::<8>()));
        let began = spawn_blocking(move || begin(&root, name, temporary.into())).await;
        began.map_err(io::Error::other)?
    }
}

fn begin(root: &Dir, name: LocalName, temporary: OsString) -> Result<Partial, Trouble> {
    let mut folder = root.try_clone()?;
    for part in &name.folders {
        folder = enter(&folder, part.as_ref())?;
    }
    check_way(&folder, name.file.as_ref())?;
    let mut options = OpenOptions::new();
    let file = folder.open_with(&temporary, options.write(true).create_new(true))?.into_std();
    Ok(Partial { folder, temporary, name: name.file, file: Some(file) })
}

/// Goes down into the folder `part`, which is made if it is not there.
fn enter(folder: &Dir, part: &Path) -> Result<Dir, Trouble> {
    match folder.open_dir_nofollow(part) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(blocked(folder, part).unwrap_or_else(|| error.into())),
        Ok(entered) => return Ok(entered),
    }
    match folder.create_dir(part) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => folder
            .open_dir_nofollow(part)
            .map_err(|error| blocked(folder, part).unwrap_or_else(|| error.into())),
    }
}

fn blocked(folder: &Dir, part: &Path) -> Option<Trouble> {
    let kind = folder.symlink_metadata(part).ok()?.file_type();
    let what = what_is(kind)?;
    Some(Trouble::this(format_args!("'{}' in its name is {what} here, not a folder", part.display())))
}

/// Only a regular file may be replaced.
fn check_way(folder: &Dir, name: &Path) -> Result<(), Trouble> {
    match folder.symlink_metadata(name) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
        Ok(found) if found.is_file() => Ok(()),
        Ok(found) => {
            let what = what_is(found.file_type()).unwrap_or("a folder");
            Err(Trouble::this(format_args!("{what} is in its way")))
        }
    }
}

/// What something is that is no folder.
fn what_is(kind: FileType) -> Option<&'static str> {
    match kind {
        _ if kind.is_dir() => None,
        _ if kind.is_symlink() => Some("a symlink"),
        _ if kind.is_file() => Some("a file"),
        _ => Some("a special file"),
    }
}

/// A file that is being written. Dropped before it is kept, it leaves nothing behind.
#[derive(Debug)]
pub(crate) struct Partial {
    folder: Dir,
    temporary: OsString,
    name: OsString,
    /// Taken by the writer.
    file: Option<std::fs::File>,
}

impl Partial {
    /// Where to write the data; asked for once.
    pub(crate) fn writer(&mut self) -> tokio::fs::File {
        tokio::fs::File::from_std(self.file.take().expect("the writer is asked for once"))
    }

    /// Gives the file its name, now that it is whole. A file of that name is replaced.
    pub(crate) async fn keep(self) -> io::Result<()> {
        let renamed = spawn_blocking(move || self.folder.rename(&self.temporary, &self.folder, &self.name));
        renamed.await.map_err(io::Error::other)?
    }
}

impl Drop for Partial {
    /// Once renamed, the temporary name is no longer there.
    fn drop(&mut self) {
        let _ = self.folder.remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use braid_types::SeededRandom;
    use tempfile::TempDir;
    use tokio::io::AsyncWriteExt;

    use super::*;

    async fn write(folder: &TempDir, name: &str, data: &str) -> Result<(), Trouble> {
        let target = Target::existing(folder.path()).unwrap();
        let mut partial = target.begin(LocalName::new(name).unwrap(), &SeededRandom::new(1)).await?;
        let mut writer = partial.writer();
        writer.write_all(data.as_bytes()).await?;
        writer.flush().await?;
        Ok(partial.keep().await?)
    }

    async fn refusal(folder: &TempDir, name: &str) -> String {
        match write(folder, name, "new").await {
            Err(Trouble::This(reason)) => reason.to_string(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn files_appear_under_their_names_and_replace_files() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder, "a/b/c", "old").await.unwrap();
        write(&folder, "a/b/c", "new").await.unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a/b/c")).unwrap(), "new");
        assert_eq!(names(&folder.path().join("a/b")), ["c"], "no temporary name is left");
    }

    #[tokio::test]
    async fn what_is_given_up_leaves_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "old").unwrap();
        let target = Target::existing(folder.path()).unwrap();
        let mut partial = target.begin(LocalName::new("a").unwrap(), &SeededRandom::new(1)).await.unwrap();
        let mut writer = partial.writer();
        writer.write_all(b"half").await.unwrap();
        assert_eq!(names(folder.path()).len(), 2);
        drop(partial);
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(fs::read_to_string(folder.path().join("a")).unwrap(), "old");
    }

    #[tokio::test]
    async fn symlinks_are_not_followed() {
        let outside = tempfile::tempdir().unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("inside")).unwrap();
        fs::write(outside.path().join("file"), "kept").unwrap();
        symlink(outside.path(), folder.path().join("out")).unwrap();
        symlink("inside", folder.path().join("in")).unwrap();
        symlink(outside.path().join("file"), folder.path().join("link")).unwrap();
        symlink("nowhere", folder.path().join("dangling")).unwrap();
        assert_eq!(refusal(&folder, "out/x").await, "'out' in its name is a symlink here, not a folder");
        assert_eq!(refusal(&folder, "in/x").await, "'in' in its name is a symlink here, not a folder");
        assert_eq!(refusal(&folder, "link").await, "a symlink is in its way");
        assert_eq!(refusal(&folder, "dangling").await, "a symlink is in its way");
        assert_eq!(names(outside.path()), ["file"]);
        assert_eq!(fs::read_to_string(outside.path().join("file")).unwrap(), "kept");
        assert!(names(&folder.path().join("inside")).is_empty());
    }

    #[tokio::test]
    async fn folders_and_files_in_the_way_are_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("folder")).unwrap();
        fs::write(folder.path().join("file"), "kept").unwrap();
        assert_eq!(refusal(&folder, "folder").await, "a folder is in its way");
        assert_eq!(refusal(&folder, "file/x").await, "'file' in its name is a file here, not a folder");
        assert_eq!(names(folder.path()), ["file", "folder"]);
    }
}
