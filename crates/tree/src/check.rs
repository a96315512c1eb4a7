//! The full check of a tree's stored files.

mod file;

use std::collections::VecDeque;
use std::sync::Arc;
use std::vec;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt};
use futures::stream::FuturesOrdered;

use crate::{FileId, Pool, RangeDescriptor, RangeStore, TreeError, TreeId};
use file::Report;

/// How many files are read or checked at a time.
const FILES_AT_ONCE: usize = 4;

/// Which ranges are checked.
type Wanted = Box<dyn FnMut(&RangeDescriptor) -> bool + Send>;

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
    /// Records that were read.
    pub entries: u64,
    /// Faults that were reported.
    pub faults: u64,
}

/// What a check has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CheckEvent {
    /// Something is wrong.
    Fault(Fault),
    /// One more file is checked; its faults were told before.
    Progress(CheckProgress),
}

/// Checks a tree's files as they are stored ([`RangeStore::file`]) and changes nothing: first the metarange, then the
/// ranges in key order.
///
/// Of each file it reads all blocks, compares their checksums, the order of keys, the separators in the index and what the
/// properties count, decodes each entry or descriptor, hashes all records to the file's name, and compares what the
/// metarange says of a range with what is in it. A fault does not hide the others of its file, unless it is in the index or
/// in what leads to it: nothing else can be found there without. Nor does it hide those of other files: of a damaged
/// metarange, the ranges in its sound blocks are checked.
///
/// It holds a few files at a time, whatever the size of the tree, beside the metarange.
pub struct Check {
    store: Arc<dyn RangeStore>,
    pool: Pool,
    /// What is still to be checked.
    tree: TreeId,
    ranges: vec::IntoIter<RangeDescriptor>,
    wanted: Wanted,
    /// Files that are read and checked, in order.
    under_way: FuturesOrdered<BoxFuture<'static, Result<Report, TreeError>>>,
    found: VecDeque<CheckEvent>,
    progress: CheckProgress,
}

impl Check {
    /// A check of all files of a tree, which computes on `pool`. Nothing is read yet.
    pub fn new(store: Arc<dyn RangeStore>, pool: &Pool, tree: TreeId) -> Self {
        Self {
            store,
            pool: pool.clone(),
            tree,
            ranges: Vec::new().into_iter(),
            wanted: Box::new(|_| true),
            under_way: FuturesOrdered::new(),
            found: VecDeque::new(),
            progress: CheckProgress { files_total: tree.iter().len() as u64, ..CheckProgress::default() },
        }
    }

    /// A check of the metarange and of only those ranges that `wanted` wants, which is asked once for each: trees that are
    /// checked one after the other share most of theirs.
    #[must_use]
    pub fn only(mut self, wanted: impl FnMut(&RangeDescriptor) -> bool + Send + 'static) -> Self {
        self.wanted = Box::new(wanted);
        self
    }

    /// How far it has come.
    pub fn progress(&self) -> CheckProgress {
        self.progress
    }

    /// What is found next; `None` when all files are checked.
    ///
    /// # Errors
    /// The store's, when it could not read a file; a file that is missing, or that the store itself finds damaged, is a
    /// fault. After an error the check goes on with the next file, and [`progress`](Self::progress) tells in the end that not
    /// all were checked.
    pub async fn next(&mut self) -> Result<Option<CheckEvent>, TreeError> {
        loop {
            if let Some(event) = self.found.pop_front() {
                return Ok(Some(event));
            }
            self.read_on();
            let Some(report) = self.under_way.next().await else {
                return Ok(None);
            };
            self.receive(report?);
        }
    }

    /// Begins with files while there are not too many under way.
    fn read_on(&mut self) {
        if let Some(tree) = self.tree.take() {
            self.begin(tree.into(), move |file| file::check_metarange(tree, file));
        }
        while self.under_way.len() < FILES_AT_ONCE
            && let Some(range) = self.ranges.next()
        {
            self.begin(range.id.into(), move |file| file::check_range(&range, file));
        }
    }

    fn begin(&mut self, id: FileId, check: impl FnOnce(Bytes) -> Report + Send + 'static) {
        let (store, pool) = (Arc::clone(&self.store), self.pool.clone());
        let checked = async move {
            match store.file(id).await {
                Ok(file) => Ok(pool.run(move || check(file)).await),
                Err(TreeError::Missing { .. }) => Ok(Report::unread(id, None, "it is missing")),
                Err(TreeError::Corrupt { what, offset, .. }) => Ok(Report::unread(id, offset, what)),
                Err(error) => Err(error),
            }
        };
        self.under_way.push_back(checked.boxed());
    }

    fn receive(&mut self, mut report: Report) {
        report.ranges.retain(|range| (self.wanted)(range));
        self.progress.files += 1;
        self.progress.files_total += report.ranges.len() as u64;
        self.progress.bytes += report.bytes;
        self.progress.entries += report.records;
        self.progress.faults += report.faults.len() as u64;
        self.found.extend(report.faults.into_iter().map(CheckEvent::Fault));
        self.found.push_back(CheckEvent::Progress(self.progress));
        if !report.ranges.is_empty() {
            self.ranges = report.ranges.into_iter();
        }
    }
}
