//! Bytes that an entry takes in the files of a tree, by how they are compressed and how addresses are given out.

use std::sync::Arc;

use braid_sstable::{Compression, WriterOptions};
use braid_tree::testing::MemoryRangeStore;
use braid_tree::{Pool, RangeStore, TreeFormat, build};
use futures::executor::block_on;

use super::generator::Generator;
use super::room::format;
use crate::data::{self, Addresses};
use crate::figures::Figures;

/// Entries whose files are measured. Enough for tens of ranges.
const ENTRIES: usize = 200_000;

pub(super) fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    for (name, compression) in [("snappy", Compression::Snappy), ("zstd", zstd())] {
        for (suffix, addresses) in [("", Addresses::Batched), ("_random_addresses", Addresses::Random)] {
            let bytes = written(compression, addresses)?;
            let name = format!("bytes_per_entry_{name}{suffix}");
            figures.per(&name, bytes as f64, ENTRIES as f64, "bytes")?;
        }
    }
    Ok(())
}

/// As the format has it, or the fastest.
fn zstd() -> Compression {
    match format().table.compression {
        zstd @ Compression::Zstd { .. } => zstd,
        _ => Compression::Zstd { level: 1 },
    }
}

/// Bytes of all files of a tree, its metarange's too.
fn written(compression: Compression, addresses: Addresses) -> anyhow::Result<u64> {
    let format = format();
    let table = WriterOptions { compression, ..format.table };
    let format = TreeFormat { table, ..format };
    let store: Arc<dyn RangeStore> = Arc::new(MemoryRangeStore::new());
    let records = Generator::new(data::records(1, ENTRIES, addresses));
    Ok(block_on(build(&store, &Pool::new(2), &format, records))?.summary.bytes_written)
}
