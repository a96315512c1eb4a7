//! What is uploaded, read as often as it takes.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};
use md5::{Digest, Md5};

use super::Progress;

/// Bytes read at a time, which is all of a file that is held in memory.
const CHUNK_BYTES: u64 = 256 << 10;

/// The data of an upload. It is read again when an upload is tried again.
#[derive(Debug, Clone)]
pub enum Body {
    /// Bytes in memory.
    Bytes(Bytes),
    /// The first `size` bytes of a file, which must not change meanwhile. Its cursor is not used.
    File {
        /// The open file.
        file: Arc<File>,
        /// How many bytes.
        size: u64,
    },
}

impl Body {
    /// The whole of an open file.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn from_file(file: File) -> io::Result<Self> {
        let size = file.metadata()?.len();
        Ok(Self::File { file: Arc::new(file), size })
    }

    /// The whole of the file at `path`.
    ///
    /// # Errors
    /// Those of the file system.
    pub async fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        Self::from_file(tokio::fs::File::open(path).await?.into_std().await)
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }

    async fn chunk(self, from: u64, most: u64) -> io::Result<Bytes> {
        let length = CHUNK_BYTES.min(most);
        match self {
            Self::Bytes(bytes) => Ok(bytes.slice(from as usize..(from + length) as usize)),
            Self::File { file, .. } => tokio::task::spawn_blocking(move || {
                let mut chunk = vec![0; length as usize];
                file.read_exact_at(&mut chunk, from)?;
                Ok(chunk.into())
            })
            .await
            .map_err(io::Error::other)?,
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}

/// Some of a body.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    body: Body,
    from: u64,
    size: u64,
}

impl Piece {
    /// The `size` bytes that begin at `from`, which are there.
    pub(super) fn of(body: &Body, from: u64, size: u64) -> Self {
        assert!(from + size <= body.size(), "a piece is within its body");
        Self { body: body.clone(), from, size }
    }

    /// All of it.
    pub(super) fn whole(body: &Body) -> Self {
        Self::of(body, 0, body.size())
    }

    /// How many bytes there are.
    pub(super) fn size(&self) -> u64 {
        self.size
    }
}

/// One reading of a piece from its beginning: counts and hashes what was read.
#[derive(Clone, Default)]
pub(super) struct Reading(Arc<Observed>);

#[derive(Default)]
struct Observed {
    moved: AtomicU64,
    hasher: Mutex<Md5>,
    failure: Mutex<Option<io::Error>>,
}

impl Reading {
    /// The piece's bytes. A failure to read ends them, and is found in [`Reading::failure`].
    pub(super) fn stream(
        &self,
        piece: Piece,
        progress: Option<Progress>,
    ) -> BoxStream<'static, io::Result<Bytes>> {
        let reading = self.clone();
        stream::try_unfold((piece, reading, progress), async |(piece, reading, progress)| {
            let read = reading.moved();
            if read == piece.size {
                return Ok(None);
            }
            let chunk = piece.body.clone().chunk(piece.from + read, piece.size - read).await;
            let chunk = chunk.map_err(|error| reading.fail(error))?;
            let moved = reading.take(&chunk);
            if let Some(progress) = &progress {
                progress(moved);
            }
            Ok(Some((chunk, (piece, reading, progress))))
        })
        .boxed()
    }

    fn take(&self, chunk: &Bytes) -> u64 {
        self.0.hasher.lock().expect("no holder of the hasher panics").update(chunk);
        let length = chunk.len() as u64;
        self.0.moved.fetch_add(length, Ordering::Relaxed) + length
    }

    fn fail(&self, error: io::Error) -> io::Error {
        let told = io::Error::new(error.kind(), error.to_string());
        *self.0.failure.lock().expect("no holder of the failure panics") = Some(error);
        told
    }

    /// Bytes read so far.
    pub(super) fn moved(&self) -> u64 {
        self.0.moved.load(Ordering::Relaxed)
    }

    /// Hexadecimal MD5 of what was read.
    pub(super) fn md5(&self) -> String {
        let hasher = self.0.hasher.lock().expect("no holder of the hasher panics").clone();
        hex::encode(hasher.finalize())
    }

    /// Why reading ended early, if it did.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.0.failure.lock().expect("no holder of the failure panics").take()
    }
}
