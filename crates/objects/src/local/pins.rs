//! Content files go when nobody names them and nobody reads them; one thread removes them.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;

use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::files::Files;
use super::record::FileId;

/// Which content files are being read, and the thread that removes those that may go.
#[derive(Debug)]
pub(super) struct Pins {
    read: Mutex<HashMap<FileId, Pin>>,
    remover: Mutex<Option<mpsc::Sender<Job>>>,
}

/// What the removing thread is asked to do, in order.
#[derive(Debug)]
enum Job {
    Remove(FileId),
    /// Say that all that was asked before is done.
    Tell(oneshot::Sender<()>),
}

#[derive(Debug, Default)]
struct Pin {
    readers: usize,
    doomed: bool,
}

/// Keeps content files from being removed.
#[derive(Debug)]
pub(super) struct Pinned {
    pins: Arc<Pins>,
    files: Vec<FileId>,
}

/// A content file that no object names yet: removed when this is dropped, unless it is kept.
#[derive(Debug)]
pub(super) struct FileGuard {
    pins: Arc<Pins>,
    file: FileId,
    keep: bool,
}

impl Pins {
    /// Starts the thread that removes files; it first runs `sweep`.
    pub(super) fn start(
        files: Arc<dyn Files>,
        sweep: impl FnOnce() + Send + 'static,
    ) -> io::Result<(Arc<Self>, JoinHandle<()>)> {
        let (sender, jobs) = mpsc::channel();
        let thread = std::thread::Builder::new().name("objects-remover".to_owned()).spawn(move || {
            sweep();
            for job in jobs {
                match job {
                    Job::Remove(file) => remove(&*files, file),
                    // Whoever asked may have gone away.
                    Job::Tell(done) => drop(done.send(())),
                }
            }
        })?;
        Ok((Arc::new(Self { read: Mutex::default(), remover: Mutex::new(Some(sender)) }), thread))
    }

    /// Looks into the index with `look`, and pins the files that it answers with, before any of them can go.
    pub(super) fn pin<T, E>(
        self: &Arc<Self>,
        look: impl FnOnce() -> Result<(T, Vec<FileId>), E>,
    ) -> Result<(T, Pinned), E> {
        let mut read = self.read.lock();
        let (found, files) = look()?;
        for file in &files {
            read.entry(*file).or_default().readers += 1;
        }
        drop(read);
        Ok((found, Pinned { pins: Arc::clone(self), files }))
    }

    /// Removes files as soon as nobody reads them. The index must no longer name them.
    pub(super) fn doom(&self, files: impl IntoIterator<Item = FileId>) {
        let mut read = self.read.lock();
        for file in files {
            match read.get_mut(&file) {
                Some(pin) => pin.doomed = true,
                None => self.remove(file),
            }
        }
    }

    /// A guard for a file that is about to be made.
    pub(super) fn guard(self: &Arc<Self>, file: FileId) -> FileGuard {
        FileGuard { pins: Arc::clone(self), file, keep: false }
    }

    /// Waits until the sweep is over and all files are off the disk that may go by now.
    pub(super) async fn settled(&self) {
        let (done, told) = oneshot::channel();
        if let Some(remover) = &*self.remover.lock() {
            let _ = remover.send(Job::Tell(done));
        }
        // An error says that the thread has ended, and so removes nothing any more.
        let _ = told.await;
    }

    /// Lets the thread end once it has removed what it was given.
    pub(super) fn close(&self) {
        *self.remover.lock() = None;
    }

    fn unpin(&self, file: FileId) {
        let mut read = self.read.lock();
        let pin = read.get_mut(&file).expect("a pinned file is in the table");
        pin.readers -= 1;
        if pin.readers > 0 {
            return;
        }
        if read.remove(&file).is_some_and(|pin| pin.doomed) {
            self.remove(file);
        }
    }

    fn remove(&self, file: FileId) {
        if let Some(remover) = &*self.remover.lock() {
            // What a stopped thread does not remove, the next start does.
            let _ = remover.send(Job::Remove(file));
        }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        for file in self.files.drain(..) {
            self.pins.unpin(file);
        }
    }
}

impl FileGuard {
    /// Lets the file stay.
    pub(super) fn keep(mut self) {
        self.keep = true;
    }
}

impl Drop for FileGuard {
    fn drop(&mut self) {
        if !self.keep {
            self.pins.remove(self.file);
        }
    }
}

/// Removes a file, whether or not it was written to its end.
fn remove(files: &dyn Files, file: FileId) {
    for path in [file.path(), file.temporary_path()] {
        match files.remove(&path) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => {
                tracing::warn!(%path, %error, "content file not removed; the next start tries again");
            }
        }
    }
}
