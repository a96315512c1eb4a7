//! A disk in memory that loses whatever was not synced, and fails when told to.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use braid_types::Clock;
use parking_lot::{Mutex, MutexGuard};

use crate::local::files::{Files, ReadFile, WriteFile};
use crate::{LocalStore, OpenError};

/// What can be synced; a test can make the disk forget to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Synced {
    /// A content file.
    File,
    /// A folder of content files.
    Shard,
    /// The folder of those folders.
    Content,
    /// The folder of everything.
    Root,
    /// The index.
    Index,
    /// A [database](Lossy::database) beside the store's own files.
    Database,
}

/// A disk in memory that loses whatever was not synced when the machine dies. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Lossy {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, Node>,
    durable_names: BTreeMap<String, Node>,
    forgets: Option<Synced>,
    /// The bytes that can still be written.
    room: Option<usize>,
    /// Counts down the syncs of the index to the one that fails.
    index_syncs_left: Option<usize>,
    /// How many changes can still be made before the machine dies.
    changes_left: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Folder,
    File(usize),
}

impl Lossy {
    /// A disk that forgets one kind of sync.
    pub fn forgetting(synced: Synced) -> Self {
        let disk = Self::default();
        disk.forget(synced);
        disk
    }

    /// Lets the disk forget one kind of sync from now on.
    pub fn forget(&self, synced: Synced) {
        self.state.lock().forgets = Some(synced);
    }

    /// Opens the object store on this disk; the content of objects of at most `small` bytes is kept in its index.
    ///
    /// # Errors
    /// As [`LocalStore::open`].
    pub fn open_store(&self, clock: Arc<dyn Clock>, small: usize) -> Result<Arc<LocalStore>, OpenError> {
        LocalStore::open_in(Arc::new(self.clone()), clock, small)
    }

    /// The file of another database in the same folder, made if it is not there. Its name becomes durable when the
    /// object store is opened.
    ///
    /// # Errors
    /// That the machine is dead.
    pub fn database(&self, path: &str) -> io::Result<impl redb::StorageBackend + use<>> {
        self.database_file(path, Synced::Database)
    }

    fn database_file(&self, path: &str, synced: Synced) -> io::Result<Opened> {
        let mut state = self.change()?;
        let file = state.file(path).unwrap_or_else(|_| state.make_file(path));
        Ok(Opened { disk: self.clone(), file, synced })
    }

    /// What is left of the disk if the machine dies now; it forgets what this one does. This one stays as it is.
    pub fn after_crash(&self) -> Self {
        let state = self.state.lock();
        let kept = |file: &Content| Content { now: file.durable.clone(), durable: file.durable.clone() };
        let reachable = |path: &str| ancestors(path).all(|folder| state.durable_names.contains_key(folder));
        let names = state.durable_names.iter().filter(|(path, _)| reachable(path));
        let names: BTreeMap<String, Node> = names.map(|(path, node)| (path.clone(), *node)).collect();
        let files = state.files.iter().map(kept).collect();
        let (durable_names, forgets) = (names.clone(), state.forgets);
        let after = State { files, durable_names, names, forgets, ..State::default() };
        Self { state: Arc::new(Mutex::new(after)) }
    }

    /// What a process finds that follows a killed one: everything, synced or not. This one stays as it is.
    #[cfg(test)]
    pub(crate) fn after_kill(&self) -> Self {
        let state = self.state.lock();
        let after = State {
            files: state.files.clone(),
            names: state.names.clone(),
            durable_names: state.durable_names.clone(),
            ..State::default()
        };
        Self { state: Arc::new(Mutex::new(after)) }
    }

    /// Lets only so many bytes be written from now on.
    #[cfg(test)]
    pub(crate) fn set_room(&self, bytes: Option<usize>) {
        self.state.lock().room = bytes;
    }

    /// Lets one sync of the index fail, after so many that succeed.
    #[cfg(test)]
    pub(crate) fn fail_index_sync_after(&self, syncs: usize) {
        self.state.lock().index_syncs_left = Some(syncs);
    }

    /// Lets the machine die after so many changes.
    pub fn die_after(&self, changes: usize) {
        self.state.lock().changes_left = Some(changes);
    }

    /// How many files there are besides the index.
    #[cfg(test)]
    pub(crate) fn count_files(&self) -> usize {
        let state = self.state.lock();
        state.names.iter().filter(|(path, node)| **node != Node::Folder && *path != "index.redb").count()
    }

    /// Flips a bit of every content file.
    #[cfg(test)]
    pub(crate) fn damage_content(&self) {
        let mut state = self.state.lock();
        let content: Vec<Node> = state
            .names
            .iter()
            .filter(|(path, _)| path.starts_with("content/"))
            .map(|(_, node)| *node)
            .collect();
        for node in content {
            if let Node::File(file) = node {
                state.files[file].now[0] ^= 1;
            }
        }
    }

