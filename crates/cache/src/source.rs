//! Files as the object store has them: read whole, at their ends, or in parts.

use std::ops::Range;
use std::sync::Arc;

use braid_objects::{ByteRange, ObjectError, ObjectStore, PutOptions};
use braid_tree::{DataBlock, FileId, TableIndex, Tail, TreeError, open_range_index, read_range_block};
use braid_types::RangeId;
use bytes::Bytes;

use crate::counters::Counters;
use crate::error::tree_error;

/// How much of the end of a range's file is read for its index: more than that and the properties take in what Braid
/// writes, and for so much a request takes hardly longer than for less.
const TAIL_BYTES: u64 = 64 << 10;

/// How often the end of a file is read before it has all it takes: the footer tells where the index is, and its top level
/// where the rest of it is.
const TAIL_READS: usize = 4;

/// The files of a storage namespace.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    objects: Arc<dyn ObjectStore>,
}

impl Source {
    pub(crate) fn new(objects: Arc<dyn ObjectStore>) -> Self {
        Self { objects }
    }

    /// A whole file.
    pub(crate) async fn whole(&self, file: FileId, counters: Option<&Counters>) -> Result<Bytes, TreeError> {
        let read = self.objects.get(&object_key(file), None).await;
        let bytes = read.map_err(|error| tree_error(file, &error))?;
        if let Some(counters) = counters {
            counters.read(bytes.len());
        }
        Ok(bytes)
    }

    /// A range's index, and the bytes at the end of the file that were read for it.
    pub(crate) async fn index(
        &self,
        id: &RangeId,
        counters: &Counters,
    ) -> Result<(TableIndex, Bytes), TreeError> {
        let mut wanted = TAIL_BYTES;
        for _ in 0..TAIL_READS {
            let tail = self.part(id, ByteRange::Last(wanted), counters).await?;
            let len = tail.len() as u64;
            let file_len = (len < wanted).then_some(len);
            match open_range_index(id, tail.clone(), file_len)? {
                Tail::Opened(index) => return Ok((index, tail)),
                Tail::Short { needed } => wanted = needed.max(wanted + 1),
            }
        }
        let what = format!("its index is not within the {wanted} bytes at its end that it should be in");
        Err(TreeError::Corrupt { file: (*id).into(), what, offset: None })
    }

    /// These blocks of a range, of which there is at least one.
    pub(crate) async fn blocks(
        &self,
        id: &RangeId,
        index: &Arc<TableIndex>,
        blocks: Range<usize>,
        counters: &Counters,
    ) -> Result<Vec<DataBlock>, TreeError> {
        let span = index.span(blocks.clone());
        let bytes = self.part(id, span.clone().into(), counters).await?;
        let (id, index) = (*id, Arc::clone(index));
        off_the_runtime(bytes.len(), move || {
            blocks.map(|block| read_block(&id, &index, block, &bytes, span.start)).collect()
        })
        .await
    }

    /// Writes a file. An object of its name can only be this file.
    pub(crate) async fn write(
        &self,
        file: FileId,
        body: Bytes,
        counters: &Counters,
    ) -> Result<(), TreeError> {
        let len = body.len();
        match self.objects.put(&object_key(file), body, PutOptions::if_absent()).await {
            Ok(_) | Err(ObjectError::AlreadyExists { .. }) => {
                counters.written(len);
                Ok(())
            }
            Err(error) => Err(tree_error(file, &error)),
        }
    }

    async fn part(&self, id: &RangeId, part: ByteRange, counters: &Counters) -> Result<Bytes, TreeError> {
        let file = FileId::from(*id);
        match self.objects.get(&object_key(file), Some(part)).await {
            Ok(bytes) => {
                counters.read(bytes.len());
                Ok(bytes)
            }
            Err(ObjectError::InvalidRange { .. }) => Err(TreeError::Corrupt {
                file,
                what: "it ends before what is read of it".to_owned(),
                offset: None,
            }),
            Err(error) => Err(tree_error(file, &error)),
        }
    }
}

/// Decodes a block out of bytes of the file that start at the offset `at`.
pub(crate) fn read_block(
    id: &RangeId,
    index: &TableIndex,
    block: usize,
    bytes: &Bytes,
    at: u64,
) -> Result<DataBlock, TreeError> {
    let Some(stored) = index.stored(block, bytes, at) else {
        let what = format!("it ends before the end of block {block}");
        return Err(TreeError::Corrupt { file: (*id).into(), what, offset: None });
    };
    // A block that is not compressed shares the memory of what it was read from, which must not be that of its neighbours.
    read_range_block(id, index, block, &Bytes::copy_from_slice(&stored))
}

/// Where a range or metarange is kept, relative to the storage namespace.
pub(crate) fn object_key(file: FileId) -> String {
    format!("_lakefs/{}", file.to_hex())
}

/// Decoding so many bytes takes some hundred microseconds.
const SHORT_WORK_BYTES: usize = 64 << 10;

/// Does work on so many bytes; if they are many, where it does not hold up the tasks that share the thread.
pub(crate) async fn off_the_runtime<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, TreeError> + Send + 'static,
) -> Result<T, TreeError> {
    if bytes <= SHORT_WORK_BYTES {
        return work();
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failure) => match failure.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(failure) => {
                let message = format!("the check of a file was stopped: {failure}");
                Err(braid_types::Error::new(braid_types::Code::Unavailable, "range cache", message).into())
            }
        },
    }
}
