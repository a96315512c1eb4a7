//! The locks that one operation meets on its way.

use tokio::time::Instant;

use crate::Error;
use crate::core::Core;
use crate::locks::{Met, Seeker};
use crate::patience::Patience;
use crate::store::Extras;

/// What an operation knows of the locks in its way.
#[derive(Debug)]
pub(crate) struct Obstacle {
    seeker: Seeker,
    read_past: Vec<u64>,
    /// How long locks of living transactions are waited for; none: as long as the operation may take.
    waits: Option<Patience>,
    /// When the first lock was met that had to be waited for.
    waiting: Option<Instant>,
}

impl Obstacle {
    pub(crate) fn new(seeker: Seeker) -> Self {
        Self { seeker, read_past: Vec::new(), waits: None, waiting: None }
    }

    /// Of a writer that waits with a patience of its own.
    pub(crate) fn of_writer(waits: Patience) -> Self {
        Self { waits: Some(waits), ..Self::new(Seeker::Writer) }
    }

    /// What requests of the operation carry.
    pub(crate) fn extras(&self) -> Extras {
        Extras { read_past: self.read_past.clone(), ..Extras::default() }
    }

    /// Has those of `locks` cleared away whose transactions have ended, and pauses if there are others.
    ///
    /// # Errors
    /// [`Error::Locked`] when patience ends before a lock does.
    pub(crate) async fn clear(
        &mut self,
        core: &Core,
        locks: Vec<Met>,
        patience: &mut Patience,
    ) -> Result<(), Error> {
        let resolution = core.resolver.resolve(locks, self.seeker, patience).await?;
        for start in resolution.read_past {
            if !self.read_past.contains(&start) {
                self.read_past.push(start);
            }
        }
        let Some(held) = resolution.held else {
            return Ok(());
        };
        let waiting = *self.waiting.get_or_insert_with(Instant::now);
        if self.waits.as_mut().unwrap_or(patience).wait_for_lock(held.left).await {
            return Ok(());
        }
        let key = core.keyspace.leave(&held.key);
        Err(Error::Locked { key, holder: held.holder, waited: waiting.elapsed() })
    }
}
