//! Callers over HTTP/1.1, each by a connection of its own that stays open.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use futures::future::try_join_all;
use http::header::{AUTHORIZATION, HOST};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

use super::fleet::spread;

/// Callers of one server.
pub(super) struct Callers {
    connections: Vec<Arc<Mutex<SendRequest<Empty<Bytes>>>>>,
    host: HeaderValue,
}

/// What is asked for: a path with its query, and perhaps credentials.
#[derive(Debug, Clone)]
pub(super) struct Get {
    pub(super) path: String,
    pub(super) authorization: Option<HeaderValue>,
}

impl Callers {
    /// Connects `count` callers.
    pub(super) async fn connect(server: SocketAddr, count: usize) -> anyhow::Result<Self> {
        let connections = try_join_all((0..count).map(|_| connect(server))).await?;
        Ok(Self { connections, host: HeaderValue::try_from(server.to_string())? })
    }

    /// Asks for each of these once, and reads the answers, which must be good ones. Gives the time until the last was read.
    pub(super) async fn each(&self, gets: Vec<Get>) -> anyhow::Result<Duration> {
        let requests = gets.into_iter().map(|get| self.request(get)).collect::<Result<_, _>>()?;
        let send = |connection: Arc<Mutex<SendRequest<_>>>, request: Request<_>| async move {
            let mut connection = connection.lock().await;
            connection.ready().await?;
            let path = request.uri().path().to_owned();
            let answer = connection.send_request(request).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            ensure!(status == StatusCode::OK, "{path} is answered with {status}: {body:?}");
            Ok(())
        };
        spread(&self.connections, requests, send).await
    }

    fn request(&self, get: Get) -> anyhow::Result<Request<Empty<Bytes>>> {
        let mut request = Request::get(get.path).body(Empty::new())?;
        request.headers_mut().insert(HOST, self.host.clone());
        if let Some(authorization) = get.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization);
        }
        Ok(request)
    }
}

async fn connect(server: SocketAddr) -> anyhow::Result<Arc<Mutex<SendRequest<Empty<Bytes>>>>> {
    let stream = TcpStream::connect(server).await.context("cannot connect")?;
    stream.set_nodelay(true)?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with its sender; what goes wrong with it, the sender's calls say.
    tokio::spawn(connection);
    Ok(Arc::new(Mutex::new(sender)))
}
