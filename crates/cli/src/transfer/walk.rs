//! What is there to be sent: the files of a folder, and whether they stay as they are.

use std::fs::{File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use braid_client::Body;
use rustix::fs::OFlags;
use tokio::task::spawn_blocking;
use walkdir::{DirEntry, WalkDir};

use crate::transfer::Trouble;

/// A regular file of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalFile {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How many bytes it has.
    pub(crate) size: u64,
    /// Whether it may be reached by a symlink.
    pub(crate) follow: bool,
}

/// Something in a folder that is not a folder.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A file, with its path from the folder on, by slashes.
    File(String, LocalFile),
    /// Something left out, as the user chose.
    Skipped { path: String, reason: String },
    /// Something that cannot be sent.
    Unfit { path: String, reason: String },
}

/// Everything in `folder` and in the folders of it.
pub(crate) fn walk(folder: &Path, follow: bool) -> impl Iterator<Item = Found> {
    let root = folder.to_owned();
    let entries = WalkDir::new(folder).follow_links(follow).into_iter();
    entries.filter_map(move |entry| found(&root, entry, follow))
}

fn found(root: &Path, entry: walkdir::Result<DirEntry>, follow: bool) -> Option<Found> {
    let entry = match entry {
        Ok(entry) => entry,
        Err(error) => return Some(unreadable(root, &error)),
    };
    let path = shown(root, entry.path());
    let kind = entry.file_type();
    if kind.is_dir() {
        return None;
    }
    if kind.is_symlink() {
        return Some(Found::Skipped { path, reason: "it is a symlink; --follow follows them".into() });
    }
    if !kind.is_file() {
        return Some(Found::Unfit { path, reason: format!("it is {}", special(kind)) });
    }
    let Some(relative) = relative(root, entry.path()) else {
        return Some(Found::Unfit { path, reason: "its name is not UTF-8".into() });
    };
    Some(match entry.metadata() {
        Ok(metadata) => {
            let file = LocalFile { path: entry.path().to_owned(), size: metadata.len(), follow };
            Found::File(relative, file)
        }
        Err(error) => unreadable(root, &error),
    })
}

fn unreadable(root: &Path, error: &walkdir::Error) -> Found {
    let path = shown(root, error.path().unwrap_or(root));
    let reason = match (error.loop_ancestor(), error.io_error()) {
        (Some(_), _) => "it leads back to a folder that it is in".to_owned(),
        (None, Some(error)) => format!("it cannot be read: {error}"),
        (None, None) => error.to_string(),
    };
    Found::Unfit { path, reason }
}

fn special(kind: FileType) -> &'static str {
    match kind {
        _ if kind.is_fifo() => "a named pipe",
        _ if kind.is_socket() => "a socket",
        _ => "a device",
    }
}

/// The path from `root` on, by slashes; none if it is not UTF-8.
fn relative(root: &Path, path: &Path) -> Option<String> {
    let below = path.strip_prefix(root).unwrap_or(path);
    let parts: Option<Vec<&str>> = below.iter().map(|part| part.to_str()).collect();
    parts.map(|parts| parts.join("/"))
}

fn shown(root: &Path, path: &Path) -> String {
    let below = path.strip_prefix(root).unwrap_or(path);
    below.to_string_lossy().into_owned()
}

/// An open file, which is to stay as it is while it is sent.
#[derive(Debug)]
pub(crate) struct Opened {
    file: Arc<File>,
    size: u64,
    modified: Option<SystemTime>,
}

impl Opened {
    /// Its data.
    pub(crate) fn body(&self) -> Body {
        Body::File { file: Arc::clone(&self.file), size: self.size }
    }

    /// Refuses a file that changed since it was opened: what was sent may be half of the one and half of the other.
    pub(crate) async fn check_unchanged(self) -> Result<(), Trouble> {
        let metadata = spawn_blocking(move || self.file.metadata().map(|now| self.is_still(&now))).await;
        if metadata.map_err(io::Error::other)?? { Ok(()) } else { Err(changed()) }
    }

    fn is_still(&self, now: &Metadata) -> bool {
        now.len() == self.size && now.modified().ok() == self.modified
    }
}

