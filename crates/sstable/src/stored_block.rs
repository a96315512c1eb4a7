//! A block as it is stored: payload, compression type, checksum.

use bytes::Bytes;

use crate::{BlockHandle, Corruption, Defect, checksum};

/// Length of what follows each block's payload, in bytes: compression type and checksum.
pub const TRAILER_LEN: usize = 5;

const TYPE_NONE: u8 = 0;
const TYPE_SNAPPY: u8 = 1;
/// Snappy's densest element copies 64 bytes and takes 3, so no stream grows by more than 64 / 3 when uncompressed.
const SNAPPY_MAX_GROWTH: u64 = 22;

/// How blocks are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy, where that saves more than an eighth of the block.
    #[default]
    Snappy,
}

/// The uncompressed contents of a block. `stored` is its payload and trailer, which stand at `offset` in the file; it is
/// shared, not copied, if the block is not compressed. No more is allocated than the payload can hold.
pub fn decode_block(stored: &Bytes, offset: u64) -> Result<Bytes, Corruption> {
    let payload_len = check(stored).map_err(|what| Corruption::new(offset, what))?;
    let payload = stored.slice(..payload_len);
    match stored[payload_len] {
        TYPE_NONE => Ok(payload),
        TYPE_SNAPPY => uncompress(&payload).map_err(|what| Corruption::new(offset, what)),
        found => Err(Corruption::new(offset, Defect::CompressionType { found })),
    }
}

/// Compares the checksum and returns the payload's length.
fn check(stored: &[u8]) -> Result<usize, Defect> {
    let Some((payload, &[compression_type, ref checksum @ ..])) = stored.split_last_chunk::<TRAILER_LEN>()
    else {
        return Err(Defect::BlockTooShort { len: stored.len() });
    };
    let stored = u32::from_le_bytes(*checksum);
    let computed = checksum::masked(payload, compression_type);
    if stored != computed {
        return Err(Defect::Checksum { stored, computed });
    }
    Ok(payload.len())
}

fn uncompress(payload: &[u8]) -> Result<Bytes, Defect> {
    let refused = |error: snap::Error| Defect::Snappy { reason: error.to_string() };
    let claimed = snap::raw::decompress_len(payload).map_err(refused)?;
    let stored = payload.len() as u64;
    if claimed as u64 > stored * SNAPPY_MAX_GROWTH {
        return Err(Defect::SnappyClaim { claimed: claimed as u64, stored });
    }
    let contents = snap::raw::Decoder::new().decompress_vec(payload).map_err(refused)?;
    Ok(contents.into())
}

/// Appends blocks to a file, with their trailers.
#[derive(Debug)]
pub(crate) struct BlockSealer {
    compression: Compression,
    encoder: snap::raw::Encoder,
    scratch: Vec<u8>,
}

impl BlockSealer {
    pub(crate) fn new(compression: Compression) -> Self {
        Self { compression, encoder: snap::raw::Encoder::new(), scratch: Vec::new() }
    }

    /// Appends a block, compressed if that is asked for and pays.
    pub(crate) fn append(&mut self, contents: &[u8], file: &mut Vec<u8>) -> BlockHandle {
        match self.compression {
            Compression::None => append_stored(contents, TYPE_NONE, file),
            Compression::Snappy => self.append_compressed(contents, file),
        }
    }

    fn append_compressed(&mut self, contents: &[u8], file: &mut Vec<u8>) -> BlockHandle {
        let room = snap::raw::max_compress_len(contents.len());
        if self.scratch.len() < room {
            self.scratch.resize(room, 0);
        }
        let len = self
            .encoder
            .compress(contents, &mut self.scratch)
            .expect("the room is snappy's own bound, and blocks are below its 4 GiB");
        if len < contents.len() - contents.len() / 8 {
            return append_stored(&self.scratch[..len], TYPE_SNAPPY, file);
        }
        append_stored(contents, TYPE_NONE, file)
    }
}

/// Appends a block that is never compressed.
pub(crate) fn append_plain(contents: &[u8], file: &mut Vec<u8>) -> BlockHandle {
    append_stored(contents, TYPE_NONE, file)
}

fn append_stored(payload: &[u8], compression_type: u8, file: &mut Vec<u8>) -> BlockHandle {
    let handle = BlockHandle { offset: file.len() as u64, size: payload.len() as u64 };
    file.extend_from_slice(payload);
    file.push(compression_type);
    file.extend(checksum::masked(payload, compression_type).to_le_bytes());
    handle
}
