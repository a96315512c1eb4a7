//! An object store over HTTP that answers from a script, beside a server that gives out its URLs.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use braid_types::{BranchName, Clock, ObjectPath, RefExpression, RepositoryName, Time};
use braid_wire::proto;
use bytes::Bytes;
use futures::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use md5::{Digest, Md5};
use tonic::body::Body;

use crate::Client;
use crate::tests::fake::{Fake, Reply};
use crate::tests::serve::{Answered, serve};

pub(crate) const CREATE_UPLOAD: &str = "ObjectService/CreateUpload";
pub(crate) const LINK_UPLOAD: &str = "ObjectService/LinkUpload";
pub(crate) const GET_URL: &str = "ObjectService/GetDownloadUrl";

pub(crate) fn repository() -> RepositoryName {
    RepositoryName::new("repo").unwrap()
}

pub(crate) fn branch() -> BranchName {
    BranchName::new("main").unwrap()
}

pub(crate) fn path() -> ObjectPath {
    ObjectPath::new("a/b").unwrap()
}

pub(crate) fn reference() -> RefExpression {
    RefExpression::parse("main").unwrap()
}

pub(crate) fn md5(data: &[u8]) -> String {
    hex::encode(Md5::digest(data))
}

/// What the store does with one request.
pub(crate) enum Act {
    /// Answers with this status and an empty body.
    Status(u16),
    /// Takes an upload, and answers with the MD5 of what came.
    Take,
    /// Takes an upload, and answers with this entity tag.
    TakeAs(&'static str),
    /// Takes an upload, and breaks the connection.
    TakeAndBreak,
    /// Answers with this status and data, under the entity tag.
    Give(u16, Bytes, String),
    /// Announces `length` bytes, gives some, and breaks the connection.
    GiveAndBreak { status: u16, length: u64, data: Bytes, tag: String },
    /// Never answers.
    Silence,
}

type Requests = Vec<http::Request<Bytes>>;

/// The store.
pub(crate) struct Store {
    pub(crate) server: Fake,
    address: SocketAddr,
    requests: Arc<Mutex<Requests>>,
}

impl Store {
    pub(crate) async fn start(script: Vec<Act>) -> Self {
        let requests = Arc::new(Mutex::new(Requests::new()));
        let (script, seen) = (Mutex::new(VecDeque::from(script)), Arc::clone(&requests));
        let address = serve(move |request| {
            let act = script.lock().unwrap().pop_front().expect("the script covers every request");
            let answer = act.answer(request.body());
            seen.lock().unwrap().push(request);
            Box::pin(async move {
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            })
        })
        .await;
        Self { server: Fake::start().await, address, requests }
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    pub(crate) fn requests(&self) -> Requests {
        self.requests.lock().unwrap().clone()
    }

    /// Paths of the requests: which URL each went to.
    pub(crate) fn urls(&self) -> Vec<String> {
        self.requests().iter().map(|request| request.uri().path().to_owned()).collect()
    }

    fn expiry(&self, seconds: i64) -> prost_types::Timestamp {
        prost_types::Timestamp { seconds: self.server.clock.now().seconds + seconds, nanos: 0 }
    }

    /// Lets the server answer an upload with a URL of this name, good for so long.
    pub(crate) fn offer_upload(&self, name: &str, seconds: i64) {
        let upload = proto::Upload {
            path: path().to_string(),
            physical_address: format!("s3://bucket/{name}"),
            url: format!("http://{}/{name}?signature=secret", self.address),
            headers: BTreeMap::from([("content-type".into(), "text/plain".into())]),
            expires_at: Some(self.expiry(seconds)),
            intent: format!("intent of {name}"),
        };
        self.server.on(CREATE_UPLOAD, Reply::ok(&upload));
    }

    /// Lets the server answer a link with what was uploaded.
    pub(crate) fn accept_link(&self, data: &[u8]) {
        self.server.on(LINK_UPLOAD, Reply::ok(&object("x", data, &md5(data))));
    }

    /// Lets the server answer a download with a URL of this name, for data with this checksum.
    pub(crate) fn offer_download(&self, name: &str, data: &[u8], checksum: &str, seconds: i64) {
        self.offer_download_at(name, "x", data, checksum, seconds);
    }

    /// The same for an object at another physical address.
    pub(crate) fn offer_download_at(
        &self,
        name: &str,
        place: &str,
        data: &[u8],
        checksum: &str,
        seconds: i64,
    ) {
        let download = proto::Download {
            object: Some(object(place, data, checksum)),
            url: format!("http://{}/{name}?signature=secret", self.address),
            expires_at: Some(self.expiry(seconds)),
        };
        self.server.on(GET_URL, Reply::ok(&download));
    }

    /// The link that was asked for.
    pub(crate) fn linked(&self) -> proto::Link {
        let asked = self.server.asked_of(LINK_UPLOAD);
        asked.last().unwrap().decode::<proto::LinkUploadRequest>().link.unwrap()
    }
}

fn object(place: &str, data: &[u8], checksum: &str) -> proto::Object {
    let mtime = Time::from_seconds(5);
    proto::Object {
        path: path().to_string(),
        physical_address: format!("s3://bucket/{place}"),
        size: data.len() as u64,
        checksum: checksum.into(),
        mtime: Some(prost_types::Timestamp { seconds: mtime.seconds, nanos: 0 }),
        ..Default::default()
    }
}

impl Act {
    /// The answer; none is silence.
    fn answer(self, sent: &Bytes) -> Option<Answered> {
        let answer = http::Response::builder();
        let whole = |data: Bytes| Body::new(http_body_util::Full::new(data));
        let tagged = |status: u16, tag: &str| {
            http::Response::builder().status(status).header("etag", format!("\"{tag}\""))
        };
        Some(Ok(match self {
            Self::Status(status) => {
                answer.status(status).header("location", "/elsewhere").body(whole(Bytes::new())).unwrap()
            }
            Self::Take => tagged(200, &md5(sent)).body(whole(Bytes::new())).unwrap(),
            Self::TakeAs(tag) => tagged(200, tag).body(whole(Bytes::new())).unwrap(),
            Self::TakeAndBreak => return Some(Err(io::Error::other("broken"))),
            Self::Give(status, data, tag) => tagged(status, &tag).body(whole(data)).unwrap(),
            Self::GiveAndBreak { status, length, data, tag } => {
                tagged(status, &tag).header("content-length", length).body(breaking(data)).unwrap()
            }
            Self::Silence => return None,
        }))
    }
}

fn breaking(data: Bytes) -> Body {
    // The data must have been flushed before the connection breaks.
    let frames = stream::unfold(Some(data), |data| async {
        match data {
            Some(data) => Some((Ok(Frame::data(data)), None)),
            None => {
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                Some((Err(io::Error::other("broken")), None))
            }
        }
    });
    Body::new(StreamBody::new(frames))
}
