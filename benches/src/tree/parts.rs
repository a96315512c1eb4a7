//! The parts of the suite, and how one is measured in a process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::figures::{Figure, Figures};

/// What is measured in one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Makes the lakes that are not there; prints nothing.
    Lakes,
    Build,
    Scan,
    Lookup,
    Resident,
    Fold,
    FoldScattered,
    Merge,
    MergeScattered,
    Diff,
    DiffScattered,
    Size,
}

impl Part {
    /// The parts that print figures, in the order they are measured.
    pub(crate) const MEASURED: [Self; 11] = [
        Self::Build,
        Self::Scan,
        Self::Lookup,
        Self::Resident,
        Self::Fold,
        Self::FoldScattered,
        Self::Merge,
        Self::MergeScattered,
        Self::Diff,
        Self::DiffScattered,
        Self::Size,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lakes => "lakes",
            Self::Build => "build",
            Self::Scan => "scan",
            Self::Lookup => "lookup",
            Self::Resident => "resident",
            Self::Fold => "fold",
            Self::FoldScattered => "fold-scattered",
            Self::Merge => "merge",
            Self::MergeScattered => "merge-scattered",
            Self::Diff => "diff",
            Self::DiffScattered => "diff-scattered",
            Self::Size => "size",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::MEASURED.into_iter().chain([Self::Lakes]).find(|part| part.name() == name)
    }
}

/// Measures a part in a process of its own, and gives the figures that it printed, which are passed on.
pub(super) fn run_apart(part: Part, figures: &mut Figures) -> anyhow::Result<Vec<Figure>> {
    let this = std::env::current_exe().context("this program's own file")?;
    let mut process = Command::new(this)
        .args([crate::suite::HERE, part.name()])
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("the process of part '{}'", part.name()))?;
    let out = process.stdout.take().expect("it is piped");
    let mut printed = Vec::new();
    for line in BufReader::new(out).lines() {
        let line = line?;
        let figure = Figure::parse(&line).with_context(|| format!("'{line}' is no figure"))?;
        figures.pass_on(&figure)?;
        printed.push(figure);
    }
    let ended = process.wait()?;
    anyhow::ensure!(ended.success(), "part '{}' failed: {ended}", part.name());
    Ok(printed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_their_names() {
        for part in Part::MEASURED {
            assert_eq!(Part::named(part.name()), Some(part));
        }
        assert_eq!((Part::named("lakes"), Part::named("lake")), (Some(Part::Lakes), None));
    }
}
