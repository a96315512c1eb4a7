//! Blocks compressed with snappy.

use bytes::Bytes;

use crate::Defect;

/// Snappy's densest element copies 64 bytes and takes 3, so no stream grows by more than 64 / 3 when uncompressed.
const MAX_GROWTH: u64 = 22;

/// Compresses blocks, one after the other.
#[derive(Debug)]
pub(crate) struct Encoder(snap::raw::Encoder);

impl Encoder {
    pub(crate) fn new() -> Self {
        Self(snap::raw::Encoder::new())
    }

    /// Puts the compressed contents at the start of `room`, which grows to hold them, and returns their length.
    pub(crate) fn compress(&mut self, contents: &[u8], room: &mut Vec<u8>) -> usize {
        let bound = snap::raw::max_compress_len(contents.len());
        room.resize(room.len().max(bound), 0);
        self.0
            .compress(contents, room)
            .expect("the room is snappy's own bound, and blocks are below its 4 GiB")
    }
}

/// The contents of a compressed block. No more is allocated than the payload can hold.
pub(crate) fn uncompress(payload: &[u8]) -> Result<Bytes, Defect> {
    let refused = |error: snap::Error| Defect::Snappy { reason: error.to_string() };
    let claimed = snap::raw::decompress_len(payload).map_err(refused)?;
    let stored = payload.len() as u64;
    if claimed as u64 > stored * MAX_GROWTH {
        return Err(Defect::SnappyClaim { claimed: claimed as u64, stored });
    }
    let contents = snap::raw::Decoder::new().decompress_vec(payload).map_err(refused)?;
    Ok(contents.into())
}
