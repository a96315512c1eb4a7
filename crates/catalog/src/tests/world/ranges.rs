//! The ranges of a test's repositories, in memory.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use braid_sstable::Table;
use braid_tree::{FileId, Metarange, RangeStore, TreeError, open_range};
use braid_types::{Code, MetarangeId, RangeId, Result};
use bytes::Bytes;
use parking_lot::Mutex;

use super::{Counters, Fuse, Step, dead};
use crate::{RefsManifest, Storage};

pub(in crate::tests) struct TestStorage(pub(in crate::tests) Arc<TestRanges>);

#[async_trait]
impl Storage for TestStorage {
    async fn claim(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn take_over(&self, _namespace: &str) -> Result<()> {
        Ok(())
    }

    async fn put_refs_manifest(&self, _namespace: &str, manifest: &RefsManifest) -> Result<()> {
        let step = self.0.fuse.burn();
        if step != Step::Dead {
            *self.0.manifest.lock() = Some(*manifest);
        }
        if step == Step::Alive { Ok(()) } else { Err(dead().into()) }
    }

    async fn refs_manifest(&self, _namespace: &str) -> Result<Option<RefsManifest>> {
        match self.0.fuse.burn() {
            Step::Alive => Ok(*self.0.manifest.lock()),
            _ => Err(dead().into()),
        }
    }

    async fn ranges(&self, _namespace: &str) -> Result<Arc<dyn RangeStore>> {
        Ok(self.0.clone())
    }
}

pub(in crate::tests) struct TestRanges {
    pub(super) files: Mutex<HashMap<[u8; 32], Bytes>>,
    pub(in crate::tests) manifest: Mutex<Option<RefsManifest>>,
    pub(super) fuse: Arc<Fuse>,
    pub(super) counters: Arc<Counters>,
}

impl TestRanges {
    pub(in crate::tests) fn lose_everything(&self) {
        self.files.lock().clear();
    }

    /// The ids of all files.
    pub(in crate::tests) fn ids(&self) -> Vec<[u8; 32]> {
        self.files.lock().keys().copied().collect()
    }

    /// Makes something else of a file; of nothing it makes a file that is missing.
    pub(in crate::tests) fn damage(&self, id: &[u8; 32], damage: impl FnOnce(&mut Vec<u8>)) {
        let mut files = self.files.lock();
        let mut file = files[id].to_vec();
        damage(&mut file);
        match file.is_empty() {
            true => files.remove(id),
            false => files.insert(*id, file.into()),
        };
    }

    /// A file as it is.
    pub(in crate::tests) fn bytes(&self, id: &[u8; 32]) -> Bytes {
        self.files.lock()[id].clone()
    }

    /// Stores any bytes under an id.
    pub(in crate::tests) fn set(&self, id: [u8; 32], file: Bytes) {
        self.files.lock().insert(id, file);
    }

    fn stored(&self, id: &[u8; 32], file: FileId) -> Result<Bytes, TreeError> {
        self.burn(file)?;
        self.files.lock().get(id).cloned().ok_or(TreeError::Missing { file })
    }

    fn put(&self, id: [u8; 32], file: FileId, bytes: Bytes) -> Result<(), TreeError> {
        self.counters.puts.fetch_add(1, Ordering::Relaxed);
        let step = self.fuse.burn();
        if step != Step::Dead {
            self.files.lock().insert(id, bytes);
        }
        if step == Step::Alive { Ok(()) } else { Err(store_dead(file)) }
    }

    fn burn(&self, file: FileId) -> Result<(), TreeError> {
        if self.fuse.burn() == Step::Alive { Ok(()) } else { Err(store_dead(file)) }
    }
}

fn store_dead(file: FileId) -> TreeError {
    TreeError::Store { file, code: Code::Unavailable, reason: "the process is dead".into() }
}

#[async_trait]
impl RangeStore for TestRanges {
    async fn range(&self, id: &RangeId) -> Result<Table, TreeError> {
        self.counters.ranges.fetch_add(1, Ordering::Relaxed);
        open_range(id, self.stored(id.as_bytes(), FileId::Range(*id))?)
    }

    async fn metarange(&self, id: &MetarangeId) -> Result<Arc<Metarange>, TreeError> {
        self.counters.metaranges.fetch_add(1, Ordering::Relaxed);
        Metarange::decode(id, self.stored(id.as_bytes(), FileId::Metarange(*id))?).map(Arc::new)
    }

    async fn file(&self, file: FileId) -> Result<Bytes, TreeError> {
        match file {
            FileId::Range(id) => self.stored(id.as_bytes(), file),
            FileId::Metarange(id) => self.stored(id.as_bytes(), file),
        }
    }

    async fn put_range(&self, id: &RangeId, file: Bytes) -> Result<(), TreeError> {
        self.put(*id.as_bytes(), FileId::Range(*id), file)
    }

    async fn put_metarange(&self, id: &MetarangeId, file: Bytes) -> Result<(), TreeError> {
        self.put(*id.as_bytes(), FileId::Metarange(*id), file)
    }
}
