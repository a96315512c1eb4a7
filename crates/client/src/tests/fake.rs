//! A gRPC server that answers from a script and remembers what it was asked.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use braid_types::{Clock, Error, ManualClock, SeededRandom, Time};
use braid_wire::status_from_error;
use bytes::{Buf, BufMut, Bytes};
use futures::stream::{self, BoxStream, StreamExt};
use http_body_util::Full;
use prost::Message;
use tonic::body::Body;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::server::{Grpc, ServerStreamingService};
use tonic::{Request, Response, Status};

use super::serve::{Answered, serve};
use crate::{Client, ClientConfig, Credentials, RetryPolicy};

/// What the server does with one call.
pub(crate) enum Reply {
    /// Sends these messages, then the status if there is one.
    Messages(Vec<Bytes>, Option<Status>),
    /// Carries the call out, as far as anyone can tell, and breaks the stream without an answer.
    Lost,
    /// Never answers.
    Silence,
}

impl Reply {
    pub(crate) fn ok(message: &impl Message) -> Self {
        Self::Messages(vec![message.encode_to_vec().into()], None)
    }

    pub(crate) fn error(error: &Error) -> Self {
        Self::Messages(vec![], Some(status_from_error(error)))
    }
}

/// A call as it came in.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `Service/Method`.
    pub(crate) method: String,
    pub(crate) message: Bytes,
    pub(crate) authorization: Option<String>,
}

impl Asked {
    pub(crate) fn decode<M: Message + Default>(&self) -> M {
        M::decode(self.message.clone()).unwrap()
    }
}

#[derive(Default)]
struct State {
    script: HashMap<&'static str, VecDeque<Reply>>,
    asked: Vec<Asked>,
}

/// The server. Calls that its script has no answer to are not implemented.
#[derive(Clone)]
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<ManualClock>,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub(crate) async fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let address = serve(move |request| Box::pin(answer(Arc::clone(&shared), request))).await;
        Self { address, clock: Arc::new(ManualClock::at(Time::from_seconds(1_000_000))), state }
    }

    /// Adds to the script: the answer to the next call of `method` (`Service/Method`) not answered yet.
    pub(crate) fn on(&self, method: &'static str, reply: Reply) -> &Self {
        self.state.lock().unwrap().script.entry(method).or_default().push_back(reply);
        self
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.lock().unwrap().asked.clone()
    }

    /// The calls of one method.
    pub(crate) fn asked_of(&self, method: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.method == method).collect()
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let retry = RetryPolicy {
            attempts: 3,
            first_delay: Duration::from_millis(1),
            longest_delay: Duration::from_millis(2),
        };
        let credentials = Some(Credentials::new("key", "secret").unwrap());
        ClientConfig { retry, credentials, ..ClientConfig::new(format!("http://{}", self.address)) }
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(&self.config())
    }

    pub(crate) fn client_with(&self, config: &ClientConfig) -> Client {
        let clock: Arc<dyn Clock> = self.clock.clone();
        Client::connect(config, Arc::new(SeededRandom::new(7)), clock).unwrap()
    }
}

async fn answer(state: Arc<Mutex<State>>, request: http::Request<Bytes>) -> Answered {
    let method = request.uri().path().trim_start_matches("/braid.v1.").to_owned();
    let authorization =
        request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let message = request.body().slice(5..);
    let reply = {
        let mut state = state.lock().unwrap();
        state.asked.push(Asked { method: method.clone(), message, authorization });
        state.script.get_mut(method.as_str()).and_then(VecDeque::pop_front)
    };
    match reply {
        Some(Reply::Lost) => Err(std::io::Error::other("the answer is lost")),
        Some(Reply::Silence) => std::future::pending().await,
        Some(Reply::Messages(messages, status)) => Ok(send(request, messages, status).await),
        None => Ok(send(request, vec![], Some(Status::unimplemented(method))).await),
    }
}

async fn send(
    request: http::Request<Bytes>,
    messages: Vec<Bytes>,
    status: Option<Status>,
) -> http::Response<Body> {
    let items = messages.into_iter().map(Ok).chain(status.map(Err)).collect();
    let request = request.map(|body| Body::new(Full::new(body)));
    Grpc::new(Raw).server_streaming(Script(Mutex::new(items)), request).await
}

/// Sends its items once. To the wire a single answer is a stream of one.
struct Script(Mutex<VecDeque<Result<Bytes, Status>>>);

impl ServerStreamingService<Bytes> for Script {
    type Response = Bytes;
    type ResponseStream = BoxStream<'static, Result<Bytes, Status>>;
    type Future = std::future::Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: Request<Bytes>) -> Self::Future {
        let items = std::mem::take(&mut *self.0.lock().unwrap());
        std::future::ready(Ok(Response::new(stream::iter(items).boxed())))
    }
}

/// Messages as the bytes that they are.
struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Raw;
    type Decoder = Raw;

    fn encoder(&mut self) -> Raw {
        Raw
    }

    fn decoder(&mut self) -> Raw {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(buffer.copy_to_bytes(buffer.remaining())))
    }
}
