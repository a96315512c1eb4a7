//! An object being read.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;

use super::blocks;
use super::files::{Files, ReadFile};
use super::pins::Pinned;
use super::record::{Segment, StoredObject};
use super::upload::on_disk;
use crate::{ByteRange, ObjectError};

/// How much is read at a time.
const CHUNK: u64 = 1 << 20;

/// One state of an object. Its content stays readable while this lives, whatever happens to the object.
#[derive(Debug)]
pub(crate) struct Content {
    key: String,
    object: StoredObject,
    /// The content, if it was in the index.
    small: Option<Bytes>,
    reader: Reader,
}

#[derive(Debug, Clone)]
struct Reader {
    files: Arc<dyn Files>,
    _pinned: Arc<Pinned>,
    /// The file read last, kept open for the next chunk.
    open: Option<(Segment, Arc<dyn ReadFile>)>,
}

/// What to read from one file: the offsets within it.
type Piece = (Segment, Range<u64>);

impl Content {
    pub(super) fn new(
        key: &str,
        object: StoredObject,
        small: Option<Bytes>,
        files: Arc<dyn Files>,
        pinned: Pinned,
    ) -> Self {
        let reader = Reader { files, _pinned: Arc::new(pinned), open: None };
        Self { key: key.to_owned(), object, small, reader }
    }

    pub(crate) fn object(&self) -> &StoredObject {
        &self.object
    }

    /// The offsets that `range` comes to in this object.
    pub(crate) fn resolve(&self, range: Option<ByteRange>) -> Result<Range<u64>, ObjectError> {
        match range {
            None => Ok(0..self.object.size),
            Some(range) => range
                .within(self.object.size)
                .ok_or_else(|| ObjectError::InvalidRange { key: self.key.clone() }),
        }
    }

    /// Reads the offsets of `range` into memory.
    pub(crate) async fn read(self, range: Range<u64>) -> Result<Bytes, ObjectError> {
        if let Some(small) = self.small {
            return Ok(small.slice(in_memory(range.start)..in_memory(range.end)));
        }
        let length = in_memory(range.end - range.start);
        let pieces = pieces(&self.object.content, range);
        let mut reader = self.reader;
        on_disk(&self.key, move || {
            let mut bytes = Vec::with_capacity(length);
            for piece in pieces {
                reader.append(piece, &mut bytes)?;
            }
            Ok(bytes.into())
        })
        .await
    }

    /// Reads the offsets of `range` in chunks, each when it is asked for.
    pub(crate) fn stream(
        self,
        range: Range<u64>,
    ) -> impl Stream<Item = Result<Bytes, ObjectError>> + Send + Sync + 'static {
        let pieces = pieces(&self.object.content, range.clone()).into_iter();
        let small = self.small.map(|small| small.slice(in_memory(range.start)..in_memory(range.end)));
        let state = (self.key, self.reader, pieces, small.filter(|small| !small.is_empty()));
        futures::stream::try_unfold(state, |(key, mut reader, mut pieces, small)| async move {
            if let Some(small) = small {
                return Ok(Some((small, (key, reader, pieces, None))));
            }
            let Some(piece) = pieces.next() else { return Ok(None) };
            let work = move || {
                let mut bytes = Vec::new();
                reader.append(piece, &mut bytes)?;
                Ok((Bytes::from(bytes), reader))
            };
            let (bytes, reader) = on_disk(&key, work).await?;
            Ok(Some((bytes, (key, reader, pieces, None))))
        })
    }
}

impl Reader {
    fn append(&mut self, (segment, range): Piece, bytes: &mut Vec<u8>) -> std::io::Result<()> {
        let file = match &self.open {
            Some((open, file)) if *open == segment => Arc::clone(file),
            _ => Arc::from(self.files.open(&segment.file.path())?),
        };
        self.open = Some((segment, Arc::clone(&file)));
        blocks::read(&*file, segment.size, range, bytes)
    }
}

fn in_memory(offset: u64) -> usize {
    usize::try_from(offset).expect("what is asked for fits in memory")
}

/// Cuts `range` of an object made of `content` where files, and chunks of a file, end.
fn pieces(content: &[Segment], range: Range<u64>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut start = 0;
    for segment in content {
        let end = start + segment.size;
        let mut at = range.start.max(start);
        while at < range.end.min(end) {
            let inside = at - start;
            let chunk_end = (inside / CHUNK + 1) * CHUNK;
            let stop = chunk_end.min(range.end.min(end) - start);
            pieces.push((*segment, inside..stop));
            at = start + stop;
        }
        start = end;
    }
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::record::FileId;
    use super::*;

    proptest! {
        #[test]
        fn pieces_cover_the_range_once(
            sizes in proptest::collection::vec(0..3 * CHUNK, 0..5), a in 0..8 * CHUNK, b in 0..8 * CHUNK,
        ) {
            let segment = |(number, size)| Segment { file: FileId { boot: 1, number }, size };
            let content: Vec<Segment> = (0_u64..).zip(sizes.iter().copied()).map(segment).collect();
            let total: u64 = sizes.iter().sum();
            let range = a.min(b).min(total)..a.max(b).min(total);
            let mut at = range.start;
            for (segment, part) in pieces(&content, range.clone()) {
                let start: u64 = sizes[..usize::try_from(segment.file.number).unwrap()].iter().sum();
                prop_assert_eq!(start + part.start, at);
                prop_assert!(part.start < part.end && part.end <= segment.size && part.end - part.start <= CHUNK);
                at = start + part.end;
            }
            prop_assert_eq!(at, range.end);
        }
    }
}
