//! One listening process of the cluster: a store or a member of PD.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::{Certificate, Identity, Server as Tonic, ServerTlsConfig};

use super::line::Line;
use super::options::TlsIdentity;
use super::pd_service::PdService;
use super::shared::Shared;
use super::store_service::StoreService;
use super::wires::Wires;
use crate::proto::keyspacepb::keyspace_server::KeyspaceServer;
use crate::proto::pdpb::pd_server::PdServer;
use crate::proto::tikvpb::tikv_server::TikvServer;

/// Largest request that a store takes, in bytes: what is too large is refused by the store, not by the transport.
const MAX_REQUEST: usize = 64 << 20;

/// A server that runs until it is stopped or dropped; then its connections break.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) address: SocketAddr,
    cut: CancellationToken,
    closed: CancellationToken,
    running: JoinHandle<()>,
}

impl Server {
    /// A store at `address`; port 0: any that is free.
    pub(super) async fn store(
        shared: Arc<Shared>,
        id: u64,
        address: SocketAddr,
        tls: Option<&TlsIdentity>,
    ) -> io::Result<Self> {
        let wires = shared.wires.clone();
        let service = TikvServer::new(StoreService::new(shared, id)).max_decoding_message_size(MAX_REQUEST);
        Self::start(Routes::new(service), address, tls, wires.as_deref()).await
    }

    /// A member of PD at `address`; port 0: any that is free.
    pub(super) async fn pd(
        shared: Arc<Shared>,
        member: usize,
        address: SocketAddr,
        tls: Option<&TlsIdentity>,
    ) -> io::Result<Self> {
        let wires = shared.wires.clone();
        let service = PdService::new(shared, member);
        let routes = Routes::new(PdServer::new(service.clone())).add_service(KeyspaceServer::new(service));
        Self::start(routes, address, tls, wires.as_deref()).await
    }

    async fn start(
        routes: Routes,
        address: SocketAddr,
        tls: Option<&TlsIdentity>,
        wires: Option<&Wires>,
    ) -> io::Result<Self> {
        let (cut, closed) = (CancellationToken::new(), CancellationToken::new());
        let (address, lines) = match wires {
            None => listen(address, cut.clone()).await?,
            Some(wires) => listen_in_memory(wires, address, cut.clone())?,
        };
        let mut server = Tonic::builder();
        if let Some(tls) = tls {
            server = server.tls_config(tls_config(tls)).map_err(io::Error::other)?;
        }
        let serving =
            server.add_routes(routes).serve_with_incoming_shutdown(lines, closed.clone().cancelled_owned());
        let running = tokio::spawn(async move {
            if let Err(error) = serving.await {
                tracing::warn!(%address, %error, "a server of the test cluster failed");
            }
        });
        Ok(Self { address, cut, closed, running })
    }

    /// Breaks all connections and waits until the port is free.
    pub(super) async fn stop(mut self) {
        self.cut.cancel();
        // Connections break first: nobody hears that the server closes.
        tokio::task::yield_now().await;
        self.closed.cancel();
        // It may have failed at its work, which is known from the log.
        let _ = (&mut self.running).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.cut.cancel();
        self.closed.cancel();
    }
}

/// Where is listened, and the connections that come in.
type Listening = (SocketAddr, Pin<Box<dyn Stream<Item = io::Result<Line>> + Send>>);

async fn listen(address: SocketAddr, cut: CancellationToken) -> io::Result<Listening> {
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    let line = move |stream: TcpStream| {
        // Calls are small and wait for each other.
        stream.set_nodelay(true)?;
        Ok(Line::new(stream, cut.clone()))
    };
    let lines = TcpListenerStream::new(listener).map(move |stream| stream.and_then(&line));
    Ok((address, Box::pin(lines)))
}

fn listen_in_memory(wires: &Wires, address: SocketAddr, cut: CancellationToken) -> io::Result<Listening> {
    let (address, incoming) = wires.listen(address)?;
    Ok((address, Box::pin(incoming.map(move |stream| Ok(Line::new(stream, cut.clone()))))))
}

fn tls_config(tls: &TlsIdentity) -> ServerTlsConfig {
    let config = ServerTlsConfig::new().identity(Identity::from_pem(&tls.certificate, &tls.key));
    match &tls.client_ca {
        Some(ca) => config.client_ca_root(Certificate::from_pem(ca)),
        None => config,
    }
}
