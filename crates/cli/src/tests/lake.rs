//! A server with one repository and one branch, and the object store beside it. It keeps objects; everything else it answers
//! from a script.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use braid_types::{Code, Error};
use braid_wire::{proto, status_from_error};
use futures::stream::{self, StreamExt};
use http_body_util::StreamBody;
use hyper::body::Frame;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// The answer to one call: messages, then an error if there is one.
#[derive(Default)]
pub(crate) struct Reply {
    messages: Vec<Bytes>,
    error: Option<Error>,
}

impl Reply {
    pub(crate) fn ok(message: &impl Message) -> Self {
        Self { messages: vec![message.encode_to_vec().into()], error: None }
    }

    pub(crate) fn error(error: Error) -> Self {
        Self { messages: vec![], error: Some(error) }
    }

    pub(crate) fn then(self, error: Error) -> Self {
        Self { error: Some(error), ..self }
    }
}

#[derive(Default)]
struct Kept {
    objects: BTreeMap<String, proto::Object>,
    data: HashMap<String, Bytes>,
    places: u64,
    script: HashMap<&'static str, VecDeque<Reply>>,
    asked: Vec<(String, Bytes)>,
    /// Paths whose data the store sends half of, and then nothing more.
    stalled: BTreeSet<String>,
    /// Paths whose data the store has lost in exchange for other data.
    corrupted: BTreeSet<String>,
    /// Paths that uploads and links are refused for.
    refused: BTreeSet<String>,
}

/// The server. Clones are the same one.
#[derive(Clone)]
pub(crate) struct Lake {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    /// Uploads under way, and the most there were at a time.
    uploads: Arc<(AtomicUsize, AtomicUsize)>,
    /// Gets a permit whenever half of stalled data has been sent.
    pub(crate) half_sent: Arc<Semaphore>,
}

impl Lake {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let lake = Self {
            address,
            kept: Arc::default(),
            uploads: Arc::default(),
            half_sent: Arc::new(Semaphore::new(0)),
        };
        let router = Router::new()
            .route("/data/{key}", get(download).put(upload))
            .fallback(call)
            .with_state(lake.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        lake
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The next call of `method` (`Service/Method`) is answered so.
    pub(crate) fn on(&self, method: &'static str, reply: Reply) {
        self.kept.lock().unwrap().script.entry(method).or_default().push_back(reply);
    }

    /// The requests of the calls of `method`.
    pub(crate) fn asked<M: Message + Default>(&self, method: &str) -> Vec<M> {
        let kept = self.kept.lock().unwrap();
        let of_method = kept.asked.iter().filter(|(asked, _)| asked == method);
        of_method.map(|(_, message)| M::decode(message.clone()).unwrap()).collect()
    }

    /// How many calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.kept.lock().unwrap().asked.len()
    }

    pub(crate) fn with(self, objects: &[(&str, &str)]) -> Self {
        for (path, data) in objects {
            let mut kept = self.kept.lock().unwrap();
            let key = kept.place();
            kept.data.insert(key.clone(), Bytes::copy_from_slice(data.as_bytes()));
            kept.link(path, &key, data.len() as u64);
        }
        self
    }

    pub(crate) fn stall(&self, path: &str) {
        self.kept.lock().unwrap().stalled.insert(path.to_owned());
    }

    pub(crate) fn corrupt(&self, path: &str) {
        self.kept.lock().unwrap().corrupted.insert(path.to_owned());
    }

    pub(crate) fn refuse(&self, path: &str) {
        self.kept.lock().unwrap().refused.insert(path.to_owned());
    }

    /// The most uploads that were under way at a time.
    pub(crate) fn most_uploads(&self) -> usize {
        self.uploads.1.load(Ordering::SeqCst)
    }

    /// Every path with its data.
    pub(crate) fn objects(&self) -> Vec<(String, String)> {
        let kept = self.kept.lock().unwrap();
        let data = |object: &proto::Object| String::from_utf8(kept.data[key_of(object)].to_vec()).unwrap();
        kept.objects.iter().map(|(path, object)| (path.clone(), data(object))).collect()
    }

    pub(crate) fn paths(&self) -> Vec<String> {
        self.kept.lock().unwrap().objects.keys().cloned().collect()
    }

    fn url(&self, key: &str) -> String {
        format!("http://{}/data/{key}", self.address)
    }

    fn answer(&self, method: &str, message: &Bytes) -> Reply {
        let mut kept = self.kept.lock().unwrap();
        kept.asked.push((method.to_owned(), message.clone()));
        if let Some(reply) = kept.script.get_mut(method).and_then(VecDeque::pop_front) {
            return reply;
        }
        kept.objects_call(self, method, message).unwrap_or_else(Reply::error)
    }
}

