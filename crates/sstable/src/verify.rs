//! The full check of a table.

use crate::block::Block;
use crate::block_cursor::{BlockCursor, KeyForm};
use crate::index::handle_at;
use crate::properties::{self, NUM_DATA_BLOCKS, NUM_ENTRIES, RAW_KEY_SIZE, RAW_VALUE_SIZE, Totals};
use crate::{BlockHandle, Corruption, Defect, Table, key};

/// Reads all of a table and checks what reading a part of it cannot: that the keys of each block are between the separators
/// in the index, that restart points lead to entries, and that the properties count what is there. Checksums and the order
/// of keys are checked by all reading, so also by this.
///
/// # Errors
/// The first corruption that [`verify_all`] finds.
pub fn verify(table: &Table) -> Result<(), Corruption> {
    let mut first = None;
    verify_all(
        table,
        |_, _, _| {},
        |corruption| {
            first.get_or_insert(corruption);
        },
    );
    first.map_or(Ok(()), Err)
}

/// Does what [`verify`] does, hands each record to `record` (where its block stands, its key, its value), and each
/// corruption to `corrupted`. A damaged block does not hide what is wrong with others: it is left where it is found damaged,
/// and records before that have been handed over.
pub fn verify_all(
    table: &Table,
    mut record: impl FnMut(u64, &[u8], &[u8]),
    mut corrupted: impl FnMut(Corruption),
) {
    let mut is_sound = true;
    let mut report = |corruption| {
        is_sound = false;
        corrupted(corruption);
    };
    check_index(table).unwrap_or_else(&mut report);
    let mut totals = table.range_deletions();
    let mut index = table.index_cursor();
    let mut bounds = Bounds::default();
    while let Some(handle) = table.next_entry(&mut index).unwrap_or_else(|corruption| {
        report(corruption);
        None
    }) {
        let checked = check_block(table, handle, |key, user_key, value| {
            bounds.check(key, index.internal_separator())?;
            totals.count(key, value);
            record(handle.offset, user_key, value);
            Ok(())
        });
        checked.unwrap_or_else(&mut report);
        totals.data_blocks += 1;
        bounds.end(index.internal_separator());
    }
    if is_sound && let Err(what) = check_totals(table, &totals) {
        corrupted(Corruption::new(table.properties_offset(), what));
    }
}

/// Reads one block and hands on its records: internal key, user key, value.
fn check_block(
    table: &Table,
    handle: BlockHandle,
    mut record: impl FnMut(&[u8], &[u8], &[u8]) -> Result<(), Defect>,
) -> Result<(), Corruption> {
    let block = table.read_block(handle)?;
    check_restart_points(&block, KeyForm::Record)?;
    if block.entries_end() == 0 && !table.index().has_no_records() {
        return Err(Corruption::new(handle.offset, Defect::SeparatorBounds));
    }
    // Its own cursor, so that its keys are not held against those of a block that stands in another's place; separators keep
    // the order from one block to the next.
    let mut records = BlockCursor::new(block, KeyForm::Record);
    while records.advance()? {
        record(records.key(), records.user_key(), records.value())
            .map_err(|what| records.corruption(what))?;
    }
    Ok(())
}

/// The separator of the block before: every key must come after it, and not after the separator of its own block.
#[derive(Default)]
struct Bounds {
    previous: Option<Vec<u8>>,
}

impl Bounds {
    /// Checks an internal key of the block that has this separator. Trailers do not help a key to come after the separator
    /// before: a lookup of its user key goes to the block before.
    fn check(&self, key: &[u8], separator: &[u8]) -> Result<(), Defect> {
        let after_previous =
            self.previous.as_ref().is_none_or(|previous| key::user_key(previous) < key::user_key(key));
        if after_previous && key::compare(key, separator).is_le() {
            return Ok(());
        }
        Err(Defect::SeparatorBounds)
    }

    /// Goes on to the block after the one that has this separator.
    fn end(&mut self, separator: &[u8]) {
        self.previous = Some(separator.to_vec());
    }
}

/// Checks the index's own blocks, and that the separators of each partition are between those of the top level.
fn check_index(table: &Table) -> Result<(), Corruption> {
    check_restart_points(table.index_block(), KeyForm::Bound)?;
    if !table.has_two_levels() {
        return Ok(());
    }
    let mut top = BlockCursor::new(table.index_block().clone(), KeyForm::Bound);
    let mut partition = BlockCursor::new(Block::empty(), KeyForm::Bound);
    let mut bounds = Bounds::default();
    while top.advance()? {
        let block = table.read_block(handle_at(&top)?)?;
        check_restart_points(&block, KeyForm::Bound)?;
        partition.enter(block);
        while partition.advance()? {
            bounds.check(partition.key(), top.key()).map_err(|what| partition.corruption(what))?;
        }
        bounds.end(top.key());
    }
    Ok(())
}

/// Checks that each restart point leads to an entry that the walk from the block's start meets, and that stores its key
/// whole: otherwise a seek would read something else than a walk.
fn check_restart_points(block: &Block, form: KeyForm) -> Result<(), Corruption> {
    let mut cursor = BlockCursor::new(block.clone(), form);
    let mut met = 0;
    while cursor.advance()? {
        if met < block.restarts()
            && block.restart(met) == cursor.at()
            && block.entry(cursor.at())?.shared == 0
        {
            met += 1;
        }
    }
    let has_entries = block.entries_end() > 0;
    if has_entries && met < block.restarts() {
        return Err(cursor.corruption(Defect::RestartEntry { at: block.restart(met) }));
    }
    Ok(())
}

fn check_totals(table: &Table, totals: &Totals) -> Result<(), Defect> {
    let counted = [
        (NUM_ENTRIES, totals.entries),
        (NUM_DATA_BLOCKS, totals.data_blocks),
        (RAW_KEY_SIZE, totals.raw_key_size),
        (RAW_VALUE_SIZE, totals.raw_value_size),
    ];
    for (name, found) in counted {
        let stated = properties::number(table.properties(), name)?;
        if stated != found {
            return Err(Defect::PropertyCount { name, stated, found });
        }
    }
    Ok(())
}
