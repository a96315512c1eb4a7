//! Content on its way to the disk, in bounded memory.

use std::io;
use std::sync::Arc;

use bytes::Bytes;
use md5::{Digest, Md5};

use super::blocks::BlockWriter;
use super::error::disk_error;
use super::files::Files;
use super::pins::FileGuard;
use super::record::{FileId, Segment};
use crate::ObjectError;

/// How much is gathered before a thread is asked to write it.
const GATHER_BYTES: usize = 1 << 20;

/// Content being written to a file of its own. If this is dropped, the file goes.
#[derive(Debug)]
pub(crate) struct Upload {
    key: String,
    gathered: Vec<Bytes>,
    bytes: usize,
    /// Up to how many bytes it is left to the index.
    small: usize,
    /// Whether anything was handed to the sink.
    has_begun: bool,
    sink: Option<Box<Sink>>,
}

/// Content that is not named yet; durable, unless it is small.
#[derive(Debug)]
pub(crate) struct Written {
    /// What is to be kept in the index.
    pub(super) small: Option<Bytes>,
    pub(super) segment: Option<Segment>,
    pub(crate) md5: [u8; 16],
    pub(super) guard: Option<FileGuard>,
}

#[derive(Debug)]
struct Sink {
    files: Arc<dyn Files>,
    file: FileId,
    guard: FileGuard,
    md5: Md5,
    writer: Option<BlockWriter>,
}

impl Upload {
    /// Begins to write content for the object at `key` into the new file that `guard` is for; none is made if it comes to `small`
    /// bytes at most.
    pub(super) fn begin(
        key: &str,
        files: Arc<dyn Files>,
        file: FileId,
        guard: FileGuard,
        small: usize,
    ) -> Self {
        let sink = Sink { files, file, guard, md5: Md5::new(), writer: None };
        let (gathered, has_begun) = (Vec::new(), false);
        Self { key: key.to_owned(), gathered, bytes: 0, small, has_begun, sink: Some(Box::new(sink)) }
    }

    /// Appends content.
    ///
    /// # Errors
    /// [`ObjectError::NoSpace`] and what else a disk may say; nothing can be appended then.
    pub(crate) async fn write(&mut self, bytes: Bytes) -> Result<(), ObjectError> {
        self.bytes += bytes.len();
        self.gathered.push(bytes);
        if self.bytes < GATHER_BYTES {
            return Ok(());
        }
        (self.bytes, self.has_begun) = (0, true);
        let gathered = std::mem::take(&mut self.gathered);
        let mut sink = self.take_sink()?;
        let work = move || sink.append(&gathered).map(|()| sink);
        self.sink = Some(on_disk(&self.key, work).await?);
        Ok(())
    }

    /// Makes the content durable in a file of its own.
    async fn finish_file(mut self) -> Result<Written, ObjectError> {
        let gathered = std::mem::take(&mut self.gathered);
        let mut sink = self.take_sink()?;
        on_disk(&self.key, move || {
            sink.append(&gathered)?;
            sink.finish()
        })
        .await
    }

    /// Makes the content durable; that of an object, if it is `small`, is left to the index to be so.
    pub(crate) async fn finish(mut self) -> Result<Written, ObjectError> {
        if self.has_begun || self.bytes == 0 || self.bytes > self.small {
            return self.finish_file().await;
        }
        // No file was made.
        self.take_sink()?.guard.keep();
        let content: Bytes = match &mut self.gathered[..] {
            [only] => std::mem::take(only),
            several => several.concat().into(),
        };
        Ok(Written { segment: None, md5: Md5::digest(&content).into(), guard: None, small: Some(content) })
    }

    fn take_sink(&mut self) -> Result<Box<Sink>, ObjectError> {
        self.sink.take().ok_or_else(|| ObjectError::Io {
            key: self.key.clone(),
            reason: "an earlier write of this content failed".to_owned(),
        })
    }
}

impl Sink {
    fn append(&mut self, gathered: &[Bytes]) -> io::Result<()> {
        for bytes in gathered.iter().filter(|bytes| !bytes.is_empty()) {
            self.md5.update(bytes);
            self.writer()?.append(bytes)?;
        }
        Ok(())
    }

    /// The writer of the file, which is made for the first byte: empty content has no file.
    fn writer(&mut self) -> io::Result<&mut BlockWriter> {
        if self.writer.is_none() {
            let file = self.files.create(&self.file.temporary_path())?;
            self.writer = Some(BlockWriter::new(file));
        }
        Ok(self.writer.as_mut().expect("it was just made"))
    }

    fn finish(self) -> io::Result<Written> {
        let md5 = self.md5.finalize().into();
        let Some(mut writer) = self.writer else {
            self.guard.keep();
            return Ok(Written { small: None, segment: None, md5, guard: None });
        };
        let size = writer.finish()?;
        self.files.rename(&self.file.temporary_path(), &self.file.path())?;
        self.files.sync_dir(&self.file.shard())?;
        let segment = Some(Segment { file: self.file, size });
        Ok(Written { small: None, segment, md5, guard: Some(self.guard) })
    }
}

impl Written {
    pub(super) fn size(&self) -> u64 {
        let small = self.small.as_ref().map_or(0, |small| small.len() as u64);
        self.segment.map_or(small, |segment| segment.size)
    }

    pub(super) fn etag(&self) -> String {
        hex::encode(self.md5)
    }
}

/// The entity tag of an object made of parts, as S3 forms it: the MD5 of the parts' MD5s, and their number.
pub(super) fn etag_of_parts<'a>(etags: impl ExactSizeIterator<Item = &'a str>) -> String {
    let count = etags.len();
    let mut md5 = Md5::new();
    for etag in etags {
        md5.update(hex::decode(etag).expect("a part's etag is the MD5 we made"));
    }
    format!("{}-{count}", hex::encode(md5.finalize()))
}

/// Runs `work` on a thread that may block.
pub(super) async fn on_disk<T: Send + 'static>(
    key: &str,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ObjectError> {
    let done = tokio::task::spawn_blocking(work).await;
    let stopped = |_| ObjectError::Io { key: key.to_owned(), reason: "the disk's thread ended".to_owned() };
    done.map_err(stopped)?.map_err(|error| disk_error(key, &error))
}
