//! The suites by name.

use crate::figures::Figures;
use crate::{range, service, tree};

/// What is measured together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Suite {
    /// Range files in memory.
    Range,
    /// Trees over a store in memory.
    Tree,
    /// A server in this process, over gRPC.
    Service,
}

const SUITES: [(&str, Suite); 3] =
    [("range", Suite::Range), ("tree", Suite::Tree), ("service", Suite::Service)];

/// A suite was asked for that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no suite '{name}'; there are range, tree and service")]
pub struct UnknownSuite {
    /// What was asked for.
    pub name: String,
}

/// Measures the suites named, or all if none is, and prints a line `figure NAME VALUE UNIT` for each figure.
///
/// Files are kept in a temporary folder, which `TMPDIR` places, and cleared away. A folder in memory makes nothing durable:
/// `fdatasync_per_s` shows it.
///
/// # Errors
/// [`UnknownSuite`], before anything is measured; whatever a suite fails with.
pub fn run(names: &[String]) -> anyhow::Result<()> {
    let mut figures = Figures::new(std::io::stdout());
    for suite in chosen(names)? {
        match suite {
            Suite::Range => range::measure(&mut figures)?,
            Suite::Tree => tree::measure(&mut figures)?,
            Suite::Service => service::measure(&mut figures)?,
        }
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<Suite>, UnknownSuite> {
    if names.is_empty() {
        return Ok(SUITES.map(|(_, suite)| suite).to_vec());
    }
    names.iter().map(|name| named(name)).collect()
}

fn named(name: &str) -> Result<Suite, UnknownSuite> {
    let found = SUITES.iter().find(|(known, _)| *known == name);
    found.map(|(_, suite)| *suite).ok_or_else(|| UnknownSuite { name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_chosen_by_name_and_all_without_one() {
        let chosen = |names: &[&str]| chosen(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        assert_eq!(chosen(&[]), Ok(vec![Suite::Range, Suite::Tree, Suite::Service]));
        assert_eq!(chosen(&["service", "range"]), Ok(vec![Suite::Service, Suite::Range]));
        assert_eq!(chosen(&["range", "trees"]), Err(UnknownSuite { name: "trees".to_owned() }));
    }

    #[test]
    fn a_refusal_lists_every_suite() {
        let message = UnknownSuite { name: String::new() }.to_string();
        assert!(SUITES.iter().all(|(name, _)| message.contains(name)), "{message}");
    }
}
