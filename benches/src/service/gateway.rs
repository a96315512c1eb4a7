//! The REST and S3 APIs, beside the same calls over gRPC and beside the server's HTTP handler that does nothing but answer.
//!
//! All go to one server, turn by turn, from 64 clients with a connection each. REST's requests carry a key (HTTP's basic
//! scheme), those of S3 are presigned before they are measured.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use braid::Server;
use braid_client::{Body, Client, Link, ListObjects, UploadOptions};
use braid_objects::{Buckets, PresignGetOptions, S3Buckets, S3Config, S3Credentials};
use braid_types::{ObjectPath, PathPrefix, SystemClock, SystemRandom};
use http::HeaderValue;

use super::fleet::Fleet;
use super::http::{Callers, Get};
use super::pool::Pool;
use super::{CLIENTS, OBJECTS, STATS, commit};
use crate::figures::Figures;
use crate::timing::{ROUNDS, middle};

/// Where the objects of the pool are.
const PREFIX: &str = "lake/";
/// Entries of a page.
const PAGE: usize = 1000;
/// Pages of a round.
const PAGES: usize = 200;
/// Objects that are read, and how large they are.
const READ: usize = 1000;
const KIB: usize = 1024;
/// Reads of a round.
const READS: usize = 10_000;
/// How long presigned requests last: longer than the run.
const LIFETIME: Duration = Duration::from_secs(3600);

/// A server with objects that are committed, and those who call it.
struct Lake<'a> {
    server: &'a Server,
    fleet: &'a Fleet,
    pool: Pool,
    credentials: S3Credentials,
    http: Callers,
}

/// Times of rounds that took turns.
struct Turns {
    empty: Duration,
    grpc: Option<Duration>,
    gateway: Duration,
}

pub(super) async fn measure(figures: &mut Figures, server: &Server, fleet: &Fleet) -> anyhow::Result<()> {
    let pool = Pool::upload(fleet, OBJECTS).await?;
    for links in pool.links.chunks(PAGE) {
        fleet.first().link_uploads(&pool.repository, &pool.branch, links.to_vec()).await?;
    }
    let key = server.create_key("benchmark").await?;
    let credentials = S3Credentials {
        access_key_id: key.id,
        secret_access_key: key.secret.expose().to_owned(),
        session_token: None,
    };
    let http = Callers::connect(server.http_address(), CLIENTS).await?;
    let lake = Lake { server, fleet, pool, credentials, http };
    let small = lake.upload_small().await?;
    commit(fleet, &lake.pool).await?;
    lake.stats(figures).await?;
    lake.lists(figures).await?;
    lake.reads(figures, &small).await
}

