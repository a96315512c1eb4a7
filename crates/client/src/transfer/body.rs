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

    async fn chunk(self, from: u64) -> io::Result<Bytes> {
        let length = CHUNK_BYTES.min(self.size() - from);
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

/// One reading of a body from its beginning: counts and hashes what was read.
#[derive(Clone, Default)]
pub(super) struct Reading(Arc<Observed>);

#[derive(Default)]
struct Observed {
    moved: AtomicU64,
    hasher: Mutex<Md5>,
    failure: Mutex<Option<io::Error>>,
}

impl Reading {
    /// The body's bytes. A failure to read ends them, and is found in [`Reading::failure`].
    pub(super) fn stream(
        &self,
        body: Body,
        progress: Option<Progress>,
    ) -> BoxStream<'static, io::Result<Bytes>> {
        let reading = self.clone();
        stream::try_unfold((body, reading, progress), async |(body, reading, progress)| {
            let from = reading.moved();
            if from == body.size() {
                return Ok(None);
            }
            let chunk = body.clone().chunk(from).await.map_err(|error| reading.fail(error))?;
            let moved = reading.take(&chunk);
            if let Some(progress) = &progress {
                progress(moved);
            }
            Ok(Some((chunk, (body, reading, progress))))
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
