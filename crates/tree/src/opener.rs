//! Opens the ranges of intervals that are looked into one after the other.

use std::sync::Arc;

use braid_types::RangeId;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared, try_join_all};

use crate::range_file::open_described;
use crate::run::Opened;
use crate::{RangeDescriptor, RangeStore, Table, TreeError};

type Opening = Shared<BoxFuture<'static, Result<Table, TreeError>>>;

/// Opens ranges, each once: one across the end of an interval serves the next interval too.
pub(crate) struct Opener {
    store: Arc<dyn RangeStore>,
    /// The last ranges of the interval before.
    recent: Vec<(RangeId, Opening)>,
    opened: u64,
}

impl Opener {
    pub(crate) fn new(store: Arc<dyn RangeStore>) -> Self {
        Self { store, recent: Vec::new(), opened: 0 }
    }

    /// How many ranges the store was asked for.
    pub(crate) fn opened(&self) -> u64 {
        self.opened
    }

    /// Opens, all at once, the ranges that some trees have in an interval.
    pub(crate) fn open<const K: usize>(
        &mut self,
        ranges: [&[RangeDescriptor]; K],
    ) -> BoxFuture<'static, Result<[Vec<Opened>; K], TreeError>> {
        let mut recent = Vec::new();
        let openings = ranges.map(|ranges| {
            let openings: Vec<_> = ranges.iter().map(|range| (range.clone(), self.opening(range))).collect();
            recent.extend(openings.last().map(|(range, opening)| (range.id, opening.clone())));
            openings
        });
        self.recent = recent;
        async move {
            let openings = openings.into_iter().map(|openings| {
                try_join_all(
                    openings
                        .into_iter()
                        .map(async |(range, opening)| opening.await.map(|table| Opened { range, table })),
                )
            });
            let opened = try_join_all(openings).await?;
            Ok(opened.try_into().expect("each tree's ranges were opened"))
        }
        .boxed()
    }

    fn opening(&mut self, range: &RangeDescriptor) -> Opening {
        if let Some((_, opening)) = self.recent.iter().find(|(id, _)| *id == range.id) {
            return opening.clone();
        }
        self.opened += 1;
        let (store, range) = (Arc::clone(&self.store), range.clone());
        async move { open_described(&*store, &range).await }.boxed().shared()
    }
}
