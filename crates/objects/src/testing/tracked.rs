//! Content whose chunks tell how much of it is held at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures::Stream;

/// How many bytes of some content are alive, and were at most.
#[derive(Debug, Default)]
pub(crate) struct Tracked {
    alive: AtomicUsize,
    most: AtomicUsize,
}

/// A chunk that is counted while it lives.
struct Chunk {
    bytes: Vec<u8>,
    tracked: Arc<Tracked>,
}

impl Tracked {
    /// Content of `count` chunks of `size` bytes, each made when it is asked for.
    pub(crate) fn chunks(
        self: &Arc<Self>,
        count: usize,
        size: usize,
    ) -> impl Stream<Item = io::Result<Bytes>> + Send + use<> {
        let tracked = Arc::clone(self);
        futures::stream::iter((0..count).map(move |_| Ok(Bytes::from_owner(tracked.chunk(size)))))
    }

    fn chunk(self: &Arc<Self>, size: usize) -> Chunk {
        let alive = self.alive.fetch_add(size, Ordering::SeqCst) + size;
        self.most.fetch_max(alive, Ordering::SeqCst);
        Chunk { bytes: vec![0x5a; size], tracked: Arc::clone(self) }
    }

    /// The most bytes that were alive at one time.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::SeqCst)
    }
}

impl AsRef<[u8]> for Chunk {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Chunk {
    fn drop(&mut self) {
        self.tracked.alive.fetch_sub(self.bytes.len(), Ordering::SeqCst);
    }
}
