//! Trees in a local object store, read and written through the product's own cache.
//!
//! The lake is 1,000 directories of 10,000 paths (`ENTRIES` makes it smaller), written once and kept between runs in the folder
//! that `BRAID_BENCH_DATA` names. What measurements write goes to a scratch store beside it.
//!
//! Words: *warm* is from this process' memory, or the machine's; *cold* is with empty caches, and each request to the object
//! store takes 5 ms. Each part runs in a process of its own, so that memory is that part's alone; a part that measures one core
//! is kept on one core, with all of its threads. The peak of memory is the process' own resident memory, with what the part
//! keeps at hand: changes not yet made, and its caches.

mod build;
mod diff;
mod fold;
mod fold_scattered;
mod generator;
mod lake;
mod lookup;
mod merge;
mod parts;
mod resident;
mod room;
mod scan;
mod settings;
mod size;

use crate::figures::{Figure, Figures};
use settings::Settings;

pub(crate) use parts::Part;

/// Measures these parts, each in a process of its own, over a lake that is made if it is not there.
pub(crate) fn measure(figures: &mut Figures, parts: &[Part]) -> anyhow::Result<()> {
    parts::run_apart(Part::Lakes, figures)?;
    let mut printed = Vec::new();
    for part in parts {
        printed.extend(parts::run_apart(*part, figures)?);
    }
    across_parts(&printed, figures)
}

/// Measures one part in this process.
pub(crate) fn measure_here(figures: &mut Figures, part: Part) -> anyhow::Result<()> {
    let settings = Settings::of_environment()?;
    match part {
        Part::Lakes => lake::ensure_all(&settings),
        Part::Build => build::measure(&settings, figures),
        Part::Scan => scan::measure(&settings, figures),
        Part::Lookup => lookup::measure(&settings, figures),
        Part::Resident => resident::measure(&settings, figures),
        Part::Fold => fold::measure(&settings, figures),
        Part::FoldScattered => fold_scattered::measure(&settings, figures),
        Part::Merge => merge::measure(&settings, figures),
        Part::MergeScattered => merge::measure_scattered(&settings, figures),
        Part::Diff => diff::measure(&settings, figures),
        Part::DiffScattered => diff::measure_scattered(&settings, figures),
        Part::Size => size::measure(figures),
    }
}

/// What stands beside a figure of another part.
fn across_parts(printed: &[Figure], figures: &mut Figures) -> anyhow::Result<()> {
    let number = |name: &str| printed.iter().find(|figure| figure.name == name).and_then(Figure::number);
    let pairs = [("fold_scattered_of_build", "fold_scattered_entries_per_s_per_core", "build_entries_per_s")];
    for (name, figure, floor) in pairs {
        if let (Some(figure), Some(floor)) = (number(figure), number(floor)) {
            figures.ratio(name, figure, floor)?;
        }
    }
    Ok(())
}