    /// The state, to change it.
    fn change(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.state.lock();
        match &mut state.changes_left {
            Some(0) => return Err(io::Error::other("the machine is dead")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }
}

fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at])
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

impl State {
    fn forgets(&self, synced: Synced) -> bool {
        self.forgets == Some(synced)
    }

    fn make_file(&mut self, path: &str) -> usize {
        self.files.push(Content::default());
        let file = self.files.len() - 1;
        self.names.insert(path.to_owned(), Node::File(file));
        file
    }

    fn file(&self, path: &str) -> io::Result<usize> {
        match self.names.get(path) {
            Some(Node::File(file)) => Ok(*file),
            _ => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn fails_index_sync(&mut self) -> bool {
        let left = self.index_syncs_left;
        self.index_syncs_left = left.and_then(|left| left.checked_sub(1));
        left == Some(0)
    }

    fn take_room(&mut self, bytes: usize) -> io::Result<()> {
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(bytes).ok_or(io::ErrorKind::StorageFull)?;
        }
        Ok(())
    }
}

impl Files for Lossy {
    fn create_dir(&self, dir: &str) -> io::Result<()> {
        self.change()?.names.entry(dir.to_owned()).or_insert(Node::Folder);
        Ok(())
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn WriteFile>> {
        let mut state = self.change()?;
        if state.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let file = state.make_file(path);
        Ok(Box::new(Opened { disk: self.clone(), file, synced: Synced::File }))
    }

    fn open(&self, path: &str) -> io::Result<Box<dyn ReadFile>> {
        let file = self.state.lock().file(path)?;
        Ok(Box::new(Opened { disk: self.clone(), file, synced: Synced::File }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.change()?;
        let node = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), node);
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut state = self.change()?;
        state.names.remove(path).map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn list(&self, dir: &str) -> io::Result<Vec<String>> {
        let state = self.state.lock();
        let names = state.names.keys().filter_map(|path| path.strip_prefix(dir)?.strip_prefix('/'));
        Ok(names.filter(|name| !name.contains('/')).map(str::to_owned).collect())
    }

    fn sync_dir(&self, dir: &str) -> io::Result<()> {
        let mut state = self.change()?;
        let synced = match dir {
            "" => Synced::Root,
            "content" => Synced::Content,
            _ => Synced::Shard,
        };
        if state.forgets(synced) {
            return Ok(());
        }
        state.durable_names.retain(|path, _| parent(path) != dir);
        let inside = state.names.iter().filter(|(path, _)| parent(path) == dir);
        let inside: Vec<(String, Node)> = inside.map(|(path, node)| (path.clone(), *node)).collect();
        state.durable_names.extend(inside);
        Ok(())
    }

    fn open_index(&self, path: &str) -> Result<redb::Database, redb::DatabaseError> {
        let file = self.database_file(path, Synced::Index).map_err(redb::StorageError::from)?;
        redb::Builder::new().create_with_backend(file)
    }
}

#[derive(Debug)]
struct Opened {
    disk: Lossy,
    file: usize,
    synced: Synced,
}

impl Opened {
    fn make_durable(&self) -> io::Result<()> {
        let mut state = self.disk.change()?;
        if !state.forgets(self.synced) {
            let content = &mut state.files[self.file];
            content.durable.clone_from(&content.now);
        }
        Ok(())
    }

    fn read_into(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.disk.state.lock();
        let from = usize::try_from(offset).expect("the disk is in memory");
        let found = state.files[self.file].now.get(from..from + buffer.len());
        buffer.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl WriteFile for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.change()?;
        state.take_room(bytes.len())?;
        state.files[self.file].now.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.make_durable()
    }
}

impl ReadFile for Opened {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_into(buffer, offset)
    }
}

impl redb::StorageBackend for Opened {
    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state.lock().files[self.file].now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.read_into(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.disk.change()?;
        let len = usize::try_from(len).expect("the disk is in memory");
        let grown = len.saturating_sub(state.files[self.file].now.len());
        state.take_room(grown)?;
        state.files[self.file].now.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if self.synced == Synced::Index && self.disk.state.lock().fails_index_sync() {
            return Err(io::Error::other("the sync failed"));
        }
        self.make_durable()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.disk.change()?;
        // Space that was never written to may still have to be found.
        state.take_room(data.len())?;
        let from = usize::try_from(offset).expect("the disk is in memory");
        state.files[self.file].now[from..from + data.len()].copy_from_slice(data);
        Ok(())
    }
}
