//! Replays what fuzzing kept.

use std::path::Path;

/// Runs `check` on each file of the saved corpus of a fuzzing target, `fuzz/corpus/TARGET` in the checkout, and panics if it has
/// none. `package` is the folder of a package two levels below the checkout's.
pub fn replay(package: &Path, target: &str, check: fn(&[u8])) {
    let folder = package.join("../../fuzz/corpus").join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut replayed = 0;
    for file in files {
        let path = file.unwrap_or_else(|error| panic!("{}: {error}", folder.display())).path();
        let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        println!("replaying {}", path.display());
        check(&bytes);
        replayed += 1;
    }
    assert!(replayed > 0, "{} has no files", folder.display());
}
