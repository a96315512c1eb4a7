//! The floors, measured between the rounds of what stands beside them: a machine that others use is not the same a minute
//! later.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::fleet::Fleet;
use crate::figures::Figures;
use crate::timing::{ROUNDS, middle};

const ECHOES: usize = 5000;
/// Syncs of a round.
pub(super) const SYNCS: usize = 100;
const PAGE: [u8; 4096] = [0x5a; 4096];

/// Measures floors and what stands beside them.
pub(super) struct Floors<'a> {
    fleet: &'a Fleet,
    folder: PathBuf,
    echoes: Vec<Duration>,
    syncs: Vec<Duration>,
}

/// What was measured, and the floors of the same minutes.
pub(super) struct Beside {
    /// The median time of a round.
    pub(super) time: Duration,
    /// Calls a second that do nothing but answer, with every client at it.
    pub(super) echoes_per_s: f64,
    /// Pages appended and synced a second, one after the other.
    pub(super) syncs_per_s: f64,
}

impl<'a> Floors<'a> {
    /// Floors of these clients' server and this folder's disk.
    pub(super) fn new(fleet: &'a Fleet, folder: &Path) -> Self {
        Self { fleet, folder: folder.to_owned(), echoes: Vec::new(), syncs: Vec::new() }
    }

    /// Does each round of `work`, which says how long its measured part took, after a round of each floor.
    pub(super) async fn beside(
        &mut self,
        mut work: impl AsyncFnMut() -> anyhow::Result<Duration>,
    ) -> anyhow::Result<Beside> {
        let mut times = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            self.echoes.push(self.echo().await?);
            self.syncs.push(sync(&self.folder)?);
            times.push(work().await?);
        }
        let last = |floors: &[Duration]| middle(floors[floors.len() - ROUNDS..].to_vec()).as_secs_f64();
        Ok(Beside {
            time: middle(times),
            echoes_per_s: ECHOES as f64 / last(&self.echoes),
            syncs_per_s: SYNCS as f64 / last(&self.syncs),
        })
    }

    /// The medians of all rounds.
    pub(super) fn print(self, figures: &mut Figures) -> anyhow::Result<()> {
        figures.rate("grpc_echo_per_s", ECHOES, middle(self.echoes), "calls/s")?;
        figures.rate("fdatasync_per_s", SYNCS, middle(self.syncs), "syncs/s").map(drop)
    }

    async fn echo(&self) -> anyhow::Result<Duration> {
        let echo =
            |client: braid_client::Client, ()| async move { Ok(client.server_info().await.map(drop)?) };
        self.fleet.each(vec![(); ECHOES], echo).await
    }
}

/// Appends pages to a file of this folder, each synced before the next.
pub(super) fn sync(folder: &Path) -> anyhow::Result<Duration> {
    let path = folder.join("syncs");
    let mut file = File::create_new(&path)?;
    let started = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&PAGE)?;
        file.sync_data()?;
    }
    let took = started.elapsed();
    std::fs::remove_file(&path)?;
    Ok(took)
}
