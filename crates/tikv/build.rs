//! Compiles the protocol's messages under `proto/` without an installed protobuf compiler.

use std::env;
use std::error::Error;
use std::path::Path;

const FILES: [&str; 3] = ["keyspacepb.proto", "pdpb.proto", "tikvpb.proto"];

fn main() -> Result<(), Box<dyn Error>> {
    // Asked at run time: checkouts that share a target folder share this program.
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let descriptors = protox::compile(FILES, [&root])?;
    tonic_prost_build::configure().bytes(".").compile_fds(descriptors)?;
    Ok(())
}
