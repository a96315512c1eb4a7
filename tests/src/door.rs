//! An address that stays the same while the servers behind it come and go.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Passes connections on to whatever server it leads to. Nobody else can take its port between two servers, as they
/// could if each server bound the port itself.
pub(crate) struct Door {
    address: SocketAddr,
    behind: watch::Sender<Option<SocketAddr>>,
    task: JoinHandle<()>,
}

impl Door {
    /// A door that leads nowhere yet: connections are closed.
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (behind, target) = watch::channel(None);
        let task = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                tokio::spawn(pass_on(client, *target.borrow()));
            }
        });
        Self { address, behind, task }
    }

    /// What clients call.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Passes connections on to `server` from now on.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        self.behind.send_replace(Some(server));
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Whatever ends a connection on one side ends it on the other.
async fn pass_on(mut client: TcpStream, server: Option<SocketAddr>) {
    let Some(server) = server else { return };
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    let _ = copy_bidirectional(&mut client, &mut server).await;
}
