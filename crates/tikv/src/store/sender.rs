//! Sends one request to the peer that leads a region.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;
use tonic::{Code, Request, Status};

use super::calls::{RegionReply, RegionRequest};
use super::reaction::{News, Reaction, react};
use crate::failure::{Failure, Setback};
use crate::keyspace::Keyspace;
use crate::net::{Address, Channels, Connection, reason};
use crate::patience::{Patience, Pause};
use crate::proto::errorpb;
use crate::proto::kvrpcpb::{Context, UnsafeDestroyRangeRequest};
use crate::proto::tikvpb::tikv_client::TikvClient;
use crate::range::KeyRange;
use crate::region::{Directory, Region};
use crate::{Error, Settings, meters};

/// Sends requests to stores, and keeps the directory as the answers tell.
#[derive(Debug)]
pub(crate) struct Sender {
    directory: Arc<Directory>,
    channels: Arc<Channels>,
    keyspace: Keyspace,
    cluster: u64,
    call_timeout: Duration,
    answer_bytes: usize,
}

/// What a request knows beyond its region.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    /// Transactions whose locks are read past.
    pub(crate) read_past: Vec<u64>,
    /// How long the store may wait for locks before it answers.
    pub(crate) waits: Duration,
}

impl Sender {
    pub(crate) fn new(
        directory: Arc<Directory>,
        channels: Arc<Channels>,
        keyspace: Keyspace,
        cluster: u64,
        settings: &Settings,
    ) -> Self {
        let (call_timeout, answer_bytes) = (settings.call_timeout, settings.answer_bytes);
        Self { directory, channels, keyspace, cluster, call_timeout, answer_bytes }
    }

    /// The id of the cluster.
    pub(crate) fn cluster(&self) -> u64 {
        self.cluster
    }

    pub(crate) fn directory(&self) -> &Arc<Directory> {
        &self.directory
    }