fn key_of(object: &proto::Object) -> &str {
    object.physical_address.rsplit('/').next().unwrap()
}

/// Larger than the numbers that every program of JSON reads exactly.
fn generation_of(key: &str) -> u64 {
    u64::MAX - key[1..].parse::<u64>().unwrap()
}

fn later() -> Option<prost_types::Timestamp> {
    Some(prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 })
}

impl Kept {
    fn place(&mut self) -> String {
        self.places += 1;
        format!("k{}", self.places)
    }

    fn link(&mut self, path: &str, key: &str, size: u64) -> proto::Object {
        let object = proto::Object {
            path: path.to_owned(),
            physical_address: format!("mem://lake/{key}"),
            size,
            checksum: format!("tag-{key}"),
            generation: generation_of(key),
            mtime: Some(prost_types::Timestamp::default()),
            ..proto::Object::default()
        };
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    fn objects_call(&mut self, lake: &Lake, method: &str, message: &Bytes) -> Result<Reply, Error> {
        let message = message.clone();
        match method {
            "RefService/ResolveRef" => Ok(Reply::ok(&proto::ResolvedRef {
                commit_id: "c".repeat(64),
                kind: proto::RefKind::Branch.into(),
            })),
            "ObjectService/StatObject" => {
                self.object(&decode::<proto::StatObjectRequest>(message).path).map(|o| Reply::ok(&o))
            }
            "ObjectService/StreamObjects" => Ok(self.list(&decode(message))),
            "ObjectService/GetDownloadUrl" => {
                let object = self.object(&decode::<proto::GetDownloadUrlRequest>(message).path)?;
                Ok(Reply::ok(&download_of(lake, object)))
            }
            "ObjectService/StreamDownloads" => Ok(self.downloads(lake, &decode(message))),
            "ObjectService/CreateUpload" => {
                let target = decode::<proto::CreateUploadRequest>(message).target.unwrap();
                Ok(Reply::ok(&self.upload(lake, target)?))
            }
            "ObjectService/CreateUploads" => {
                let targets = decode::<proto::CreateUploadsRequest>(message).targets;
                let uploads =
                    targets.into_iter().map(|target| self.upload(lake, target)).collect::<Result<_, _>>()?;
                Ok(Reply::ok(&proto::CreateUploadsResponse { uploads }))
            }
            "ObjectService/LinkUpload" => {
                let link = decode::<proto::LinkUploadRequest>(message).link.unwrap();
                Ok(Reply::ok(&self.links(&[link])?.remove(0)))
            }
            "ObjectService/LinkUploads" => {
                let objects = self.links(&decode::<proto::LinkUploadsRequest>(message).links)?;
                Ok(Reply::ok(&proto::LinkUploadsResponse { objects }))
            }
            "ObjectService/DeleteObject" => {
                let asked = decode::<proto::DeleteObjectRequest>(message);
                self.demand(&asked.path, false, &asked.if_etag, asked.if_generation)?;
                let removed = self.objects.remove(&asked.path);
                Ok(Reply::ok(&proto::DeleteObjectResponse { existed: removed.is_some() }))
            }
            "ObjectService/CopyObject" => {
                let asked = decode::<proto::CopyObjectRequest>(message);
                self.demand(&asked.path, asked.if_absent, &asked.if_etag, asked.if_generation)?;
                Ok(Reply::ok(&self.copy(&asked.source, asked.path, asked.metadata)?))
            }
            "ObjectService/Apply" => Ok(Reply::ok(&self.apply(decode(message))?)),
            "ObjectService/DeleteObjects" => {
                let paths = decode::<proto::DeleteObjectsRequest>(message).paths;
                let existed = paths.iter().map(|path| self.objects.remove(path).is_some()).collect();
                Ok(Reply::ok(&proto::DeleteObjectsResponse { existed }))
            }
            "ObjectService/GetUsage" => {
                let prefix = decode::<proto::GetUsageRequest>(message).prefix;
                let of: Vec<_> = self.objects.values().filter(|o| o.path.starts_with(&prefix)).collect();
                let bytes = of.iter().map(|object| object.size).sum();
                Ok(Reply::ok(&proto::Usage { objects: of.len() as u64, bytes }))
            }
            "ObjectService/DeletePrefix" => {
                let prefix = decode::<proto::DeletePrefixRequest>(message).prefix;
                let before = self.objects.len();
                self.objects.retain(|path, _| !path.starts_with(&prefix));
                Ok(Reply::ok(&proto::DeletePrefixResponse { existed: self.objects.len() < before }))
            }
            "ObjectService/MoveObject" => {
                let asked = decode::<proto::MoveObjectRequest>(message);
                self.rename(&asked.source, &asked.destination, asked.overwrite)?;
                Ok(Reply::ok(&proto::MoveObjectResponse {}))
            }
            "ObjectService/MoveDirectory" => {
                let asked = decode::<proto::MoveDirectoryRequest>(message);
                let in_it: Vec<String> =
                    self.objects.keys().filter(|path| path.starts_with(&asked.source)).cloned().collect();
                self.object(in_it.first().unwrap_or(&asked.source))?;
                for path in in_it {
                    let to = format!("{}{}", asked.destination, &path[asked.source.len()..]);
                    self.rename(&path, &to, asked.overwrite)?;
                }
                Ok(Reply::ok(&proto::MoveDirectoryResponse {}))
            }
            _ => Err(Error::new(Code::Unimplemented, method, format!("'{method}' is not in the script"))),
        }
    }

    fn rename(&mut self, source: &str, destination: &str, overwrite: bool) -> Result<(), Error> {
        let object = self.object(source)?;
        if !overwrite && self.objects.contains_key(destination) {
            let message = format!("there is an object '{destination}' already");
            return Err(Error::new(Code::DestinationExists, destination, message));
        }
        self.objects.remove(source);
        let path = destination.to_owned();
        self.objects.insert(path.clone(), proto::Object { path, ..object });
        Ok(())
    }

    fn copy(
        &mut self,
        source: &str,
        path: String,
        metadata: Option<proto::ObjectMetadata>,
    ) -> Result<proto::Object, Error> {
        let object = self.object(source)?;
        let metadata = metadata.map_or(object.metadata, |metadata| metadata.entries);
        let copied = proto::Object { path: path.clone(), metadata, ..object };
        self.objects.insert(path, copied.clone());
        Ok(copied)
    }

    fn object(&self, path: &str) -> Result<proto::Object, Error> {
        let missing = || Error::new(Code::ObjectNotFound, path, format!("there is no object '{path}'"));
        self.objects.get(path).cloned().ok_or_else(missing)
    }

    fn under<'a>(&'a self, prefix: &'a str, after: &'a str) -> impl Iterator<Item = &'a proto::Object> {
        let all =
            self.objects.iter().filter(move |(path, _)| path.starts_with(prefix) && path.as_str() > after);
        all.map(|(_, object)| object)
    }

    fn list(&self, request: &proto::StreamObjectsRequest) -> Reply {
        use proto::list_item::Item;
        let mut items: Vec<proto::ListItem> = Vec::new();
        for object in self.under(&request.prefix, &request.after) {
            let rest = &object.path[request.prefix.len()..];
            let cut = rest.find('/').filter(|_| !request.delimiter.is_empty());
            let item = match cut {
                Some(cut) => Item::CommonPrefix(object.path[..=request.prefix.len() + cut].to_owned()),
                None => Item::Object(object.clone()),
            };
            let item = proto::ListItem { item: Some(item) };
            if items.last() != Some(&item) {
                items.push(item);
            }
        }
        if items.is_empty() { Reply::default() } else { Reply::ok(&proto::StreamObjectsResponse { items }) }
    }

    fn downloads(&self, lake: &Lake, request: &proto::StreamDownloadsRequest) -> Reply {
        let objects = self.under(&request.prefix, &request.after).cloned();
        let downloads: Vec<_> = objects.map(|object| download_of(lake, object)).collect();
        if downloads.is_empty() {
            return Reply::default();
        }
        Reply::ok(&proto::StreamDownloadsResponse { downloads })
    }

    fn upload(&mut self, lake: &Lake, target: proto::UploadTarget) -> Result<proto::Upload, Error> {
        self.check(&target.path)?;
        let key = self.place();
        Ok(proto::Upload {
            path: target.path,
            physical_address: format!("mem://lake/{key}"),
            url: lake.url(&key),
            expires_at: later(),
            intent: key,
            ..proto::Upload::default()
        })
    }

    fn links(&mut self, links: &[proto::Link]) -> Result<Vec<proto::Object>, Error> {
        for link in links {
            self.demand(&link.path, link.if_absent, &link.if_etag, link.if_generation)?;
        }
        Ok(links.iter().map(|link| self.link(&link.path, &link.intent, link.size)).collect())
    }

    fn demand(&self, path: &str, absent: bool, etag: &str, generation: Option<u64>) -> Result<(), Error> {
        let there = self.objects.get(path);
        let found = there.map(|object| object.checksum.as_str());
        let message = match found {
            Some(_) if absent => format!("there is an object at '{path}'"),
            found if !etag.is_empty() && found != Some(etag) => {
                format!("the object at '{path}' has another etag")
            }
            _ if generation.is_some_and(|wanted| wanted != there.map_or(0, |object| object.generation)) => {
                format!("the object at '{path}' has another generation")
            }
            _ => return Ok(()),
        };
        Err(Error::new(Code::PreconditionFailed, path, message))
    }

    fn apply(&mut self, asked: proto::ApplyRequest) -> Result<proto::ApplyResponse, Error> {
        use proto::apply_operation::Operation;
        use proto::apply_result::Result as Answer;
        use proto::precondition::Rule;
        for demanded in asked.preconditions {
            match demanded.rule.unwrap() {
                Rule::Absent(absent) => self.demand(&demanded.path, absent, "", None)?,
                Rule::Etag(etag) => self.demand(&demanded.path, false, &etag, None)?,
                Rule::Generation(of) => self.demand(&demanded.path, false, "", Some(of))?,
            }
        }
        let mut results = Vec::new();
        for operation in asked.operations {
            let result = match operation.operation.unwrap() {
                Operation::Put(link) => Answer::Object(self.links(&[link])?.remove(0)),
                Operation::Delete(removal) => Answer::Existed(self.objects.remove(&removal.path).is_some()),
                Operation::Copy(copy) => {
                    self.demand(&copy.path, copy.if_absent, &copy.if_etag, copy.if_generation)?;
                    Answer::Object(self.copy(&copy.source, copy.path, copy.metadata)?)
                }
            };
            results.push(proto::ApplyResult { result: Some(result) });
        }
        Ok(proto::ApplyResponse { results })
    }

    fn check(&self, path: &str) -> Result<(), Error> {
        if self.refused.contains(path) {
            return Err(Error::new(Code::LimitExceeded, path, format!("'{path}' is too large")));
        }
        Ok(())
    }
}

