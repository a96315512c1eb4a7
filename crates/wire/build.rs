//! Compiles the contracts under `proto/` without an installed protobuf compiler.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

use prost::Message;

const CONTRACTS: [&str; 11] = [
    "braid/v1/auth.proto",
    "braid/v1/commit.proto",
    "braid/v1/errors.proto",
    "braid/v1/import.proto",
    "braid/v1/multipart.proto",
    "braid/v1/object.proto",
    "braid/v1/pull.proto",
    "braid/v1/ref.proto",
    "braid/v1/repository.proto",
    "braid/v1/server.proto",
    "braid/v1/settings.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    // Asked at run time: checkouts that share a target folder share this program.
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    println!("cargo:rerun-if-changed={}", root.display());
    let descriptors = protox::compile(CONTRACTS, [&root])?;
    let set = Path::new(&env::var("OUT_DIR")?).join("braid.v1.bin");
    fs::write(set, descriptors.encode_to_vec())?;
    tonic_prost_build::configure().btree_map(".").compile_fds(descriptors)?;
    Ok(())
}
