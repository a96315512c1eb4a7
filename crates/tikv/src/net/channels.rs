//! One connection an address, made when it is needed and made anew after a failure.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::OnceCell;
use tonic::transport::{Channel, Endpoint};

use super::reason::root_cause;
use super::{Address, tls};
use crate::Settings;
use crate::settings::Security;

/// The connections of a client.
#[derive(Debug)]
pub(crate) struct Channels {
    security: Option<Security>,
    connect_timeout: Duration,
    keep_alive_interval: Duration,
    keep_alive_timeout: Duration,
    open: Mutex<HashMap<Address, Slot>>,
    #[cfg(any(test, feature = "testing"))]
    dialer: Option<super::Dialer>,
}

type Slot = Arc<OnceCell<Channel>>;

/// A connection that was made.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    pub(crate) address: Address,
    pub(crate) channel: Channel,
    slot: Slot,
}

impl Channels {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            security: settings.security.clone(),
            connect_timeout: settings.connect_timeout,
            keep_alive_interval: settings.keep_alive_interval,
            keep_alive_timeout: settings.keep_alive_timeout,
            open: Mutex::default(),
            #[cfg(any(test, feature = "testing"))]
            dialer: None,
        }
    }

    /// Connections over another network.
    #[cfg(any(test, feature = "testing"))]
    pub(crate) fn over(settings: &Settings, dialer: super::Dialer) -> Self {
        Self { dialer: Some(dialer), ..Self::new(settings) }
    }

    /// The connection to an address; those who ask at once share one. An error is in words, and means that nothing was
    /// sent.
    pub(crate) async fn get(&self, address: &Address) -> Result<Connection, String> {
        let slot = Arc::clone(self.open.lock().entry(address.clone()).or_default());
        let channel = slot.get_or_try_init(|| self.connect(address)).await?.clone();
        Ok(Connection { address: address.clone(), channel, slot })
    }

    /// Has the next call use a new connection, unless that has been arranged already. Certificates are read anew then.
    pub(crate) fn forget(&self, connection: &Connection) {
        let mut open = self.open.lock();
        if open.get(&connection.address).is_some_and(|slot| Arc::ptr_eq(slot, &connection.slot)) {
            open.remove(&connection.address);
        }
    }

    async fn connect(&self, address: &Address) -> Result<Channel, String> {
        let endpoint = self.endpoint(address).await?;
        let connecting = tokio::time::timeout(self.connect_timeout, self.dial(&endpoint));
        match connecting.await {
            Ok(Ok(channel)) => Ok(channel),
            Ok(Err(error)) => Err(format!("'{address}' cannot be connected to: {}", root_cause(&error))),
            Err(_) => Err(format!("'{address}' cannot be connected to within {:?}", self.connect_timeout)),
        }
    }

    async fn dial(&self, endpoint: &Endpoint) -> Result<Channel, tonic::transport::Error> {
        #[cfg(any(test, feature = "testing"))]
        if let Some(dialer) = &self.dialer {
            return endpoint.connect_with_connector(dialer.clone()).await;
        }
        endpoint.connect().await
    }

    async fn endpoint(&self, address: &Address) -> Result<Endpoint, String> {
        let scheme = if self.security.is_some() { "https" } else { "http" };
        let endpoint = Endpoint::from_shared(format!("{scheme}://{address}"))
            .map_err(|error| format!("'{address}' is no address: {error}"))?
            .connect_timeout(self.connect_timeout)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(self.keep_alive_interval)
            .keep_alive_timeout(self.keep_alive_timeout)
            .keep_alive_while_idle(true);
        let Some(security) = &self.security else {
            return Ok(endpoint);
        };
        let config = tls::config(security).await?;
        endpoint
            .tls_config(config)
            .map_err(|error| format!("the certificates cannot be used: {}", root_cause(&error)))
    }
}
