//! Transactions, on each backend: durable puts, commits of many changes into a large tree, a train of merges, renames of directories.
//!
//! The lake is of objects that were in the bucket before the server was there, imported by it. `ENTRIES` says how many.

mod lake;
mod listing;
mod puts;
mod rename;
mod train;

use crate::figures::Figures;
use crate::timing::ROUNDS;

use super::CLIENTS;
use super::backend::Backend;
use super::fleet::Fleet;
use super::mutations::Mutations;
use lake::Lake;

pub(super) async fn measure(figures: &mut Figures) -> anyhow::Result<()> {
    let mutations = Mutations::count()?;
    for backend in [Backend::Embedded, Backend::tikv().await?] {
        let measured = Box::pin(measure_on(figures, &backend, &mutations)).await;
        backend.stop().await;
        measured?;
    }
    Ok(())
}

async fn measure_on(figures: &mut Figures, backend: &Backend, mutations: &Mutations) -> anyhow::Result<()> {
    let folder = tempfile::Builder::new().prefix("braid-benches-").tempdir()?;
    let data = folder.path().join("data");
    lake::put_sources(&data, lake::entries()?).await?;
    let server = backend.serve(&data).await?;
    let fleet = Fleet::connect(&server, CLIENTS).await?;
    let measured = async {
        puts::measure(figures, backend, &fleet, folder.path()).await?;
        train::measure_small(figures, backend, &fleet).await?;
        let lake = Lake::import(&fleet).await?;
        lake.commits(figures, backend, &fleet, ROUNDS).await?;
        train::measure_large(figures, backend, &fleet, &lake).await?;
        rename::measure(figures, backend, &fleet, &lake, mutations).await?;
        listing::measure(figures, backend, &fleet, &lake).await
    };
    let measured = Box::pin(measured).await;
    let stopped = Box::pin(server.stop()).await;
    measured.and(stopped)
}
