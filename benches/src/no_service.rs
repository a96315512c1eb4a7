//! The suites of the whole server, where this program is built without it.

use crate::figures::Figures;

pub(crate) fn measure(_: &mut Figures) -> anyhow::Result<()> {
    anyhow::bail!("this program is built without its feature 'service'")
}

pub(crate) fn measure_transactions(figures: &mut Figures) -> anyhow::Result<()> {
    measure(figures)
}

pub(crate) fn measure_merging(figures: &mut Figures) -> anyhow::Result<()> {
    measure(figures)
}

pub(crate) fn measure_references(figures: &mut Figures) -> anyhow::Result<()> {
    measure(figures)
}

pub(crate) fn measure_gateway(figures: &mut Figures) -> anyhow::Result<()> {
    measure(figures)
}
