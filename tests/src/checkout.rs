//! Where this checkout is.

use std::path::PathBuf;

/// This package's folder. Asked at run time: a binary may be shared by checkouts that build into one target folder.
pub(crate) fn manifest_dir() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where the package is").into()
}