impl Lake<'_> {
    async fn stats(&self, figures: &mut Figures) -> anyhow::Result<()> {
        let paths = || self.pool.links.iter().cycle().take(STATS).map(|link| link.path.clone());
        let rest = paths().map(|path| self.rest(&format!("objects/stat?path={path}"))).collect::<Vec<_>>();
        let of = |path: ObjectPath| (self.pool.repository.clone(), self.pool.reference.clone(), path);
        let stat = |client: Client, (repository, reference, path): (_, _, _)| async move {
            Ok(client.stat_object(&repository, &reference, &path).await.map(drop)?)
        };
        let grpc = async || self.fleet.each(paths().map(of).collect(), stat).await;
        let turns = self.turns(&rest, Some(grpc)).await?;
        let empty = figures.rate("http_empty_per_s", STATS, turns.empty, "calls/s")?;
        let grpc = turns.grpc.context("gRPC had its turns")?;
        figures.rate("grpc_stat_per_s", STATS, grpc, "calls/s")?;
        let stats = figures.rate("rest_stat_per_s", STATS, turns.gateway, "calls/s")?;
        figures.ratio("rest_stat_of_empty", stats, empty)?;
        figures.ratio("rest_stat_of_grpc", grpc.as_secs_f64(), turns.gateway.as_secs_f64())
    }

    async fn lists(&self, figures: &mut Figures) -> anyhow::Result<()> {
        let starts = || (0..OBJECTS / PAGE).cycle().take(PAGES).map(|page| self.before(page));
        let page = |after: Option<&Link>| {
            let after = after.map_or_else(String::new, |link| format!("&after={}", link.path));
            self.rest(&format!("objects/ls?prefix={PREFIX}&amount={PAGE}{after}"))
        };
        let rest = starts().map(page).collect::<Vec<_>>();
        let request = |after: Option<&Link>| ListObjects {
            repository: self.pool.repository.clone(),
            reference: self.pool.reference.clone(),
            prefix: PathPrefix::new(PREFIX).expect("the prefix is short"),
            delimiter: None,
            after: after.map(|link| PathPrefix::new(link.path.as_str()).expect("a path is a prefix")),
            page_size: u32::try_from(PAGE).ok(),
            page_token: None,
        };
        let list = |client: Client, request| async move { Ok(client.list_objects(request).await.map(drop)?) };
        let grpc = async || self.fleet.each(starts().map(request).collect(), list).await;
        let turns = self.turns(&rest, Some(grpc)).await?;
        let entries = PAGES * PAGE;
        figures.rate("rest_list_entries_per_s", entries, turns.gateway, "entries/s")?;
        let grpc = turns.grpc.context("gRPC had its turns")?;
        figures.rate("grpc_list_entries_per_s", entries, grpc, "entries/s").map(drop)
    }

    async fn reads(&self, figures: &mut Figures, small: &[ObjectPath]) -> anyhow::Result<()> {
        let signed = self.signed(small).await?;
        let gets: Vec<_> = signed.iter().cycle().take(READS).cloned().collect();
        let turns = self.turns(&gets, None::<NoGrpc>).await?;
        let reads = figures.rate("s3_get_1kib_per_s", READS, turns.gateway, "objects/s")?;
        figures.ratio("s3_get_1kib_of_empty", reads, READS as f64 / turns.empty.as_secs_f64())
    }

    /// Rounds of these requests after as many of the handler that does nothing, and perhaps after a round over gRPC.
    async fn turns(
        &self,
        gets: &[Get],
        mut grpc: Option<impl AsyncFnMut() -> anyhow::Result<Duration>>,
    ) -> anyhow::Result<Turns> {
        let empty = Get { path: "/healthz".to_owned(), authorization: None };
        let (mut empties, mut grpcs, mut gateways) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            empties.push(self.http.each(vec![empty.clone(); gets.len()]).await?);
            if let Some(grpc) = &mut grpc {
                grpcs.push(grpc().await?);
            }
            gateways.push(self.http.each(gets.to_vec()).await?);
        }
        let grpc = (!grpcs.is_empty()).then(|| middle(grpcs));
        Ok(Turns { empty: middle(empties), grpc, gateway: middle(gateways) })
    }

    /// A request of REST about the branch.
    fn rest(&self, what: &str) -> Get {
        let Pool { repository, branch, .. } = &self.pool;
        let S3Credentials { access_key_id: id, secret_access_key: secret, .. } = &self.credentials;
        let pair = STANDARD.encode(format!("{id}:{secret}"));
        let authorization = HeaderValue::try_from(format!("Basic {pair}")).expect("base64 is ASCII");
        let path = format!("/api/v1/repositories/{repository}/refs/{branch}/{what}");
        Get { path, authorization: Some(authorization) }
    }

    /// The last object of the pool before this page.
    fn before(&self, page: usize) -> Option<&Link> {
        (page * PAGE).checked_sub(1).map(|last| &self.pool.links[last])
    }

    /// Uploads the objects that are read.
    async fn upload_small(&self) -> anyhow::Result<Vec<ObjectPath>> {
        let paths = (0..READ).map(|index| ObjectPath::new(format!("small/{index:04}")));
        let paths = paths.collect::<Result<Vec<_>, _>>()?;
        let of = |path: &ObjectPath| (self.pool.repository.clone(), self.pool.branch.clone(), path.clone());
        let upload = |client: Client, (repository, branch, path): (_, _, _)| async move {
            let (body, options) = (Body::Bytes(vec![0x5a; KIB].into()), UploadOptions::default());
            Ok(Box::pin(client.upload(&repository, &branch, &path, &body, &options)).await.map(drop)?)
        };
        self.fleet.each(paths.iter().map(of).collect(), upload).await?;
        Ok(paths)
    }

    /// Presigned requests of S3 for these objects.
    async fn signed(&self, paths: &[ObjectPath]) -> anyhow::Result<Vec<Get>> {
        let endpoint = format!("http://{}", self.server.http_address());
        let aws = S3Config::aws("us-east-1", self.credentials.clone());
        let config = S3Config { endpoint_url: Some(endpoint.clone()), ..aws };
        let buckets = S3Buckets::new(&config, Arc::new(SystemClock), Arc::new(SystemRandom));
        let bucket = buckets.bucket(self.pool.repository.as_str());
        let mut gets = Vec::with_capacity(paths.len());
        for path in paths {
            let key = format!("{}/{path}", self.pool.branch);
            let url = bucket.presign_get(&key, LIFETIME, PresignGetOptions::default()).await?.url;
            let path = url.strip_prefix(&endpoint).context("a URL begins with its endpoint")?.to_owned();
            gets.push(Get { path, authorization: None });
        }
        Ok(gets)
    }
}

/// Stands for no rounds over gRPC.
type NoGrpc = fn() -> std::future::Ready<anyhow::Result<Duration>>;
