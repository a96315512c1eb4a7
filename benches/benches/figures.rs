//! `cargo bench -p braid-benches [-- range tree tree/PART service merging gateway]`: prints the figures of the suites named, or of all.

use mimalloc::MiMalloc;

/// As in the `braid` binary.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> anyhow::Result<()> {
    // Cargo itself adds `--bench`.
    let names: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    braid_benches::run(&names)
}
