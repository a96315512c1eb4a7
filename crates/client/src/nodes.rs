//! The nodes of a service as one: calls are spread over all of them, and go around those that cannot be reached.
//!
//! A call that a node did not answer fails here, and whoever made it makes it again: only it knows whether it may.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use braid_types::Random;
use http::{Request, Response};
use parking_lot::Mutex;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::transport::{Channel, Error};
use tower::{Service, ServiceExt};

use crate::rotation::Rotation;

/// One of them.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) endpoint: String,
    pub(crate) channel: Channel,
}

/// The nodes of a service. Clones share what is known of them.
#[derive(Debug, Clone)]
pub(crate) struct Nodes {
    nodes: Arc<[Node]>,
    rotation: Arc<Mutex<Rotation>>,
}

impl Nodes {
    /// At least one, from which `random` takes the first.
    pub(crate) fn new(nodes: Vec<Node>, random: &dyn Random) -> Self {
        let first = u16::from_le_bytes(random.bytes()).into();
        let rotation = Rotation::new(nodes.len(), first);
        Self { nodes: nodes.into(), rotation: Arc::new(Mutex::new(rotation)) }
    }

    async fn ask(self, request: Request<Body>) -> Result<Response<Body>, Error> {
        let number = self.rotation.lock().pick(Instant::now());
        let Node { endpoint, channel } = &self.nodes[number];
        let answered = channel.clone().oneshot(request).await;
        match &answered {
            Ok(_) => self.rotation.lock().answered(number),
            Err(error) => {
                tracing::debug!(
                    endpoint,
                    error = error as &dyn std::error::Error,
                    "a node cannot be reached"
                );
                self.rotation.lock().lost(number, Instant::now());
            }
        }
        answered
    }
}

impl Service<Request<Body>> for Nodes {
    type Response = Response<Body>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        Box::pin(self.clone().ask(request))
    }
}
