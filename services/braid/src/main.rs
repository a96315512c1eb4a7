//! The `braid` binary.

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

/// Calls make many small things that live shortly, on many threads: the standard allocator waits for locks then.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let braid = braid::Braid::parse();
    let runtime =
        tokio::runtime::Runtime::new().expect("the operating system gives threads to a starting process");
    let exit = runtime.block_on(braid::run(braid));
    // A blocked read of standard input must not hold up the end.
    runtime.shutdown_background();
    exit
}
