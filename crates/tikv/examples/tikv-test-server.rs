//! A TiKV cluster in memory, started by hand: to try nodes together where there is no TiKV. Nothing outlives it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

use braid_tikv::testing::{Options, TestCluster};
use clap::Parser;

#[derive(Debug, Parser)]
struct Flags {
    /// Where PD listens; on loopback. Stores take free ports.
    #[arg(long, default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, 2379)))]
    listen: SocketAddr,
    /// Members of PD; all but the first take free ports.
    #[arg(long, default_value_t = 1)]
    pd_members: usize,
    /// Stores.
    #[arg(long, default_value_t = 3)]
    stores: u64,
    /// A key with which a region begins; may be given several times.
    #[arg(long)]
    split_at: Vec<String>,
    /// Split a region that holds more keys than this.
    #[arg(long)]
    split_above: Option<usize>,
    /// A keyspace, as "name=id"; may be given several times.
    #[arg(long, value_parser = keyspace)]
    keyspace: Vec<(String, u32)>,
}

fn keyspace(text: &str) -> Result<(String, u32), String> {
    let (name, id) = text.split_once('=').ok_or("a keyspace is \"name=id\"")?;
    let id = id.parse().map_err(|error| format!("'{id}' is no id: {error}"))?;
    Ok((name.to_owned(), id))
}

#[expect(clippy::disallowed_methods, reason = "here the machine's clock comes in")]
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let flags = Flags::parse();
    if !flags.listen.ip().is_loopback() {
        return Err(std::io::Error::other(format!("'{}' is not on loopback", flags.listen)));
    }
    let cluster = TestCluster::start(Options {
        stores: flags.stores,
        pd_members: flags.pd_members,
        split_at: flags.split_at.into_iter().map(Into::into).collect(),
        split_above: flags.split_above,
        keyspaces: flags.keyspace,
        now_ms: now_ms(),
        listen: flags.listen,
        ..Options::default()
    })
    .await?;
    println!("PD: {}", cluster.endpoints().join(","));
    for id in cluster.store_ids() {
        println!("store {id}: {}", cluster.store_address(id).unwrap_or_default());
    }
    tokio::signal::ctrl_c().await?;
    cluster.shutdown().await;
    Ok(())
}
