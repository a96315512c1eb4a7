//! Puts pieces together to the ranges of a tree.
//!
//! Each unit is folded as if a range began where the unit begins. Where the pieces before end in a range that is still
//! open, that is not so: then the open range goes on through the pieces that follow, record by record, until one of
//! its ends meets one of theirs.

use std::mem;
use std::sync::Arc;

use super::piece::{Piece, Reused, Written};
use super::unit::{Passed, pass_over};
use crate::range_builder::RangeBuilder;
use crate::range_file::open_described;
use crate::run::Bounds;
use crate::{Pool, RangeDescriptor, RangeStore, TreeError, TreeFormat, open_range};

/// Takes pieces in key order.
pub(crate) struct Stitcher {
    store: Arc<dyn RangeStore>,
    pool: Pool,
    format: TreeFormat,
    /// The new tree's ranges so far.
    ranges: Vec<RangeDescriptor>,
    /// The range behind them, which may go on.
    last: Last,
    /// Ranges among them that are not in the store yet.
    finished: Vec<Written>,
    stitched: Stitched,
}

enum Last {
    /// Records of a range that goes on.
    Open(Box<RangeBuilder>),
    /// Another tree's last range, into which belongs what follows; or the first part of a range. The former is
    /// reused if nothing follows, the latter if the rest of the range does.
    Reused(Reused),
    /// There is none: what follows begins a range.
    None,
}

/// What became of other trees' ranges.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Stitched {
    /// How many were read to go on through them.
    pub(crate) read: u64,
    /// How many are part of the new tree.
    pub(crate) reused: u64,
    /// How many of the source of a merge are part of the new tree.
    pub(crate) taken: u64,
}

impl Stitcher {
    pub(crate) fn new(store: Arc<dyn RangeStore>, pool: Pool, format: TreeFormat) -> Self {
        let (ranges, finished, stitched) = (Vec::new(), Vec::new(), Stitched::default());
        Self { store, pool, format, ranges, last: Last::None, finished, stitched }
    }

    /// Adds a range of another tree. Gives it back if that takes going through it.
    pub(crate) fn try_reuse(&mut self, reused: Reused) -> Option<Reused> {
        match self.last {
            Last::None => {
                self.settle(Piece::Reused(reused));
                None
            }
            _ => Some(reused),
        }
    }

    /// Adds a piece.
    pub(crate) async fn push(&mut self, piece: Piece) -> Result<(), TreeError> {
        match (mem::replace(&mut self.last, Last::None), piece) {
            (Last::None, Piece::Reused(reused)) if reused.part.from.is_some() => {
                let passed = self.open(reused).await?;
                self.go_through(None, passed).await?;
            }
            (Last::None, piece) => self.settle(piece),
            (Last::Reused(first), Piece::Reused(next)) if first.joined(&next).is_some() => {
                self.last = first.joined(&next).map_or(Last::None, Last::Reused);
                self.let_go();
            }
            (Last::Reused(reused), Piece::End) if reused.is_whole() => self.last = Last::Reused(reused),
            (Last::Reused(reused), piece) => {
                let reopened = self.open(reused).await?;
                self.go_through(None, reopened).await?;
                Box::pin(self.push(piece)).await?;
            }
            (Last::Open(open), Piece::End) => {
                let written = Written::of(*open, self.pool.checkpoints())?;
                self.write(written);
            }
            (Last::Open(open), piece) => {
                let passed = self.passed(piece).await?;
                self.go_through(Some(*open), passed).await?;
            }
        }
        Ok(())
    }

    /// Ends the tree.
    pub(crate) async fn end(&mut self) -> Result<(), TreeError> {
        match mem::replace(&mut self.last, Last::None) {
            Last::Reused(reused) if reused.is_whole() => self.reuse(reused),
            // The rest of that range is gone.
            Last::Reused(reused) => {
                let reopened = self.open(reused).await?;
                self.go_through(None, reopened).await?;
            }
            last => self.last = last,
        }
        if let Last::Open(open) = mem::replace(&mut self.last, Last::None) {
            let written = Written::of(*open, self.pool.checkpoints())?;
            self.write(written);
        }
        Ok(())
    }

    /// Ranges that were finished since this was asked last.
    pub(crate) fn take_finished(&mut self) -> Vec<Written> {
        mem::take(&mut self.finished)
    }

    /// The tree's ranges, and what became of others.
    pub(crate) fn into_ranges(self) -> (Vec<RangeDescriptor>, Stitched) {
        (self.ranges, self.stitched)
    }

    /// Adds a piece at a boundary.
    fn settle(&mut self, piece: Piece) {
        match piece {
            Piece::Reused(reused) => {
                self.last = Last::Reused(reused);
                self.let_go();
            }
            Piece::Written(written) => self.write(written),
            Piece::Open(open) => self.last = Last::Open(open),
            Piece::End => {}
        }
    }

    /// Reuses the range behind, if it is whole and nothing that follows belongs into it.
    fn let_go(&mut self) {
        match mem::replace(&mut self.last, Last::None) {
            Last::Reused(reused) if reused.is_whole() && !reused.goes_on(&self.format) => self.reuse(reused),
            last => self.last = last,
        }
    }

    fn reuse(&mut self, reused: Reused) {
        match reused.is_taken {
            true => self.stitched.taken += 1,
            false => self.stitched.reused += 1,
        }
        self.ranges.push(reused.range);
    }

    fn write(&mut self, written: Written) {
        self.ranges.push(written.range.clone());
        self.finished.push(written);
    }

    async fn go_through(&mut self, open: Option<RangeBuilder>, passed: Passed) -> Result<(), TreeError> {
        let (format, checkpoints) = (self.format, Arc::clone(self.pool.checkpoints()));
        let pieces = self.pool.run(move || pass_over(format, &checkpoints, open, &passed)).await?;
        pieces.into_iter().for_each(|piece| self.settle(piece));
        Ok(())
    }

    /// Opens what a piece is made of.
    async fn passed(&mut self, piece: Piece) -> Result<Passed, TreeError> {
        let written = match piece {
            Piece::Reused(reused) => return self.open(reused).await,
            Piece::Written(written) => written,
            Piece::Open(open) => {
                let checkpoints = Arc::clone(self.pool.checkpoints());
                self.pool.run(move || Written::of(*open, &checkpoints)).await?
            }
            Piece::End => unreachable!("an end has no records"),
        };
        let table = open_range(&written.range.id, written.file)?;
        Ok(Passed { range: written.range, table, part: Bounds::default(), keeps_end: false })
    }

    async fn open(&mut self, reused: Reused) -> Result<Passed, TreeError> {
        self.stitched.read += 1;
        let table = open_described(&*self.store, &reused.range).await?;
        Ok(Passed { range: reused.range, table, part: reused.part, keeps_end: !reused.is_last })
    }
}
