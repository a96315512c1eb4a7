//! What making anything durable costs on this disk.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

const PAGE: [u8; 4096] = [0x5a; 4096];
const SYNCS: usize = 500;

/// Appends pages to a file of this folder, each synced before the next: how many, and how long it took.
pub(super) fn syncs(folder: &Path) -> anyhow::Result<(usize, Duration)> {
    let path = folder.join("syncs");
    let mut file = File::create_new(&path)?;
    let started = Instant::now();
    for _ in 0..SYNCS {
        file.write_all(&PAGE)?;
        file.sync_data()?;
    }
    let took = started.elapsed();
    std::fs::remove_file(&path)?;
    Ok((SYNCS, took))
}
