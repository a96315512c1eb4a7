//! A file whose length is known while others use it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use redb::StorageBackend;

/// Passes everything on, and keeps the length at hand.
#[derive(Debug)]
pub(super) struct Measured<B> {
    inner: B,
    length: Arc<AtomicU64>,
}

impl<B: StorageBackend> Measured<B> {
    /// The file, and where its length is read.
    pub(super) fn new(inner: B) -> io::Result<(Self, Arc<AtomicU64>)> {
        let length = Arc::new(AtomicU64::new(inner.len()?));
        Ok((Self { inner, length: Arc::clone(&length) }, length))
    }
}

impl<B: StorageBackend> StorageBackend for Measured<B> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)?;
        self.length.store(len, Ordering::Relaxed);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }
}