    /// Sends `request` to the region of `key` until it is answered.
    pub(crate) async fn call<R: RegionRequest>(
        &self,
        key: &Bytes,
        request: R,
        patience: &mut Patience,
    ) -> Result<R::Reply, Error> {
        loop {
            let region = self.directory.region(key, patience).await?;
            match self.send(&region, request.clone(), patience, Extras::default()).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => patience.after(failure).await?,
            }
        }
    }

    /// Sends `request` to `region` once. Whatever an error tells of the region's whereabouts has been learnt already.
    pub(crate) async fn send<R: RegionRequest>(
        &self,
        region: &Region,
        mut request: R,
        patience: &Patience,
        extras: Extras,
    ) -> Result<R::Reply, Failure> {
        let allowed = patience.call(self.call_timeout + extras.waits);
        request.address(self.context(region, extras.read_past));
        let connection = self.connect(region, allowed).await?;
        let mut request = Request::new(request);
        request.set_timeout(allowed);
        let mut client =
            TikvClient::new(connection.channel.clone()).max_decoding_message_size(self.answer_bytes);
        let began = Instant::now();
        let answer = tokio::time::timeout(allowed, R::send(request, &mut client)).await;
        metrics::histogram!(meters::CALL_SECONDS, "call" => R::CALL).record(began.elapsed());
        let mut reply = match answer {
            Ok(Ok(reply)) => reply.into_inner(),
            Ok(Err(status)) => return Err(self.lost(R::CALL, region, &connection, &status)),
            Err(_) => {
                let status = Status::deadline_exceeded(format!("no answer in {allowed:?}"));
                return Err(self.lost(R::CALL, region, &connection, &status));
            }
        };
        let Some(error) = reply.take_region_error() else {
            meters::called(R::CALL, "answered");
            return Ok(reply);
        };
        meters::called(R::CALL, "region_error");
        Err(self.refused(R::CALL, region, &error))
    }

    /// Has one store drop all it holds of a range, every version of it. One try.
    pub(crate) async fn destroy(
        &self,
        store: &Address,
        range: &KeyRange,
        patience: &Patience,
    ) -> Result<(), Failure> {
        const CALL: &str = "UnsafeDestroyRange";
        let connection = self.channels.get(store).await.map_err(Failure::again)?;
        let context = Context { api_version: self.keyspace.api_version().into(), ..Context::default() };
        let mut request = Request::new(UnsafeDestroyRangeRequest {
            context: Some(context),
            start_key: range.start.clone(),
            end_key: range.end.clone(),
        });
        let allowed = patience.left();
        request.set_timeout(allowed);
        let mut client = TikvClient::new(connection.channel.clone());
        let cause = match tokio::time::timeout(allowed, client.unsafe_destroy_range(request)).await {
            Ok(Ok(reply)) => {
                let reply = reply.into_inner();
                match reply.region_error {
                    None if reply.error.is_empty() => {
                        meters::called(CALL, "answered");
                        return Ok(());
                    }
                    None => reply.error,
                    Some(error) => error.message,
                }
            }
            Ok(Err(status)) => reason(&status),
            Err(_) => format!("no answer in {allowed:?}"),
        };
        meters::called(CALL, "failed");
        self.channels.forget(&connection);
        Err(Failure::again(format!("{CALL} at '{store}': {cause}")))
    }

    fn context(&self, region: &Region, read_past: Vec<u64>) -> Context {
        Context {
            region_id: region.id,
            region_epoch: Some(region.wire_epoch()),
            peer: Some(*region.peer()),
            resolved_locks: read_past,
            api_version: self.keyspace.api_version().into(),
            cluster_id: self.cluster,
            ..Context::default()
        }
    }

    /// The connection to the store of the peer to ask. Nothing was sent if it fails.
    async fn connect(&self, region: &Region, allowed: Duration) -> Result<Connection, Failure> {
        let store = region.peer().store_id;
        let connecting = async {
            let address = self.directory.store(store).await?;
            let connection = self.channels.get(&address).await;
            connection.map_err(|cause| Failure::Again(Setback::new(Pause::None, cause)))
        };
        let connected = tokio::time::timeout(allowed, connecting).await.unwrap_or_else(|_| {
            Err(Failure::again(format!("the store {store} cannot be connected to in {allowed:?}")))
        });
        if connected.is_err() {
            self.directory.pass_on(region);
        }
        connected
    }

    /// A call whose answer did not come. It may have arrived.
    fn lost(&self, call: &'static str, region: &Region, connection: &Connection, status: &Status) -> Failure {
        meters::called(call, "failed");
        let cause = format!("{call} at '{}': {}", connection.address, reason(status));
        // The answer came and was too long to be read. (A store does not use this code.)
        if status.code() == Code::OutOfRange {
            let setback = Setback::new(Pause::Growing, cause);
            return Failure::Again(Setback { oversized: true, unsure: true, ..setback });
        }
        if status.code() == Code::Unimplemented {
            return Error::Refused { call, reason: status.message().to_owned() }.into();
        }
        self.channels.forget(connection);
        self.directory.pass_on(region);
        Failure::Again(Setback { unsure: true, ..Setback::new(Pause::None, cause) })
    }

    /// A request that its region could not serve.
    fn refused(&self, call: &'static str, region: &Region, error: &errorpb::Error) -> Failure {
        let Reaction { kind, news, pause, unsure } = react(error, region);
        metrics::counter!(meters::REGION_ERRORS, "kind" => kind).increment(1);
        match news {
            News::None => {}
            News::Leader(leader) => self.directory.learn_leader(region, &leader),
            News::Current(current) => self.directory.learn_current(region, &current),
            News::Stale => self.directory.forget(region),
            News::StoreMoved => {
                self.directory.forget_store(region.peer().store_id);
                self.directory.forget(region);
            }
        }
        if let Some(too_large) = &error.raft_entry_too_large {
            let reason = format!("the request is too large for the store: {} bytes", too_large.entry_size);
            return Error::Refused { call, reason }.into();
        }
        let cause = format!("{call} of the region {}: {kind} {}", region.id, error.message);
        Failure::Again(Setback { unsure, ..Setback::new(pause, cause.trim_end()) })
    }
}
