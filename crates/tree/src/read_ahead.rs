//! How much of a range to read at a time.

use braid_sstable::TableIndex;

use crate::Wanted;

/// What a reader that went on behind its first block reads next, in bytes; each read after that is larger.
const FIRST_WINDOW: u64 = 64 << 10;
const GROWTH: u64 = 4;
/// From this window on a reader reads while it has records at hand; above it, it takes all of a range at once.
const LARGEST_WINDOW: u64 = 1 << 20;

/// Decides how much to read, from how far a reader went without a jump and from what it said it will take.
#[derive(Debug, Clone, Default)]
pub(crate) struct ReadAhead {
    /// Bytes of the next read; zero, which is one block, after a jump until a record is taken: what is sought may stand at the
    /// start of the block behind the one where it would be.
    window: u64,
    /// Records that the reader will surely take after a jump.
    first: u64,
    /// Records that the reader may still take, if it knows.
    left: Option<u64>,
}

impl ReadAhead {
    pub(crate) fn expect(&mut self, wanted: &Wanted) {
        (self.first, self.left) = (wanted.first, wanted.most);
    }

    /// The reader goes to where nothing was read ahead.
    pub(crate) fn jump(&mut self) {
        self.window = 0;
    }

    /// The reader took a record.
    #[inline]
    pub(crate) fn took(&mut self) {
        if self.window == 0 {
            self.window = FIRST_WINDOW;
        }
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(1);
        }
    }

    /// A read was done.
    pub(crate) fn grow(&mut self) {
        self.window = self.window.saturating_mul(GROWTH);
    }

    /// Where the next read of blocks from `start` on ends: behind `start`, and not behind `limit`.
    pub(crate) fn end(&self, index: &TableIndex, start: usize, limit: usize) -> usize {
        let most = self.left.map_or(limit, |left| start.saturating_add(blocks_of(index, left)));
        let limit = limit.min(most).max(start + 1);
        match self.window {
            0 if self.first <= 1 => start + 1,
            0 => limit.min(start.saturating_add(blocks_of(index, self.first))),
            window if window > LARGEST_WINDOW => limit,
            window => {
                let fits = (start + 1..=limit).take_while(|&end| {
                    let span = index.span(start..end);
                    span.end - span.start <= window
                });
                fits.last().unwrap_or(start + 1)
            }
        }
    }

    /// Whether to read on before it is needed, with so many records at hand.
    pub(crate) fn runs_ahead(&self, at_hand: u64) -> bool {
        self.window >= LARGEST_WINDOW && self.left.is_none_or(|left| left > at_hand)
    }

    /// Whether to read a whole range of so many records at once.
    pub(crate) fn takes_whole(&self, count: u64) -> bool {
        self.window > LARGEST_WINDOW && self.left.is_none_or(|left| left >= count)
    }
}

/// How many records a block has, about.
pub(crate) fn records_a_block(index: &TableIndex) -> u64 {
    (index.count() / (index.blocks() as u64).max(1)).max(1)
}

/// How many blocks hold so many records, the first of which may be the last of its block.
fn blocks_of(index: &TableIndex, records: u64) -> usize {
    let blocks = records.div_ceil(records_a_block(index)) + 1;
    usize::try_from(blocks).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use braid_sstable::{Table, Writer, WriterOptions};
    use xxhash_rust::xxh3::xxh3_64;

    use super::*;

    /// An index of a table of some megabytes, in blocks of 4 KiB.
    fn index() -> TableIndex {
        let mut writer = Writer::new(WriterOptions::default());
        for number in 0..60_000_u64 {
            let value: Vec<_> = (0..5)
                .flat_map(|part: u64| xxh3_64(&(5 * number + part).to_le_bytes()).to_le_bytes())
                .collect();
            writer.add(format!("{number:06}").as_bytes(), &value).unwrap();
        }
        let table = Table::open(writer.finish(&BTreeMap::new()).unwrap().into()).unwrap();
        table.index().clone()
    }

    fn expecting(first: u64, most: Option<u64>) -> ReadAhead {
        let mut ahead = ReadAhead::default();
        ahead.expect(&Wanted { first, most, ..Wanted::default() });
        ahead
    }

    /// How many blocks each of some reads in a row takes.
    fn reads(ahead: &mut ReadAhead, index: &TableIndex, reads: usize) -> Vec<usize> {
        let mut start = 0;
        let mut sizes = Vec::new();
        while sizes.len() < reads && start < index.blocks() {
            let end = ahead.end(index, start, index.blocks());
            sizes.push(end - start);
            ahead.took();
            ahead.grow();
            start = end;
        }
        sizes
    }

    #[test]
    fn reads_grow_until_a_jump() {
        let index = index();
        let mut ahead = ReadAhead::default();
        let sizes = reads(&mut ahead, &index, 5);
        assert_eq!((sizes[0], sizes.iter().sum::<usize>()), (1, index.blocks()));
        assert!(sizes.windows(2).all(|pair| pair[0] < pair[1]), "{sizes:?}");
        assert!(ahead.takes_whole(u64::MAX) && ahead.runs_ahead(u64::MAX));
        ahead.jump();
        assert!(!ahead.takes_whole(1) && !ahead.runs_ahead(0));
        assert_eq!(ahead.end(&index, 7, index.blocks()), 8);
        ahead.grow();
        assert_eq!(ahead.end(&index, 8, index.blocks()), 9, "no record was taken since");
    }

    #[test]
    fn reads_keep_to_what_will_be_taken_and_to_the_limit() {
        let index = index();
        let a_block = records_a_block(&index);
        assert_eq!(expecting(5 * a_block, None).end(&index, 0, index.blocks()), 6);
        assert_eq!(expecting(5 * a_block, None).end(&index, 0, 3), 3);
        let mut ahead = expecting(1, Some(9 * a_block));
        assert!(reads(&mut ahead, &index, 3).iter().all(|&size| size <= 10));
        assert!(!ahead.takes_whole(9 * a_block) && !ahead.runs_ahead(9 * a_block));
        assert_eq!(ahead.end(&index, 4, 5), 5);
        assert_eq!(expecting(u64::MAX, Some(u64::MAX)).end(&index, 0, index.blocks()), index.blocks());
    }
}
