//! A network in memory: who listens where, and connections that break when their client dies.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::UnboundedReceiverStream;
use tokio_util::sync::CancellationToken;

use super::line::Line;
use crate::net::Dial;

/// How many bytes are on their way at most, in each direction of a connection.
const ON_THE_WAY: usize = 64 << 10;
const FIRST_PORT: u16 = 20_000;

/// The listeners of a cluster in memory.
#[derive(Debug, Default)]
pub(super) struct Wires(Mutex<BTreeMap<SocketAddr, mpsc::UnboundedSender<DuplexStream>>>);

impl Wires {
    /// Listens at an address (port 0: any that is free) until what comes in is no longer listened to.
    pub(super) fn listen(
        &self,
        mut address: SocketAddr,
    ) -> io::Result<(SocketAddr, UnboundedReceiverStream<DuplexStream>)> {
        let mut listeners = self.0.lock();
        if address.port() == 0 {
            let last = listeners.keys().map(SocketAddr::port).max().unwrap_or(FIRST_PORT);
            address.set_port(last + 1);
        }
        if listeners.get(&address).is_some_and(|listener| !listener.is_closed()) {
            return Err(io::ErrorKind::AddrInUse.into());
        }
        let (listener, incoming) = mpsc::unbounded_channel();
        listeners.insert(address, listener);
        Ok((address, UnboundedReceiverStream::new(incoming)))
    }

    fn connect(&self, address: &str) -> io::Result<DuplexStream> {
        let address: SocketAddr = address.parse().map_err(io::Error::other)?;
        let listeners = self.0.lock();
        let listener = listeners.get(&address).ok_or(io::ErrorKind::ConnectionRefused)?;
        let (ours, theirs) = tokio::io::duplex(ON_THE_WAY);
        listener.send(theirs).map_err(|_| io::ErrorKind::ConnectionRefused)?;
        Ok(ours)
    }
}

/// What one client sees of the network.
#[derive(Debug)]
pub(super) struct Reach {
    pub(super) wires: Arc<Wires>,
    pub(super) cut: CancellationToken,
}

impl Dial for Reach {
    fn dial(&self, address: &str) -> io::Result<Line> {
        if self.cut.is_cancelled() {
            return Err(io::ErrorKind::NetworkUnreachable.into());
        }
        Ok(Line::new(self.wires.connect(address)?, self.cut.clone()))
    }
}

/// A client's connection to the world.
#[derive(Debug)]
pub struct Lifeline(pub(super) CancellationToken);

impl Lifeline {
    /// Breaks all connections of the client, and lets it make none any more: to the cluster it is dead.
    pub fn cut(&self) {
        self.0.cancel();
    }
}
