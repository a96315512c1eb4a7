//! Connections that do not run over the machine's network: for tests in which time is not the machine's either.

use std::future::{Ready, ready};
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tonic::codegen::Service;
use tonic::codegen::http::Uri;

use crate::testing::Line;

/// A network.
pub(crate) trait Dial: std::fmt::Debug + Send + Sync {
    /// A new connection to `host:port`.
    fn dial(&self, address: &str) -> io::Result<Line>;
}

/// Makes connections over such a network.
#[derive(Clone, Debug)]
pub(crate) struct Dialer(Arc<dyn Dial>);

impl Dialer {
    pub(crate) fn new(network: impl Dial + 'static) -> Self {
        Self(Arc::new(network))
    }
}

impl Service<Uri> for Dialer {
    type Response = TokioIo<Line>;
    type Error = io::Error;
    type Future = Ready<io::Result<TokioIo<Line>>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let address = uri.authority().map_or("", |authority| authority.as_str());
        ready(self.0.dial(address).map(TokioIo::new))
    }
}
