//! A block as it is stored: payload, compression type, checksum.

use bytes::Bytes;

use crate::{BlockHandle, Corruption, Defect, checksum, snappy_codec, zstd_codec};

/// Length of what follows each block's payload, in bytes: compression type and checksum.
pub const TRAILER_LEN: usize = 5;

const TYPE_NONE: u8 = 0;
const TYPE_SNAPPY: u8 = 1;
const TYPE_ZSTD: u8 = 7;

/// How blocks are compressed, where that saves more than an eighth of the block. Readers take any, each block by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Not at all.
    None,
    /// Snappy.
    #[default]
    Snappy,
    /// Zstandard.
    Zstd {
        /// How hard to try: 1 to 19; numbers outside are taken as the nearest.
        level: i32,
    },
}

/// The uncompressed contents of a block. `stored` is its payload and trailer, which stand at `offset` in the file; it is
/// shared, not copied, if the block is not compressed. No more is allocated than the payload can hold, and for Zstandard, which
/// can make much of little, no more than 16 MiB.
pub fn decode_block(stored: &Bytes, offset: u64) -> Result<Bytes, Corruption> {
    let corrupted = |what| Corruption::new(offset, what);
    let payload_len = check(stored).map_err(corrupted)?;
    let payload = &stored[..payload_len];
    match stored[payload_len] {
        TYPE_NONE => Ok(stored.slice(..payload_len)),
        TYPE_SNAPPY => snappy_codec::uncompress(payload).map_err(corrupted),
        TYPE_ZSTD => zstd_codec::uncompress(payload).map_err(corrupted),
        found => Err(corrupted(Defect::CompressionType { found })),
    }
}

/// Compares the checksum of a stored block and returns its payload's length.
pub(crate) fn check(stored: &[u8]) -> Result<usize, Defect> {
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

/// Appends blocks to a file, with their trailers.
#[derive(Debug)]
pub(crate) struct BlockSealer {
    encoder: Encoder,
    /// Room for a compressed block.
    scratch: Vec<u8>,
}

#[derive(Debug)]
enum Encoder {
    None,
    Snappy(Box<snappy_codec::Encoder>),
    Zstd(zstd_codec::Encoder),
}

impl BlockSealer {
    pub(crate) fn new(compression: Compression) -> Self {
        let encoder = match compression {
            Compression::None => Encoder::None,
            Compression::Snappy => Encoder::Snappy(Box::new(snappy_codec::Encoder::new())),
            Compression::Zstd { level } => Encoder::Zstd(zstd_codec::Encoder::new(level)),
        };
        Self { encoder, scratch: Vec::new() }
    }

    /// Appends a block, compressed if that is asked for and pays.
    pub(crate) fn append(&mut self, contents: &[u8], file: &mut Vec<u8>) -> BlockHandle {
        match self.compress(contents) {
            Some((compression_type, len)) if len < contents.len() - contents.len() / 8 => {
                append_stored(&self.scratch[..len], compression_type, file)
            }
            _ => append_plain(contents, file),
        }
    }

    /// Puts the compressed contents at the start of `scratch` and returns their type and length; `None` if they are not to be
    /// compressed.
    fn compress(&mut self, contents: &[u8]) -> Option<(u8, usize)> {
        match &mut self.encoder {
            Encoder::None => None,
            Encoder::Snappy(encoder) => Some((TYPE_SNAPPY, encoder.compress(contents, &mut self.scratch))),
            Encoder::Zstd(encoder) => Some((TYPE_ZSTD, encoder.compress(contents, &mut self.scratch)?)),
        }
    }
}

/// Appends a block as it is stored elsewhere, payload and trailer.
pub(crate) fn append_as_is(stored: &[u8], file: &mut Vec<u8>) -> BlockHandle {
    let handle = BlockHandle { offset: file.len() as u64, size: (stored.len() - TRAILER_LEN) as u64 };
    file.extend_from_slice(stored);
    handle
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
