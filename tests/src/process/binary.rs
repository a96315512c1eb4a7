//! The `braid` binary, built once, and short runs of it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use cargo_metadata::Message;
use serde_json::Value;
use tempfile::TempDir;

use crate::checkout::manifest_dir;

/// What a run of the binary left.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) code: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    /// What was printed, if all went well.
    #[track_caller]
    pub(super) fn ok(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.stdout
    }

    /// The documents that were printed, one a line.
    #[track_caller]
    pub(super) fn json(self) -> Vec<Value> {
        self.ok().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// That the run ended with this exit code, and said this.
    #[track_caller]
    pub(super) fn refused(&self, code: i32, said: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in said {
            assert!(self.stderr.contains(text), "it should say '{text}': {self:?}");
        }
    }
}

/// Runs the binary to its end, without any setting of whoever runs the tests.
pub(super) fn run<S: AsRef<OsStr>>(arguments: &[S], environment: &[(&str, &str)]) -> Ended {
    let home = tempfile::tempdir().unwrap();
    let output = command(&home).args(arguments).envs(environment.iter().copied()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A command of the binary in an empty environment.
pub(super) fn command(home: &TempDir) -> Command {
    let mut command = Command::new(path());
    command.env_clear().env("HOME", home.path()).stdin(Stdio::null());
    command
}

/// Where the binary is. The first call builds it, with the profile and into the folder of these tests.
pub(super) fn path() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> PathBuf {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--offline", "--quiet", "--package", "braid", "--bin", "braid"]);
    command.arg("--message-format=json").current_dir(manifest_dir());
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let built = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(built.status.success(), "the binary is built");
    let binary = Message::parse_stream(&*built.stdout).find_map(|message| match message.unwrap() {
        Message::CompilerArtifact(artifact) => artifact.executable,
        _ => None,
    });
    binary.expect("cargo says where the binary is").into()
}
