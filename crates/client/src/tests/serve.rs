//! A server in this process that hands every request, whole, to a function.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;
use tonic::body::Body;

pub(crate) type Answered = Result<http::Response<Body>, io::Error>;

/// Serves HTTP/1 and HTTP/2 on a port of its own until the runtime ends. An error resets the request's stream or connection.
pub(crate) async fn serve<H>(handler: H) -> SocketAddr
where
    H: Fn(http::Request<Bytes>) -> BoxFuture<'static, Answered> + Send + Sync + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let handler = Arc::new(handler);
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            tokio::spawn(connection(TokioIo::new(socket), Arc::clone(&handler)));
        }
    });
    address
}

async fn connection<H>(socket: TokioIo<tokio::net::TcpStream>, handler: Arc<H>) -> Result<(), Infallible>
where
    H: Fn(http::Request<Bytes>) -> BoxFuture<'static, Answered> + Send + Sync + 'static,
{
    let service = service_fn(move |request: http::Request<Incoming>| {
        let handler = Arc::clone(&handler);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            handler(http::Request::from_parts(head, body)).await
        }
    });
    // A connection that a test breaks on purpose ends in an error.
    let _ = auto::Builder::new(TokioExecutor::new()).serve_connection(socket, service).await;
    Ok(())
}
