//! Where a table's data blocks stand: mostly one right after the other, so that one number each says it.

use crate::{BlockHandle, TRAILER_LEN};

/// Blocks in the order of the file, of which none overlaps another.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// Where each starts, and where the last ends.
    bounds: Offsets,
    /// The lengths of their payloads, if there are gaps between blocks.
    sizes: Option<Box<[u64]>>,
}

/// Offsets in a file, of half the size if it is below 4 GiB.
#[derive(Debug, Clone)]
enum Offsets {
    Narrow(Box<[u32]>),
    Wide(Box<[u64]>),
}

impl Places {
    /// The places of blocks that stand one after the other.
    pub(crate) fn new(handles: &[BlockHandle]) -> Self {
        let end = handles.last().map_or(0, block_end);
        let starts = handles.iter().map(|handle| handle.offset);
        let has_gaps = handles.windows(2).any(|pair| block_end(&pair[0]) != pair[1].offset);
        let sizes = has_gaps.then(|| handles.iter().map(|handle| handle.size).collect());
        Self { bounds: Offsets::new(starts.chain([end]).collect(), end), sizes }
    }

    pub(crate) fn get(&self, index: usize) -> BlockHandle {
        let offset = self.bounds.get(index);
        let size = match &self.sizes {
            Some(sizes) => sizes[index],
            None => self.bounds.get(index + 1) - offset - TRAILER_LEN as u64,
        };
        BlockHandle { offset, size }
    }

    /// What they take on the heap, in bytes.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.bounds.heap_bytes() + self.sizes.as_deref().map_or(0, size_of_val)
    }
}

impl Offsets {
    fn new(offsets: Vec<u64>, greatest: u64) -> Self {
        if u32::try_from(greatest).is_err() {
            return Self::Wide(offsets.into());
        }
        Self::Narrow(offsets.into_iter().map(|offset| offset as u32).collect())
    }

    fn get(&self, index: usize) -> u64 {
        match self {
            Self::Narrow(offsets) => offsets[index].into(),
            Self::Wide(offsets) => offsets[index],
        }
    }

    fn heap_bytes(&self) -> usize {
        match self {
            Self::Narrow(offsets) => size_of_val(&**offsets),
            Self::Wide(offsets) => size_of_val(&**offsets),
        }
    }
}

fn block_end(handle: &BlockHandle) -> u64 {
    handle.offset + handle.size + TRAILER_LEN as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Blocks of these payloads with these gaps before them.
    fn handles(start: u64, blocks: &[(u64, u64)]) -> Vec<BlockHandle> {
        let mut end = start;
        let mut handles = Vec::new();
        for (gap, size) in blocks {
            let handle = BlockHandle { offset: end + gap, size: *size };
            end = block_end(&handle);
            handles.push(handle);
        }
        handles
    }

    #[test]
    fn places_are_what_they_were_made_of() {
        let four_gib = 1 << 32;
        for (start, blocks, heap_bytes) in [
            (0, vec![], 4),
            (0, vec![(0, 8)], 8),
            (7, vec![(0, 1), (0, 0), (0, 90)], 16),
            (0, vec![(0, 1), (3, 2)], 12 + 16),
            (four_gib - 20, vec![(0, 14)], 8),
            (four_gib - 20, vec![(0, 15)], 16),
            (four_gib, vec![(0, 5), (1, 2 * four_gib)], 24 + 16),
        ] {
            let handles = handles(start, &blocks);
            let places = Places::new(&handles);
            let found: Vec<_> = (0..handles.len()).map(|index| places.get(index)).collect();
            assert_eq!(found, handles);
            assert_eq!(places.heap_bytes(), heap_bytes, "{blocks:?} from {start}");
        }
    }
}