/// Opens `file`, which must still be what it was when it was found.
pub(crate) async fn open(file: LocalFile) -> Result<Opened, Trouble> {
    let opened = spawn_blocking(move || open_now(&file)).await;
    opened.map_err(io::Error::other)?
}

/// A name may come to mean something else at any time: opening must neither wait for the other end of a pipe nor follow a
/// symlink that was not there.
fn open_now(found: &LocalFile) -> Result<Opened, Trouble> {
    let follow = if found.follow { OFlags::empty() } else { OFlags::NOFOLLOW };
    let flags = (OFlags::NONBLOCK | follow).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(&found.path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() != found.size {
        return Err(changed());
    }
    Ok(Opened { file: Arc::new(file), size: found.size, modified: metadata.modified().ok() })
}

fn changed() -> Trouble {
    Trouble::this("it changed while it was read")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, Mode, mkfifoat};
    use tempfile::TempDir;

    use super::*;

    fn all(folder: &TempDir, follow: bool) -> Vec<String> {
        let mut lines: Vec<String> = walk(folder.path(), follow)
            .map(|found| match found {
                Found::File(relative, file) => format!("{relative} {}", file.size),
                Found::Skipped { path, reason } => format!("{path} skipped: {reason}"),
                Found::Unfit { path, reason } => format!("{path} unfit: {reason}"),
            })
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn files_are_found_by_their_path_from_the_folder_on() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("a/b/c"), "123").unwrap();
        fs::write(folder.path().join("x\n é\\"), "").unwrap();
        assert_eq!(all(&folder, false), ["a/b/c 3", "x\n é\\ 0"]);
    }

    #[test]
    fn what_is_no_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        mkfifoat(CWD, at("fifo"), Mode::RUSR | Mode::WUSR).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        fs::write(folder.path().join(OsStr::from_bytes(b"latin\xe9")), "").unwrap();
        fs::write(at("file"), "1").unwrap();
        symlink("file", at("link")).unwrap();
        symlink("nowhere", at("dangling")).unwrap();
        symlink(".", at("loop")).unwrap();
        let skipped = |name: &str| format!("{name} skipped: it is a symlink; --follow follows them");
        let expected = [
            skipped("dangling"),
            "fifo unfit: it is a named pipe".into(),
            "file 1".into(),
            "latin\u{fffd} unfit: its name is not UTF-8".into(),
            skipped("link"),
            skipped("loop"),
            "socket unfit: it is a socket".into(),
        ];
        assert_eq!(all(&folder, false), expected);
        let followed = all(&folder, true);
        assert!(followed.contains(&"link 1".into()));
        assert!(followed.contains(&"loop unfit: it leads back to a folder that it is in".into()));
        assert!(
            followed.iter().any(|line| line.starts_with("dangling unfit: it cannot be read: No such file"))
        );
    }

    fn refusal<T: std::fmt::Debug>(ended: Result<T, Trouble>) -> String {
        match ended {
            Err(Trouble::This(failure)) => failure.to_string(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn files_must_stay_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "123").unwrap();
        let file = LocalFile { path: path.clone(), size: 3, follow: false };
        open(file.clone()).await.unwrap().check_unchanged().await.unwrap();

        let opened = open(file.clone()).await.unwrap();
        assert_eq!(opened.body().size(), 3);
        fs::write(&path, "1234").unwrap();
        assert_eq!(refusal(opened.check_unchanged().await), "it changed while it was read");
        assert_eq!(refusal(open(file.clone()).await), "it changed while it was read", "it has another size");
    }

    #[tokio::test]
    async fn a_name_that_became_something_else_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, follow| LocalFile { path: folder.path().join(name), size: 0, follow };
        fs::write(folder.path().join("empty"), "").unwrap();
        symlink("empty", folder.path().join("link")).unwrap();
        mkfifoat(CWD, folder.path().join("fifo"), Mode::RUSR).unwrap();
        assert!(open(file("link", true)).await.is_ok());
        refusal(open(file("link", false)).await);
        refusal(open(file("gone", false)).await);
        assert_eq!(
            refusal(open(file("fifo", false)).await),
            "it changed while it was read",
            "and does not wait"
        );
    }
}
