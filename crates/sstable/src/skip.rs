//! Steps over blocks that two tables have in common, without decoding them.

use crate::{Corruption, Cursor};

/// Steps both cursors over the data blocks that come next and are stored the same in both tables, byte for byte, so that a walk
/// over the differences need not read them. Does nothing unless each cursor stands before the first record of a block, as it does
/// after the last record of the one before. Returns how many blocks were stepped over.
///
/// The tables have to hold records of the same order of keys up to here: blocks that are equal then hold equal records, which are
/// no difference. Of each pair one checksum is compared, since damage may have made both what they are. The order of keys is checked
/// from the separator of the last block on.
///
/// # Errors
/// [`Corruption`] of a block, before which both cursors then stand.
pub fn skip_equal_blocks(one: &mut Cursor, other: &mut Cursor) -> Result<u64, Corruption> {
    let (Some(first), Some(other_first)) = (one.next_block(), other.next_block()) else {
        return Ok(0);
    };
    let mut skipped = 0;
    let result = loop {
        match are_equal(one, first + skipped, other, other_first + skipped) {
            Ok(true) => skipped += 1,
            Ok(false) => break Ok(skipped as u64),
            Err(corruption) => break Err(corruption),
        }
    };
    if skipped > 0 {
        one.skip_to(first + skipped);
        other.skip_to(other_first + skipped);
    }
    result
}

/// Whether there are such blocks, equal and whole.
fn are_equal(one: &Cursor, block: usize, other: &Cursor, other_block: usize) -> Result<bool, Corruption> {
    let (one, other) = (one.table(), other.table());
    if block >= one.index().blocks() || other_block >= other.index().blocks() {
        return Ok(false);
    }
    let (stored, other_stored) = (one.stored_data(block)?, other.stored_data(other_block)?);
    // Most that differ do so in their length or their checksum, which is last.
    let are_equal = stored.len() == other_stored.len()
        && stored.last_chunk::<4>() == other_stored.last_chunk()
        && stored == other_stored;
    if are_equal {
        one.check_checksum(block, stored)?;
    }
    Ok(are_equal)
}
