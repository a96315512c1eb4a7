//! What the store does to a disk, as a trait, so that tests can lose whatever was not synced.

use std::fmt::Debug;
use std::io;

/// A folder. Paths are relative to it, with `/` between their parts; the empty path is the folder itself.
///
/// Writing to a file, and making, renaming or removing one, may be undone by a crash until the file, or the folder
/// that holds its name, is synced.
pub(crate) trait Files: Send + Sync + Debug + 'static {
    /// Makes a folder, unless it is there.
    fn create_dir(&self, dir: &str) -> io::Result<()>;

    /// Makes a file, which must not be there.
    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>>;

    /// Opens a file to read.
    fn open(&self, path: &str) -> io::Result<Box<dyn ReadFile>>;

    /// Gives a file another name, in place of the file that had it.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// The names in a folder, in no order.
    fn list(&self, dir: &str) -> io::Result<Vec<String>>;

    /// Makes the names in a folder durable.
    fn sync_dir(&self, dir: &str) -> io::Result<()>;

    /// Opens the index database, or makes it. It must not be open.
    fn open_index(&self, path: &str) -> Result<redb::Database, redb::DatabaseError>;
}

/// A file being written.
pub(crate) trait WriteFile: Send + Debug {
    /// Appends all of `bytes`.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Makes what was written durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file being read. It can be read to its end even if it is removed meanwhile.
pub(crate) trait ReadFile: Send + Sync + Debug {
    /// Fills `buffer` from `offset` on, or fails with [`io::ErrorKind::UnexpectedEof`].
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;
}