fn decode<M: Message + Default>(message: Bytes) -> M {
    M::decode(message).unwrap()
}

fn download_of(lake: &Lake, object: proto::Object) -> proto::Download {
    proto::Download { url: lake.url(key_of(&object)), object: Some(object), expires_at: later() }
}

/// gRPC: a call's path is its method, its body one message behind five bytes.
async fn call(State(lake): State<Lake>, uri: Uri, body: Bytes) -> Response {
    let reply = lake.answer(uri.path().trim_start_matches("/braid.v1."), &body.slice(5..));
    let mut trailers =
        HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static("0"))]);
    if let Some(error) = reply.error {
        trailers = status_from_error(&error).into_http::<()>().into_parts().0.headers;
        trailers.remove("content-type");
    }
    let framed = |message: Bytes| [&[0][..], &(message.len() as u32).to_be_bytes(), &message].concat();
    let messages = reply.messages.into_iter().map(framed).map(|frame| Frame::data(Bytes::from(frame)));
    let frames = messages.chain([Frame::trailers(trailers)]).map(Ok::<_, Infallible>);
    let body = Body::new(StreamBody::new(stream::iter(frames)));
    ([("content-type", "application/grpc")], body).into_response()
}

async fn upload(State(lake): State<Lake>, Path(key): Path<String>, body: Bytes) -> Response {
    let tag = format!("\"tag-{key}\"");
    let (under_way, most) = &*lake.uploads;
    most.fetch_max(1 + under_way.fetch_add(1, Ordering::SeqCst), Ordering::SeqCst);
    // Others get the chance to come in meanwhile.
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
    under_way.fetch_sub(1, Ordering::SeqCst);
    lake.kept.lock().unwrap().data.insert(key, body);
    ([("etag", tag)], StatusCode::OK).into_response()
}

async fn download(State(lake): State<Lake>, Path(key): Path<String>) -> Response {
    let (data, stalled, corrupted) = {
        let kept = lake.kept.lock().unwrap();
        let path =
            kept.objects.iter().find(|(_, object)| key_of(object) == key).map(|(path, _)| path.clone());
        let is_in = |paths: &BTreeSet<String>| path.as_ref().is_some_and(|path| paths.contains(path));
        (kept.data[&key].clone(), is_in(&kept.stalled), is_in(&kept.corrupted))
    };
    let tag = if corrupted { "\"other\"".to_owned() } else { format!("\"tag-{key}\"") };
    let length = data.len().to_string();
    let body = if stalled { half_of(&lake, &data) } else { Body::from(data) };
    ([("etag", tag), ("content-length", length)], body).into_response()
}

fn half_of(lake: &Lake, data: &Bytes) -> Body {
    let half = stream::iter([Ok::<_, Infallible>(data.slice(..data.len() / 2))]);
    let told = Arc::clone(&lake.half_sent);
    let never = stream::once(async move {
        told.add_permits(1);
        std::future::pending().await
    });
    Body::from_stream(half.chain(never))
}
