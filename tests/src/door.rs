//! An address that stays the same while the servers behind it come and go.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Passes connections on to whatever server it leads to. Nobody else can take its port between two servers, as they
/// could if each server bound the port itself.
pub(crate) struct Door {
    address: SocketAddr,
    behind: watch::Sender<Option<SocketAddr>>,
    passage: Arc<Passage>,
}

/// What has passed a door.
struct Passage {
    bytes: AtomicU64,
    at_most: u64,
    shut: CancellationToken,
}

impl Door {
    /// A door that leads nowhere yet: connections are closed.
    pub(crate) async fn open() -> Self {
        Self::open_for(u64::MAX).await
    }

    /// The same, but once so many bytes have passed, in both directions, it shuts: wherever in a message that is, connections
    /// break, and no more are taken.
    pub(crate) async fn open_for(bytes: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (behind, target) = watch::channel(None);
        let shut = CancellationToken::new();
        let passage = Arc::new(Passage { bytes: AtomicU64::new(0), at_most: bytes, shut });
        tokio::spawn(keep(listener, target, Arc::clone(&passage)));
        Self { address, behind, passage }
    }

    /// What clients call.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes connections on to `server` from now on.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        self.behind.send_replace(Some(server));
    }

    /// How many bytes have passed.
    pub(crate) fn passed(&self) -> u64 {
        self.passage.bytes.load(Ordering::Relaxed).min(self.passage.at_most)
    }

    /// Waits until the door has shut.
    pub(crate) async fn shut(&self) {
        self.passage.shut.cancelled().await;
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.passage.shut.cancel();
    }
}

async fn keep(listener: TcpListener, target: watch::Receiver<Option<SocketAddr>>, passage: Arc<Passage>) {
    loop {
        let (client, _) = tokio::select! {
            () = passage.shut.cancelled() => return,
            accepted = listener.accept() => accepted.unwrap(),
        };
        let (server, passage) = (*target.borrow(), Arc::clone(&passage));
        tokio::spawn(async move {
            tokio::select! {
                () = passage.shut.cancelled() => {}
                _ended = pass_on(client, server, &passage) => {}
            }
        });
    }
}

/// Whatever ends a connection on one side ends it on the other.
async fn pass_on(client: TcpStream, server: Option<SocketAddr>, passage: &Passage) -> io::Result<()> {
    let Some(server) = server else { return Ok(()) };
    let server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::try_join!(passage.copy(from_client, to_server), passage.copy(from_server, to_client))?;
    Ok(())
}

impl Passage {
    async fn copy(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> io::Result<()> {
        let mut buffer = vec![0; 16 << 10];
        loop {
            let count = from.read(&mut buffer).await?;
            if count == 0 {
                return to.shutdown().await;
            }
            let before = self.bytes.fetch_add(count as u64, Ordering::Relaxed);
            let may = self.at_most.saturating_sub(before).min(count as u64);
            to.write_all(&buffer[..usize::try_from(may).unwrap()]).await?;
            if may < count as u64 {
                self.shut.cancel();
            }
        }
    }
}
