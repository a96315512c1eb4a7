//! The `braid` binary.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let braid = braid::Braid::parse();
    let runtime =
        tokio::runtime::Runtime::new().expect("the operating system gives threads to a starting process");
    let exit = runtime.block_on(braid::run(braid));
    // A blocked read of standard input must not hold up the end.
    runtime.shutdown_background();
    exit
}
