//! The key-value stores that the tests run on: in memory, unless `BRAID_TEST_KV` names another. Two tests here run all the
//! others again on those.

use std::process::Command;
use std::sync::Arc;

use braid_kv::{Embedded, EmbeddedSettings, Kv, Memory, MemorySettings, TestPlace, TikvSettings};
use braid_types::{Clock, SeededRandom};
use redb::backends::InMemoryBackend;

/// Names the backend.
const CHOICE: &str = "BRAID_TEST_KV";

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Backend {
    Memory,
    Embedded,
    Tikv,
}

impl Backend {
    /// The one that the variable names.
    pub(super) fn chosen() -> Self {
        match std::env::var(CHOICE).as_deref() {
            Err(_) | Ok("memory") => Self::Memory,
            Ok("embedded") => Self::Embedded,
            Ok("tikv") => Self::Tikv,
            Ok(other) => panic!("{CHOICE} is '{other}' and not memory, embedded or tikv"),
        }
    }

    /// An empty store.
    pub(super) async fn open(self, clock: Arc<dyn Clock>) -> Arc<dyn Kv> {
        match self {
            Self::Memory => Arc::new(Memory::new(MemorySettings::default(), clock)),
            Self::Embedded => {
                let settings = EmbeddedSettings { cache_bytes: 16 << 20, ..EmbeddedSettings::default() };
                let random = SeededRandom::new(1);
                Arc::new(Embedded::open_backend(InMemoryBackend::new(), settings, clock, &random).unwrap())
            }
            Self::Tikv => {
                let settings = TikvSettings { lanes: 4, ..TikvSettings::default() };
                Arc::new(TestPlace::shared().open(settings, clock).await)
            }
        }
    }

    /// How many cases a property is tried with: where a step is a round trip, fewer.
    pub(super) fn cases(cases: u32) -> u32 {
        match Self::chosen() {
            Self::Memory => cases,
            Self::Embedded => cases / 2,
            Self::Tikv => cases / 10,
        }
    }
}

/// Runs every test of this binary that uses a store in a process of its own, where another backend is chosen.
fn run_everything_on(backend: &str) {
    if std::env::var_os(CHOICE).is_some() {
        return;
    }
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.env(CHOICE, backend).args(["--quiet", "tests::", "--skip", "backend::", "--skip", "graph::"]);
    let output = tests.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "on {backend}:\n{said}{}", String::from_utf8_lossy(&output.stderr));
    let passed: Option<u32> =
        said.split_once(" passed").and_then(|(before, _)| before.rsplit(' ').next()?.parse().ok());
    assert!(passed > Some(50), "hardly a test ran on {backend}:\n{said}");
}

#[test]
fn every_test_passes_on_the_embedded_store() {
    run_everything_on("embedded");
}

#[test]
fn every_test_passes_on_a_cluster() {
    run_everything_on("tikv");
}
