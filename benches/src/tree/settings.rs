//! What the environment says of a run.

use std::path::PathBuf;

use anyhow::Context;

use crate::data::PARTS_A_DAY;

const ENTRIES: &str = "ENTRIES";
const DATA: &str = "BRAID_BENCH_DATA";

/// Entries of the lake unless the environment says otherwise.
const DEFAULT_ENTRIES: usize = 10_000_000;

/// The smallest lake: ten directories.
const LEAST_ENTRIES: usize = 10 * PARTS_A_DAY;

/// How a run is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Settings {
    /// Entries of the lake.
    pub(super) entries: usize,
    /// The folder in which lakes are kept.
    pub(super) home: PathBuf,
}

impl Settings {
    pub(super) fn of_environment() -> anyhow::Result<Self> {
        Self::of(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    }

    /// The settings of an environment that says so.
    fn of(variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let entries = match variable(ENTRIES) {
            Some(number) => {
                number.parse().with_context(|| format!("{ENTRIES} '{number}' is not a number"))?
            }
            None => DEFAULT_ENTRIES,
        };
        anyhow::ensure!(entries >= LEAST_ENTRIES, "{ENTRIES} {entries} is below {LEAST_ENTRIES}");
        let cache = || {
            let cache = variable("XDG_CACHE_HOME").map(PathBuf::from);
            cache.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".cache")))
        };
        let home = variable(DATA).map(PathBuf::from).or_else(|| Some(cache()?.join("braid-benches")));
        Ok(Self { entries, home: home.with_context(|| format!("set {DATA}: there is no home folder"))? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> anyhow::Result<Settings> {
        Settings::of(|name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn a_lake_is_of_ten_million_entries_in_the_users_cache() {
        let home = PathBuf::from("/u/.cache/braid-benches");
        assert_eq!(of(&[("HOME", "/u")]).unwrap(), Settings { entries: 10_000_000, home });
        assert_eq!(
            of(&[("HOME", "/u"), ("XDG_CACHE_HOME", "/c")]).unwrap().home,
            PathBuf::from("/c/braid-benches")
        );
        assert!(of(&[]).is_err());
    }

    #[test]
    fn the_environment_says_otherwise() {
        let settings = of(&[("ENTRIES", "200000"), ("BRAID_BENCH_DATA", "/d")]).unwrap();
        assert_eq!(settings, Settings { entries: 200_000, home: PathBuf::from("/d") });
        for entries in ["many", "99999"] {
            assert!(of(&[("ENTRIES", entries), ("BRAID_BENCH_DATA", "/d")]).is_err(), "{entries}");
        }
    }
}
