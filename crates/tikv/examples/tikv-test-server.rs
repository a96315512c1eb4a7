//! A TiKV cluster in memory, started by hand: to try nodes together where there is no TiKV. Nothing outlives it.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use braid_tikv::testing::{Options, TestCluster, TlsIdentity};
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
    /// File with the certificate of PD and all stores, PEM: answer by TLS only.
    #[arg(long, requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// File with the certificate's private key, PEM.
    #[arg(long, requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// File of the authorities that must have signed clients' certificates, PEM; without it clients need none.
    #[arg(long, requires = "tls_cert")]
    tls_client_ca: Option<PathBuf>,
}

impl Flags {
    fn tls(&self) -> io::Result<Option<TlsIdentity>> {
        let (Some(certificate), Some(key)) = (&self.tls_cert, &self.tls_key) else {
            return Ok(None);
        };
        let client_ca = self.tls_client_ca.as_deref().map(read).transpose()?;
        Ok(Some(TlsIdentity { certificate: read(certificate)?, key: read(key)?, client_ca }))
    }
}

fn read(file: &Path) -> io::Result<String> {
    std::fs::read_to_string(file).map_err(|error| {
        io::Error::new(error.kind(), format!("'{}' cannot be read: {error}", file.display()))
    })
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
async fn main() -> io::Result<()> {
    let flags = Flags::parse();
    if !flags.listen.ip().is_loopback() {
        return Err(io::Error::other(format!("'{}' is not on loopback", flags.listen)));
    }
    let tls = flags.tls()?;
    let cluster = TestCluster::start(Options {
        tls,
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
