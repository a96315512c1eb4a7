//! The suites by name.

use crate::figures::Figures;
use crate::tree::Part;
use crate::{range, service, tikv, tree};

/// Before the name of a part: measure it in this process.
pub(crate) const HERE: &str = "here";

/// What is measured together.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Suite {
    /// Range files in memory.
    Range,
    /// Parts of trees in a local object store.
    Tree(Vec<Part>),
    /// A server in this process, over gRPC.
    Service,
    /// The same server, merging many branches into one.
    Merging,
    /// The same server, dumping and restoring a long history.
    References,
    /// Transactions on servers of both backends.
    Txn,
    /// The same server by its REST and S3 APIs.
    Gateway,
    /// The client for TiKV against the protocol server of its tests.
    Tikv,
}

/// A suite was asked for that there is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no suite '{name}'; there are range, tree, service, merging, references, txn, gateway and tikv, and tree/PART with {}",
    parts()
)]
pub struct UnknownSuite {
    /// What was asked for.
    pub name: String,
}

/// Measures the suites named, or all if none is, and prints a line `figure NAME VALUE UNIT` for each figure. `tree/PART` is one
/// part of the trees.
///
/// Files are kept in a temporary folder, which `TMPDIR` places, and cleared away; but trees are in the folder that
/// `BRAID_BENCH_DATA` names (by default in the user's cache folder), have as many entries as `ENTRIES` says, and stay there for
/// the next run. A folder in memory makes nothing durable: `fdatasync_per_s` shows it.
///
/// # Errors
/// [`UnknownSuite`], before anything is measured; whatever a suite fails with.
pub fn run(names: &[String]) -> anyhow::Result<()> {
    let mut figures = Figures::new(std::io::stdout());
    if let [here, name] = names
        && here == HERE
        && let Some(part) = Part::named(name)
    {
        return tree::measure_here(&mut figures, part);
    }
    for suite in chosen(names)? {
        match suite {
            Suite::Range => range::measure(&mut figures)?,
            Suite::Tree(parts) => tree::measure(&mut figures, &parts)?,
            Suite::Service => service::measure(&mut figures)?,
            Suite::Merging => service::measure_merging(&mut figures)?,
            Suite::References => service::measure_references(&mut figures)?,
            Suite::Txn => service::measure_transactions(&mut figures)?,
            Suite::Gateway => service::measure_gateway(&mut figures)?,
            Suite::Tikv => tikv::measure(&mut figures)?,
        }
    }
    Ok(())
}

fn chosen(names: &[String]) -> Result<Vec<Suite>, UnknownSuite> {
    if names.is_empty() {
        let trees = Suite::Tree(Part::MEASURED.to_vec());
        let servers = [Suite::Service, Suite::Merging, Suite::References, Suite::Txn, Suite::Gateway];
        return Ok([vec![Suite::Range, trees], servers.to_vec(), vec![Suite::Tikv]].concat());
    }
    names.iter().map(|name| named(name)).collect()
}

fn named(name: &str) -> Result<Suite, UnknownSuite> {
    match name {
        "range" => Ok(Suite::Range),
        "tree" => Ok(Suite::Tree(Part::MEASURED.to_vec())),
        "service" => Ok(Suite::Service),
        "merging" => Ok(Suite::Merging),
        "references" => Ok(Suite::References),
        "txn" => Ok(Suite::Txn),
        "gateway" => Ok(Suite::Gateway),
        "tikv" => Ok(Suite::Tikv),
        _ => {
            let part = name.strip_prefix("tree/").and_then(Part::named);
            part.map(|part| Suite::Tree(vec![part])).ok_or_else(|| UnknownSuite { name: name.to_owned() })
        }
    }
}

fn parts() -> String {
    Part::MEASURED.map(Part::name).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_chosen_by_name_and_all_without_one() {
        let chosen = |names: &[&str]| chosen(&names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>());
        let trees = Suite::Tree(Part::MEASURED.to_vec());
        let servers = [Suite::Service, Suite::Merging, Suite::References, Suite::Txn, Suite::Gateway];
        let all = [vec![Suite::Range, trees.clone()], servers.to_vec(), vec![Suite::Tikv]].concat();
        assert_eq!(chosen(&[]), Ok(all));
        assert_eq!(chosen(&["service", "tree"]), Ok(vec![Suite::Service, trees]));
        assert_eq!(chosen(&["tree/lookup"]), Ok(vec![Suite::Tree(vec![Part::Lookup])]));
        for unknown in ["trees", "tree/", "tree/looks", "here"] {
            assert_eq!(chosen(&["range", unknown]), Err(UnknownSuite { name: unknown.to_owned() }));
        }
    }

    #[test]
    fn a_refusal_lists_every_suite_and_part() {
        let message = UnknownSuite { name: String::new() }.to_string();
        let suites = ["range", "tree", "service", "merging", "references", "txn", "gateway", "tikv"];
        let names = suites.into_iter().chain(Part::MEASURED.map(Part::name));
        assert!(names.clone().all(|name| message.contains(name)), "{message}");
    }
}
